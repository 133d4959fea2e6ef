#include "hw/layout.h"

#include <algorithm>
#include <bit>

namespace nbq::hw {

int TensorPlace::word(int p, int y, int x, int pixels) const {
  const int lp = std::countr_zero(static_cast<unsigned>(pixels));
  const int xq = ((x >> (bank_shift + lp)) << bank_shift) | (x & ((1 << bank_shift) - 1));
  return base + p * plane() + y * row + xq;
}

TensorPlace make_place(const Shape& shape, bool is_signed, int bank_shift,
                       const EngineConfig& config) {
  TensorPlace t{shape, is_signed, bank_shift, 0, 0, 0};
  t.planes = (shape.c + config.lanes_in - 1) / config.lanes_in;
  const int span = config.pixels << bank_shift;
  t.row = ((shape.w + span - 1) / span) << bank_shift;
  return t;
}

int conflict_free_pixels(int stride, int bank_shift, int pixels) {
  const auto distinct = [&](int count) {
    for (int start = 0; start < (pixels << bank_shift); ++start) {
      unsigned seen = 0;
      for (int p = 0; p < count; ++p) {
        const unsigned bank =
            1u << ((static_cast<unsigned>(start + p * stride) >> bank_shift) & (pixels - 1));
        if ((seen & bank) != 0) return false;
        seen |= bank;
      }
    }
    return true;
  };
  int count = pixels;
  while (count > 1 && !distinct(count)) count /= 2;
  return count;
}

int WordAllocator::allocate(int words) {
  int base = 0;
  auto at = used_.begin();
  for (; at != used_.end(); ++at) {
    if (at->base - base >= words) break;
    base = at->base + at->words;
  }
  used_.insert(at, Block{base, words});
  high_water_ = std::max(high_water_, base + words);
  return base;
}

void WordAllocator::release(int base) {
  const auto at =
      std::find_if(used_.begin(), used_.end(), [&](const Block& b) { return b.base == base; });
  NBQ_CHECK(at != used_.end());
  used_.erase(at);
}

}  // namespace nbq::hw
