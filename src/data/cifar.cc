// CIFAR binary batches (https://www.cs.toronto.edu/~kriz/cifar.html): records of one label byte
// (CIFAR-100: coarse, then fine), then 3 x 32 x 32 pixels, channel by channel.
#include <array>
#include <sstream>

#include "core/file.h"
#include "data/formats.h"

namespace nbq {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t kPixels = 3 * 32 * 32;

struct Variant {
  const char* marker;  ///< either file shows the variant
  const char* test_marker;
  const char* child;        ///< the folder in the official archive
  std::size_t label_bytes;  ///< the last one counts
  int classes;
  const char* names_file;
  std::vector<const char*> train_files;
  std::vector<const char*> test_files;
};

const std::array<Variant, 2>& variants() {
  static const std::array<Variant, 2> all = {{
      {"data_batch_1.bin",
       "test_batch.bin",
       "cifar-10-batches-bin",
       1,
       10,
       "batches.meta.txt",
       {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
        "data_batch_5.bin"},
       {"test_batch.bin"}},
      {"train.bin",
       "test.bin",
       "cifar-100-binary",
       2,
       100,
       "fine_label_names.txt",
       {"train.bin"},
       {"test.bin"}},
  }};
  return all;
}

bool holds(const fs::path& folder, const Variant& v) {
  std::error_code ec;
  return fs::is_regular_file(folder / v.marker, ec) ||
         fs::is_regular_file(folder / v.test_marker, ec);
}

Result<std::vector<std::string>> read_names(const fs::path& folder, const Variant& v) {
  std::vector<std::string> names;
  const fs::path file = folder / v.names_file;
  std::error_code ec;
  if (!fs::exists(file, ec)) {
    if (v.classes == 10)
      return std::vector<std::string>{"airplane", "automobile", "bird",  "cat",  "deer",
                                      "dog",      "frog",       "horse", "ship", "truck"};
    for (int i = 0; i < v.classes; ++i) names.push_back(fmt::format("class_{:02}", i));
    return names;
  }
  NBQ_ASSIGN(const std::string text, read_text_file(file));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() != static_cast<std::size_t>(v.classes))
    return make_error(ErrorCode::kBadFile, "{}: {} class names, expected {}; correct or remove it",
                      file.string(), names.size(), v.classes);
  return names;
}

Status append_batch(const fs::path& file, const Variant& v, DatasetInfo& info,
                    std::vector<std::uint8_t>& pixels) {
  std::error_code ec;
  if (!fs::exists(file, ec))
    return make_error(ErrorCode::kBadFile,
                      "{}: this CIFAR batch is missing; unpack the archive again", file.string());
  NBQ_ASSIGN(const auto bytes, read_file(file));
  const std::size_t record = v.label_bytes + kPixels;
  if (bytes.empty() || bytes.size() % record != 0)
    return make_error(ErrorCode::kBadFile,
                      "{}: {} bytes, not a multiple of the CIFAR record of {}; unpack the archive "
                      "again",
                      file.string(), bytes.size(), record);
  pixels.reserve(pixels.size() + bytes.size() / record * kPixels);
  for (std::size_t at = 0; at < bytes.size(); at += record) {
    const int label = bytes[at + v.label_bytes - 1];
    if (label >= v.classes)
      return make_error(ErrorCode::kBadFile, "{}: image {} has label {}, expected 0..{}",
                        file.string(), at / record, label, v.classes - 1);
    info.labels.push_back(label);
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at + v.label_bytes);
    pixels.insert(pixels.end(), begin, begin + static_cast<std::ptrdiff_t>(kPixels));
  }
  return ok_status();
}

}  // namespace

fs::path find_cifar(const fs::path& path) {
  for (const Variant& v : variants()) {
    if (holds(path, v)) return path;
    if (holds(path / v.child, v)) return path / v.child;
  }
  return {};
}

Result<ImageSourcePtr> open_cifar(const fs::path& folder, const DatasetSpec& spec) {
  const Variant& v = holds(folder, variants()[0]) ? variants()[0] : variants()[1];
  DatasetInfo info;
  info.shape = {3, 32, 32};
  NBQ_ASSIGN(info.class_names, read_names(folder, v));
  std::vector<std::uint8_t> pixels;
  for (const char* file : spec.split == Split::kTrain ? v.train_files : v.test_files)
    NBQ_TRY(append_batch(folder / file, v, info, pixels));
  return make_fitted_source(spec, std::move(info), std::move(pixels));
}

}  // namespace nbq
