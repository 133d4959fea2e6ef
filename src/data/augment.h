#pragma once
#include <cstdint>
#include <span>

namespace nbq {

/// Random changes of training images; the default changes nothing.
struct Augment {
  int pad_crop = 0;   ///< pads every side by this many pixels, then crops the old size anywhere
  bool flip = false;  ///< mirrors left and right, half of the time
};

/// The padding's pixel: it stands for real zero, as the network sees x = pixel - 128.
inline constexpr std::uint8_t kPadPixel = 128;

/// Changes one image. The result depends on (seed, epoch, index) and nothing else, so that a
/// resumed training and any number of threads see the same images.
/// in, out  [c*h*w], must not overlap.  pad_crop in [0, 65535].
void augment(const Augment& how, std::uint64_t seed, std::uint64_t epoch, std::uint64_t index,
             int c, int h, int w, std::span<const std::uint8_t> in, std::span<std::uint8_t> out);

}  // namespace nbq
