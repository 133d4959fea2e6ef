#include "data/augment.h"

#include <algorithm>
#include <cmath>

#include "core/result.h"
#include "data/random.h"

namespace nbq {
namespace {

constexpr std::uint64_t kStreamX = 1, kStreamY = 2, kStreamFlip = 3;
constexpr std::uint64_t kStreamPart = 1 << 16;  ///< the first of those that a part takes
constexpr int kTries = 10;
constexpr double kMaxRatio = 4.0 / 3;

/// out[x] = in[x + shift] where that exists, else the padding.
void shift_row(const std::uint8_t* in, int width, int shift, std::uint8_t* out) {
  const int begin = std::clamp(-shift, 0, width);
  const int end = std::clamp(width - shift, 0, width);
  std::fill(out, out + begin, kPadPixel);
  if (begin < end) std::copy(in + begin + shift, in + end + shift, out + begin);
  std::fill(out + std::max(begin, end), out + width, kPadPixel);
}

}  // namespace

ImagePart random_part(const Augment& how, std::uint64_t seed, std::uint64_t epoch,
                      std::uint64_t index, int height, int width) {
  NBQ_CHECK(how.min_area > 0 && how.min_area <= how.max_area && how.max_area <= 1);
  NBQ_CHECK(height >= 1 && width >= 1);
  std::uint64_t stream = kStreamPart;
  const auto bits = [&] { return random_bits(seed, stream++, epoch, index); };
  const auto uniform = [&](double lo, double hi) {
    return lo + (hi - lo) * static_cast<double>(bits() >> 11) * 0x1p-53;
  };
  const auto place = [&](int free) {
    return static_cast<int>(scale_to(bits(), static_cast<std::uint64_t>(free) + 1));
  };
  for (int i = 0; i < kTries; ++i) {
    const double area = uniform(how.min_area, how.max_area) * height * width;
    const double ratio = std::exp(uniform(-std::log(kMaxRatio), std::log(kMaxRatio)));
    const double w = std::round(std::sqrt(area * ratio));
    const double h = std::round(std::sqrt(area / ratio));
    if (h >= 1 && h <= height && w >= 1 && w <= width) {
      ImagePart part{0, 0, static_cast<int>(h), static_cast<int>(w)};
      part.top = place(height - part.height);
      part.left = place(width - part.width);
      return part;
    }
  }
  ImagePart part{0, 0, height, width};
  part.width = std::clamp(static_cast<int>(std::lround(height * kMaxRatio)), 1, width);
  part.height = std::clamp(static_cast<int>(std::lround(width * kMaxRatio)), 1, height);
  part.top = (height - part.height) / 2;
  part.left = (width - part.width) / 2;
  return part;
}

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
