#pragma once
#include <cstdint>
#include <span>

#include "data/image.h"

namespace nbq {

/// Random changes of training images; the default changes nothing.
struct Augment {
  int pad_crop = 0;   ///< pads every side by this many pixels, then crops the old size anywhere
  bool flip = false;  ///< mirrors left and right, half of the time
  /// The part of the picture's area that random_part() takes, 0 < min <= max <= 1; max 0: no parts.
  double min_area = 0, max_area = 0;

  bool takes_parts() const { return max_area > 0; }
  bool changes_pixels() const { return pad_crop > 0 || flip; }
};

/// The padding's pixel: it stands for real zero, as the network sees x = pixel - 128.
inline constexpr std::uint8_t kPadPixel = 128;

/// A part of a height x width picture, of random area and aspect ratio 3/4 to 4/3 (Szegedy et al.
/// 2015; torchvision's RandomResizedCrop): ten tries, then the largest centre of an allowed ratio.
/// Depends on (seed, epoch, index), the areas and the picture's size. how.takes_parts().
ImagePart random_part(const Augment& how, std::uint64_t seed, std::uint64_t epoch,
                      std::uint64_t index, int height, int width);

/// Pads, crops and mirrors one image. The result depends on (seed, epoch, index) and nothing else,
/// so that a resumed training and any number of threads see the same images. in, out  [c*h*w], must
/// not overlap.  pad_crop in [0, 65535].
void augment(const Augment& how, std::uint64_t seed, std::uint64_t epoch, std::uint64_t index,
             int c, int h, int w, std::span<const std::uint8_t> in, std::span<std::uint8_t> out);

}  // namespace nbq
