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

Image resize_to(Image image, int height, int width) {
  NBQ_CHECK(height >= 1 && height <= 65535 && width >= 1 && width <= 65535);
  if (image.height == height && image.width == width) return image;
  // The largest centred part whose sides are as height : width, never empty.
  const double in_h = image.height;
  const double in_w = image.width;
  const double scale = std::min(in_h / height, in_w / width);
  const int part_h = std::clamp(static_cast<int>(std::lround(height * scale)), 1, image.height);
  const int part_w = std::clamp(static_cast<int>(std::lround(width * scale)), 1, image.width);
  const auto top = static_cast<std::size_t>((image.height - part_h) / 2);
  const auto left = static_cast<std::size_t>((image.width - part_w) / 2);
  const auto stride = static_cast<std::size_t>(image.width);
  const std::size_t in_plane = stride * static_cast<std::size_t>(image.height);
  const std::size_t out_plane = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  Image out{image.channels, height, width, {}};
  out.pixels.resize(out_plane * static_cast<std::size_t>(image.channels));
  for (std::size_t c = 0; c < static_cast<std::size_t>(image.channels); ++c)
    NBQ_CHECK(resize_plane(image.pixels.data() + c * in_plane + top * stride + left, part_h, part_w,
                           image.width, out.pixels.data() + c * out_plane, height, width));
  return out;
}

}  // namespace nbq
