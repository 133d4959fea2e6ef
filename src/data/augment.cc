#include "data/augment.h"

#include <algorithm>

#include "core/result.h"
#include "data/random.h"

namespace nbq {
namespace {

constexpr std::uint64_t kStreamX = 1, kStreamY = 2, kStreamFlip = 3;

/// out[x] = in[x + shift] where that exists, else the padding.
void shift_row(const std::uint8_t* in, int width, int shift, std::uint8_t* out) {
  const int begin = std::clamp(-shift, 0, width);
  const int end = std::clamp(width - shift, 0, width);
  std::fill(out, out + begin, kPadPixel);
  if (begin < end) std::copy(in + begin + shift, in + end + shift, out + begin);
  std::fill(out + std::max(begin, end), out + width, kPadPixel);
}

}  // namespace

void augment(const Augment& how, std::uint64_t seed, std::uint64_t epoch, std::uint64_t index,
             int c, int h, int w, std::span<const std::uint8_t> in, std::span<std::uint8_t> out) {
  NBQ_CHECK(c >= 0 && h >= 0 && w >= 0 && how.pad_crop >= 0 && how.pad_crop <= 65535);
  NBQ_CHECK(in.size() == out.size() && in.size() == static_cast<std::size_t>(c) *
                                                        static_cast<std::size_t>(h) *
                                                        static_cast<std::size_t>(w));
  const auto offset = [&](std::uint64_t stream) {  // -pad_crop .. pad_crop, all equally likely
    const auto places = static_cast<std::uint64_t>(2 * how.pad_crop + 1);
    return static_cast<int>(scale_to(random_bits(seed, stream, epoch, index), places)) -
           how.pad_crop;
  };
  const int dx = offset(kStreamX);
  const int dy = offset(kStreamY);
  const bool flip = how.flip && (random_bits(seed, kStreamFlip, epoch, index) >> 63) != 0;
  std::uint8_t* row = out.data();
  for (int channel = 0; channel < c; ++channel) {
    const std::uint8_t* plane = in.data() + std::ptrdiff_t{channel} * h * w;
    for (int y = 0; y < h; ++y, row += w) {
      const int from = y + dy;
      if (from < 0 || from >= h)
        std::fill(row, row + w, kPadPixel);
      else
        shift_row(plane + std::ptrdiff_t{from} * w, w, dx, row);
      if (flip) std::reverse(row, row + w);
    }
  }
}

}  // namespace nbq
