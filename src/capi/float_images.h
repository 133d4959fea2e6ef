#pragma once
#include <cstdint>
#include <span>

#include "core/result.h"
#include "model/graph.h"

namespace nbq::capi {

/// Errors kInvalidArgument: a pixel is no number or outside 0..1; names its image, channel, row and
/// column. `pixels`: whole images of `shape`.
Status check_pixels(std::span<const float> pixels, const Shape& shape);

/// Each to the nearest byte / 255. `pixels` are checked; `bytes` has as many.
void to_bytes(std::span<const float> pixels, std::uint8_t* bytes);

/// logits * 2^exp, rounded to float.
void to_scores(std::span<const std::int64_t> logits, int exp, float* scores);

}  // namespace nbq::capi
