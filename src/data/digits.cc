#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "data/digits_bytes.h"
#include "data/formats.h"

namespace nbq {
namespace {

constexpr std::size_t kImages = 1797;
constexpr std::size_t kTrainImages = 1000;
constexpr int kSide = 8;
constexpr std::size_t kPixels = kSide * kSide;
constexpr std::size_t kMaxText = std::size_t{1} << 20;

Error damaged(std::string_view why) {
  return make_error(ErrorCode::kBadFile,
                    "digits: the embedded dataset is damaged ({}); rebuild nbq", why);
}

Result<std::string> gunzip(std::span<const std::uint8_t> gz) {
  constexpr int kGzipOnly = 15 + 16;
  z_stream z{};
  if (inflateInit2(&z, kGzipOnly) != Z_OK) return damaged("zlib can't start");
  std::string text(kMaxText, '\0');
  z.next_in = const_cast<Bytef*>(gz.data());  // zlib reads only
  z.avail_in = static_cast<uInt>(gz.size());
  z.next_out = reinterpret_cast<Bytef*>(text.data());
  z.avail_out = static_cast<uInt>(text.size());
  const int rc = inflate(&z, Z_FINISH);
  text.resize(z.total_out);
  inflateEnd(&z);
  if (rc != Z_STREAM_END) return damaged("it can't be unpacked");
  return text;
}

/// The next whole number of `text` in [0, max], past one comma or line end; -1 if there is none.
int next_number(std::string_view& text, int max) {
  int value = -1;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || value < 0 || value > max) return -1;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty()) text.remove_prefix(1);
  return value;
}

}  // namespace

Result<ImageSourcePtr> open_digits(const DatasetSpec& spec) {
  NBQ_ASSIGN(const std::string csv, gunzip(digits_bytes()));
  const bool train = spec.split == Split::kTrain;
  DatasetInfo info;
  info.shape = {1, kSide, kSide};
  for (char c = '0'; c <= '9'; ++c) info.class_names.emplace_back(1, c);
  std::vector<std::uint8_t> pixels;
  std::string_view rest = csv;
  for (std::size_t i = 0; i < kImages; ++i) {
    const bool wanted = (i < kTrainImages) == train;
    for (std::size_t p = 0; p < kPixels; ++p) {
      const int value = next_number(rest, 16);
      if (value < 0) return damaged("a pixel isn't 0..16");
      if (wanted) pixels.push_back(static_cast<std::uint8_t>(std::min(255, 16 * value)));
    }
    const int label = next_number(rest, 9);
    if (label < 0) return damaged("a label isn't 0..9");
    if (wanted) info.labels.push_back(label);
  }
  return make_fitted_source(spec, std::move(info), std::move(pixels));
}

}  // namespace nbq
