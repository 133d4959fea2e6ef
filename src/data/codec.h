#pragma once
// Inside of image.cc only: one function a format, each in a file that includes its library.
#include <cstdint>
#include <span>
#include <string_view>

#include "core/result.h"
#include "data/image.h"

namespace nbq {

/// Both: `name` stands in the messages. Errors kBadFile: damaged, truncated, over kMaxPixels.
Result<Image> decode_jpeg(std::span<const std::uint8_t> bytes, std::string_view name);
Result<Image> decode_png(std::span<const std::uint8_t> bytes, std::string_view name);

/// One 8-bit plane; `stride` is the distance of input rows in bytes. False: out of memory.
/// Mitchell when shrinking, Catmull-Rom when growing, edges repeated.
bool resize_plane(const std::uint8_t* in, int height, int width, int stride, std::uint8_t* out,
                  int out_height, int out_width);

/// H x W x C to C x H x W.
Image from_interleaved(std::span<const std::uint8_t> hwc, int channels, int height, int width);

}  // namespace nbq
