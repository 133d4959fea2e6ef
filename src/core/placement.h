#pragma once
#include <cstddef>
#include <span>

namespace nbq {

/// Memory that is in use from one step of a fixed sequence to another.
struct Block {
  std::ptrdiff_t size = 0;
  int first_step = 0, last_step = 0;  ///< both included
  std::ptrdiff_t offset = 0;          ///< set by place_blocks()
};

/// Gives every block its place: blocks that are never in use at the same step share memory.
/// Offsets are sums of sizes, so equal alignment of all sizes aligns them. Returns the end of the
/// last one.
std::ptrdiff_t place_blocks(std::span<Block> blocks);

}  // namespace nbq
