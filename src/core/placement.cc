#include "core/placement.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace nbq {
namespace {

bool together(const Block& a, const Block& b) {
  return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

}  // namespace

// Largest first, each at the lowest place that is free for as long as it lives: the usual greedy
// packing.
std::ptrdiff_t place_blocks(std::span<Block> blocks) {
  std::vector<std::size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].size > blocks[b].size; });
  std::vector<const Block*> placed;  // by offset
  std::ptrdiff_t end = 0;
  for (const std::size_t i : order) {
    Block& b = blocks[i];
    std::ptrdiff_t at = 0;
    for (const Block* p : placed) {
      if (!together(*p, b)) continue;
      if (at + b.size <= p->offset) break;
      at = std::max(at, p->offset + p->size);
    }
    b.offset = at;
    end = std::max(end, at + b.size);
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), &b,
                         [](const Block* x, const Block* y) { return x->offset < y->offset; }),
        &b);
  }
  return end;
}

}  // namespace nbq
