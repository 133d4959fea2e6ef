#include "data/image.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/file.h"
#include "data/codec.h"

namespace nbq {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{512} << 20;
constexpr std::array<std::uint8_t, 3> kJpegMagic = {0xff, 0xd8, 0xff};
constexpr std::array<std::uint8_t, 4> kPngMagic = {0x89, 'P', 'N', 'G'};

template <std::size_t N>
bool starts_with(std::span<const std::uint8_t> bytes, const std::array<std::uint8_t, N>& magic) {
  return bytes.size() >= N && std::equal(magic.begin(), magic.end(), bytes.begin());
}

}  // namespace

Result<Image> decode_image(const std::filesystem::path& path) {
  NBQ_ASSIGN(const auto bytes, read_file(path, kMaxFileBytes));
  return decode_image(bytes, path.string());
}

Result<Image> decode_image(std::span<const std::uint8_t> bytes, std::string_view name) {
  if (starts_with(bytes, kJpegMagic)) return decode_jpeg(bytes, name);
  if (starts_with(bytes, kPngMagic)) return decode_png(bytes, name);
  if (bytes.empty())
    return make_error(ErrorCode::kBadFile, "{}: an empty file; remove or replace it", name);
  return make_error(ErrorCode::kBadFile,
                    "{}: neither a JPEG nor a PNG by its content; remove or convert it", name);
}

Image from_interleaved(std::span<const std::uint8_t> hwc, int channels, int height, int width) {
  const auto c_count = static_cast<std::size_t>(channels);
  const auto plane = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  NBQ_CHECK(hwc.size() == c_count * plane);
  Image out{channels, height, width, std::vector<std::uint8_t>(hwc.size())};
  for (std::size_t c = 0; c < c_count; ++c) {
    std::uint8_t* to = out.pixels.data() + c * plane;
    const std::uint8_t* from = hwc.data() + c;
    for (std::size_t i = 0; i < plane; ++i) to[i] = from[i * c_count];
  }
  return out;
}

Image to_channels(Image image, int channels) {
  NBQ_CHECK(channels == 1 || channels == 3);
  if (image.channels == channels) return image;
  const std::size_t plane =
      static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width);
  Image out{channels, image.height, image.width, {}};
  if (channels == 3) {
    out.pixels.reserve(3 * plane);
    for (int c = 0; c < 3; ++c)
      out.pixels.insert(out.pixels.end(), image.pixels.begin(), image.pixels.end());
    return out;
  }
  out.pixels.resize(plane);
  const std::uint8_t* p = image.pixels.data();
  for (std::size_t i = 0; i < plane; ++i) {
    const std::uint32_t luma = 19595u * p[i] + 38470u * p[plane + i] + 7471u * p[2 * plane + i];
    out.pixels[i] = static_cast<std::uint8_t>((luma + 0x8000u) >> 16);
  }
  return out;
}

ImagePart centre_part(int height, int width, int out_height, int out_width, int shorter_side) {
  NBQ_CHECK(height >= 1 && width >= 1 && out_height >= 1 && out_width >= 1 && shorter_side >= 0);
  // Pixels of the image for one of the output: no side may ask for more than there are.
  double scale = std::min(double{1} * height / out_height, double{1} * width / out_width);
  if (shorter_side > 0) scale = std::min(scale, double{1} * std::min(height, width) / shorter_side);
  ImagePart part;
  part.height = std::clamp(static_cast<int>(std::lround(out_height * scale)), 1, height);
  part.width = std::clamp(static_cast<int>(std::lround(out_width * scale)), 1, width);
  part.top = (height - part.height) / 2;
  part.left = (width - part.width) / 2;
  return part;
}

Image resize_part(Image image, const ImagePart& part, int height, int width) {
  NBQ_CHECK(height >= 1 && height <= 65535 && width >= 1 && width <= 65535);
  NBQ_CHECK(part.top >= 0 && part.left >= 0 && part.height >= 1 && part.width >= 1 &&
            part.height <= image.height - part.top && part.width <= image.width - part.left);
  if (image.height == height && image.width == width && part.height == height &&
      part.width == width)
    return image;
  const auto stride = static_cast<std::size_t>(image.width);
  const std::size_t in_plane = stride * static_cast<std::size_t>(image.height);
  const std::size_t out_plane = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  const std::size_t corner =
      static_cast<std::size_t>(part.top) * stride + static_cast<std::size_t>(part.left);
  Image out{image.channels, height, width, {}};
  out.pixels.resize(out_plane * static_cast<std::size_t>(image.channels));
  for (std::size_t c = 0; c < static_cast<std::size_t>(image.channels); ++c)
    NBQ_CHECK(resize_plane(image.pixels.data() + c * in_plane + corner, part.height, part.width,
                           image.width, out.pixels.data() + c * out_plane, height, width));
  return out;
}

Image resize_to(Image image, int height, int width) {
  const ImagePart part = centre_part(image.height, image.width, height, width);
  return resize_part(std::move(image), part, height, width);
}

}  // namespace nbq
