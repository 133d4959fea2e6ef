#include "infer/arena.h"

#include <algorithm>
#include <numeric>

namespace nbq::infer {
namespace {

constexpr std::ptrdiff_t kBehind = 64;

bool together(const Buffer& a, const Buffer& b) {
  return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

}  // namespace

// Largest first, each at the lowest place that is free for as long as it lives: the usual greedy
// packing.
std::size_t place_buffers(std::vector<Buffer>& buffers, int images) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return buffers[a].image_bytes() > buffers[b].image_bytes();
  });
  std::vector<const Buffer*> placed;  // by offset
  std::ptrdiff_t end = 0;
  for (const std::size_t i : order) {
    Buffer& b = buffers[i];
    const std::ptrdiff_t size = b.image_bytes() * images;
    std::ptrdiff_t at = 0;
    for (const Buffer* p : placed) {
      if (!together(*p, b)) continue;
      if (at + size <= p->offset) break;
      at = std::max(at, p->offset + p->image_bytes() * images);
    }
    b.offset = at;
    end = std::max(end, at + size);
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), &b,
                         [](const Buffer* x, const Buffer* y) { return x->offset < y->offset; }),
        &b);
  }
  return static_cast<std::size_t>(end + kBehind);
}

}  // namespace nbq::infer
