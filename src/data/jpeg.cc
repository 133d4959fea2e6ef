#include <turbojpeg.h>

#include "data/codec.h"

namespace nbq {
namespace {

/// A new one for every file: an old one keeps tables and, after damage, state of the file before,
/// so a file's outcome would depend on its neighbours. Making one takes microseconds.
struct Decoder {
  Decoder() : handle(tjInitDecompress()) {}
  ~Decoder() {
    if (handle) tjDestroy(handle);
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  tjhandle handle;
};

Error broken(std::string_view name, tjhandle handle) {
  return make_error(ErrorCode::kBadFile, "{}: a broken JPEG ({}); remove or replace it", name,
                    tjGetErrorStr2(handle));
}

/// Inverted CMYK, as Adobe writes it: red = C K / 255, and so on.
std::vector<std::uint8_t> rgb_from_cmyk(const std::vector<std::uint8_t>& cmyk) {
  std::vector<std::uint8_t> rgb(cmyk.size() / 4 * 3);
  for (std::size_t i = 0; i < cmyk.size() / 4; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      rgb[3 * i + c] = static_cast<std::uint8_t>((cmyk[4 * i + c] * cmyk[4 * i + 3] + 127) / 255);
  return rgb;
}

}  // namespace

Result<Image> decode_jpeg(std::span<const std::uint8_t> bytes, std::string_view name) {
  const Decoder decoder;
  const tjhandle handle = decoder.handle;
  if (!handle) return make_error(ErrorCode::kIo, "{}: no memory for a JPEG decoder", name);
  int width = 0, height = 0, sampling = 0, colours = 0;
  if (tjDecompressHeader3(handle, bytes.data(), bytes.size(), &width, &height, &sampling,
                          &colours) != 0)
    return broken(name, handle);
  if (width < 1 || height < 1 || std::int64_t{width} * height > kMaxPixels)
    return make_error(ErrorCode::kBadFile,
                      "{}: {} x {} pixels, more than the {} allowed; shrink it", name, width,
                      height, kMaxPixels);
  const bool cmyk = colours == TJCS_CMYK || colours == TJCS_YCCK;
  const int format = colours == TJCS_GRAY ? TJPF_GRAY : cmyk ? TJPF_CMYK : TJPF_RGB;
  const int samples = tjPixelSize[format];
  std::vector<std::uint8_t> hwc(static_cast<std::size_t>(samples) *
                                static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  constexpr int kFlags = TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS;
  if (tjDecompress2(handle, bytes.data(), bytes.size(), hwc.data(), width, 0, height, format,
                    kFlags) != 0)
    return broken(name, handle);
  if (cmyk) hwc = rgb_from_cmyk(hwc);
  return from_interleaved(hwc, samples == 1 ? 1 : 3, height, width);
}

}  // namespace nbq
