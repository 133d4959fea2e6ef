#include "infer/arena.h"

#include "core/placement.h"

namespace nbq::infer {

constexpr std::ptrdiff_t kBehind = 64;

std::size_t place_buffers(std::vector<Buffer>& buffers, int images) {
  std::vector<Block> blocks;
  for (const Buffer& b : buffers)
    blocks.push_back({b.image_bytes() * images, b.first_step, b.last_step});
  const std::ptrdiff_t end = place_blocks(blocks);
  for (std::size_t i = 0; i < buffers.size(); ++i) buffers[i].offset = blocks[i].offset;
  return static_cast<std::size_t>(end + kBehind);
}

}  // namespace nbq::infer
