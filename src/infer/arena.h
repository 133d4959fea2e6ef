#pragma once
#include <vector>

#include "infer/layout.h"

namespace nbq::infer {

/// Gives every buffer its place, for `images` images one behind the other: buffers that are never
/// in use at the same step share bytes. Returns the arena's size, with room behind for a load that
/// reads a little further than its pixel.
std::size_t place_buffers(std::vector<Buffer>& buffers, int images);

}  // namespace nbq::infer
