#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace nbq {

/// 8-bit pixels, channel by channel. channels is 1 (gray) or 3 (red, green, blue).
struct Image {
  int channels = 0;
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> pixels;  ///< C x H x W
};

/// Larger pictures are refused before any memory is asked for.
inline constexpr std::int64_t kMaxPixels = std::int64_t{64} << 20;

/// Decodes a JPEG or PNG, told apart by content. Gray stays gray, everything else becomes RGB.
/// JPEG: accurate integer DCT and smooth chroma upsampling, as PIL decodes; CMYK by the Adobe
/// habit. PNG: 16-bit samples are rounded to 8, transparency is laid over black. Errors kBadFile
/// (names the file): absent, neither format, damaged or cut short (the JPEG library's warnings and
/// the PNG checksums count), more than kMaxPixels.
Result<Image> decode_image(const std::filesystem::path& path);
/// The same from memory; `name` stands in the messages.
Result<Image> decode_image(std::span<const std::uint8_t> bytes, std::string_view name);

/// Gray to RGB: three copies. RGB to gray: (19595 R + 38470 G + 7471 B + 2^15) >> 16, the ITU-R 601
/// luma as PIL rounds it. channels is 1 or 3.
Image to_channels(Image image, int channels);

/// A rectangle of an image, in pixels.
struct ImagePart {
  int top = 0, left = 0;
  int height = 0, width = 0;  ///< at least 1
};

/// The part of a height x width image that becomes out_height x out_width when the image's shorter
/// side is scaled to `shorter_side` and the centre is cropped (0: the largest such part). All in
/// [1, 65535]. A part that would reach beyond the image is made smaller, its aspect ratio kept.
ImagePart centre_part(int height, int width, int out_height, int out_width, int shorter_side = 0);

/// A part, which must lie inside the image, scaled to height x width, antialiased.
Image resize_part(Image image, const ImagePart& part, int height, int width);

/// The centre part with the aspect ratio of height x width, scaled to that size (the same as
/// scaling the shorter side and cropping the longer, without the large picture in between).
/// A picture that has the size already passes unchanged. height, width in [1, 65535].
Image resize_to(Image image, int height, int width);

/// An 8-bit PNG, gray or RGB, written beside the target and renamed. Errors kIo (names the path).
Status write_png(const std::filesystem::path& path, const Image& image);

}  // namespace nbq
