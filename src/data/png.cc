#include <png.h>
#include <zlib.h>

#include <cstring>

#include "core/file.h"
#include "data/codec.h"

namespace nbq {
namespace {

std::uint32_t big_endian(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}

Error broken(std::string_view name, std::string_view why) {
  return make_error(ErrorCode::kBadFile, "{}: a broken PNG ({}); remove or replace it", name, why);
}

/// Every chunk whole and with the right checksum, up to IEND: libpng stops reading after the last
/// row, so it misses a damaged end. Layout: 8 bytes signature, then length, type, data, CRC-32.
Status check_chunks(std::span<const std::uint8_t> bytes, std::string_view name) {
  constexpr std::size_t kSignature = 8, kFrame = 12;
  std::size_t at = kSignature;
  while (at <= bytes.size() && bytes.size() - at >= kFrame) {
    const std::size_t length = big_endian(&bytes[at]);
    if (length > bytes.size() - at - kFrame) break;
    const std::uint8_t* type = &bytes[at + 4];
    const uLong crc = crc32(0, type, static_cast<uInt>(length + 4));
    if (crc != big_endian(type + 4 + length)) return broken(name, "a checksum is wrong");
    if (std::memcmp(type, "IEND", 4) == 0) return ok_status();
    at += kFrame + length;
  }
  return broken(name, "it is cut short");
}

}  // namespace

Result<Image> decode_png(std::span<const std::uint8_t> bytes, std::string_view name) {
  NBQ_TRY(check_chunks(bytes, name));
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()))
    return broken(name, png.message);
  if (std::int64_t{png.width} * std::int64_t{png.height} > kMaxPixels) {
    png_image_free(&png);
    return make_error(ErrorCode::kBadFile,
                      "{}: {} x {} pixels, more than the {} allowed; shrink it", name, png.width,
                      png.height, kMaxPixels);
  }
  png.format = (png.format & PNG_FORMAT_FLAG_COLOR) ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  std::vector<std::uint8_t> hwc(PNG_IMAGE_SIZE(png));
  const png_color black{};
  if (!png_image_finish_read(&png, &black, hwc.data(), 0, nullptr))
    return broken(name, png.message);
  return from_interleaved(hwc, png.format == PNG_FORMAT_RGB ? 3 : 1, static_cast<int>(png.height),
                          static_cast<int>(png.width));
}

Status write_png(const std::filesystem::path& path, const Image& image) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const auto plane = static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width);
  NBQ_CHECK((channels == 1 || channels == 3) && plane > 0);
  NBQ_CHECK(image.pixels.size() == channels * plane);
  std::vector<std::uint8_t> hwc(image.pixels.size());
  for (std::size_t i = 0; i < plane; ++i)
    for (std::size_t c = 0; c < channels; ++c) hwc[i * channels + c] = image.pixels[c * plane + i];
  return write_atomically(path, [&](const std::filesystem::path& tmp) -> Status {
    png_image png{};
    png.version = PNG_IMAGE_VERSION;
    png.width = static_cast<png_uint_32>(image.width);
    png.height = static_cast<png_uint_32>(image.height);
    png.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    if (!png_image_write_to_file(&png, tmp.c_str(), 0, hwc.data(), 0, nullptr))
      return make_error(ErrorCode::kIo,
                        "{}: can't be written: {} (is the disk full, the folder writable?)",
                        path.string(), png.message);
    return ok_status();
  });
}

}  // namespace nbq
