#include "data/dataset.h"

#include <algorithm>
#include <array>

#include "core/file.h"
#include "data/formats.h"

namespace nbq {
namespace {

constexpr int kMaxSide = 4096;

template <class T>
std::span<const std::uint8_t> bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

class MemorySource final : public ImageSource {
 public:
  MemorySource(DatasetInfo info, std::vector<std::uint8_t> pixels)
      : ImageSource(std::move(info), fnv1a(pixels)), pixels_(std::move(pixels)) {}

  Status load(std::size_t i, std::span<std::uint8_t> chw_out) const override {
    NBQ_CHECK(i < size() && chw_out.size() == shape().bytes());
    std::copy_n(pixels_.begin() + static_cast<std::ptrdiff_t>(i * chw_out.size()), chw_out.size(),
                chw_out.begin());
    return ok_status();
  }

 private:
  const std::vector<std::uint8_t> pixels_;  ///< N x C x H x W
};

bool valid_side(int side) { return side >= 0 && side <= kMaxSide; }

}  // namespace

ImageSource::ImageSource(DatasetInfo info, std::uint64_t contents_hash) : info_(std::move(info)) {
  std::uint64_t h = contents_hash;
  for (const std::string& name : info_.class_names) {
    h = fnv1a(name, h);
    h = fnv1a(std::string_view("\0", 1), h);
  }
  const std::array<int, 3> shape = {channels(), height(), width()};
  h = fnv1a(bytes_of(std::span<const int>(shape)), h);
  fingerprint_ = fnv1a(bytes_of(std::span<const int>(info_.labels)), h);
}

Result<ImageSourcePtr> make_memory_source(DatasetInfo info, std::vector<std::uint8_t> pixels) {
  const ImageShape& s = info.shape;
  if ((s.channels != 1 && s.channels != 3) || s.height < 1 || s.width < 1)
    return make_error(ErrorCode::kInvalidArgument,
                      "dataset shape {} x {} x {}: needs 1 or 3 channels and positive sides",
                      s.channels, s.height, s.width);
  if (pixels.size() != info.labels.size() * s.bytes())
    return make_error(ErrorCode::kInvalidArgument,
                      "dataset of {} labels and {} x {} x {} images has {} pixel bytes, not {}",
                      info.labels.size(), s.channels, s.height, s.width, pixels.size(),
                      info.labels.size() * s.bytes());
  const int classes = static_cast<int>(info.class_names.size());
  for (std::size_t i = 0; i < info.labels.size(); ++i)
    if (info.labels[i] < 0 || info.labels[i] >= classes)
      return make_error(ErrorCode::kInvalidArgument, "image {}: label {} is outside 0..{}", i,
                        info.labels[i], classes - 1);
  return ImageSourcePtr(std::make_shared<MemorySource>(std::move(info), std::move(pixels)));
}

Result<ImageSourcePtr> open_dataset(const DatasetSpec& spec) {
  if (spec.channels != 0 && spec.channels != 1 && spec.channels != 3)
    return make_error(ErrorCode::kInvalidArgument,
                      "{} channels asked for: an image has 1 (gray) or 3 (RGB); 0 takes the data's",
                      spec.channels);
  if (!valid_side(spec.height) || !valid_side(spec.width))
    return make_error(ErrorCode::kInvalidArgument,
                      "image size {} x {} asked for: each side is 1 to {}; 0 takes the data's",
                      spec.height, spec.width, kMaxSide);
  if (spec.resize < 0 || spec.resize > kMaxSide ||
      (spec.resize > 0 &&
       (spec.height == 0 || spec.width == 0 || spec.resize < std::max(spec.height, spec.width))))
    return make_error(ErrorCode::kInvalidArgument,
                      "resize {}: the shorter side before the crop of {} x {} is at least as large "
                      "as both, up to {}",
                      spec.resize, spec.height, spec.width, kMaxSide);
  if (spec.path == "digits") return open_digits(spec);
  std::error_code ec;
  if (!std::filesystem::exists(spec.path, ec))
    return make_error(
        ErrorCode::kBadFile,
        "{}: no such folder; give a folder with one folder a class, a folder of CIFAR "
        "binaries, or \"digits\"",
        spec.path);
  if (!std::filesystem::is_directory(spec.path, ec))
    return make_error(ErrorCode::kBadFile, "{}: is a file; a dataset is a folder, or \"digits\"",
                      spec.path);
  if (const auto cifar = find_cifar(spec.path); !cifar.empty()) return open_cifar(cifar, spec);
  return open_folder(spec);
}

ImageShape requested_shape(const DatasetSpec& spec, const ImageShape& natural) {
  return {spec.channels ? spec.channels : natural.channels,
          spec.height ? spec.height : natural.height, spec.width ? spec.width : natural.width};
}

Image fit_part(Image image, const ImageSource::ChoosePart& choose, const ImageShape& shape) {
  // Fewer channels first, more channels last: the resizing has less to do.
  if (shape.channels < image.channels) image = to_channels(std::move(image), shape.channels);
  const ImagePart part = choose(image.height, image.width);
  image = resize_part(std::move(image), part, shape.height, shape.width);
  return to_channels(std::move(image), shape.channels);
}

Image fit_image(Image image, const ImageShape& shape, int resize) {
  return fit_part(
      std::move(image),
      [&](int h, int w) { return centre_part(h, w, shape.height, shape.width, resize); }, shape);
}

Status ImageSource::load_part(std::size_t i, const ChoosePart& choose,
                              std::span<std::uint8_t> chw_out) const {
  Image image{channels(), height(), width(), std::vector<std::uint8_t>(shape().bytes())};
  NBQ_TRY(load(i, image.pixels));
  image = fit_part(std::move(image), choose, shape());
  std::copy(image.pixels.begin(), image.pixels.end(), chw_out.begin());
  return ok_status();
}

Result<ImageSourcePtr> make_fitted_source(const DatasetSpec& spec, DatasetInfo info,
                                          std::vector<std::uint8_t> pixels) {
  const ImageShape from = info.shape;
  const ImageShape to = requested_shape(spec, from);
  if (from == to && spec.resize == 0) return make_memory_source(std::move(info), std::move(pixels));
  const std::size_t count = info.labels.size();
  NBQ_CHECK(pixels.size() == count * from.bytes());
  std::vector<std::uint8_t> fitted;
  fitted.reserve(count * to.bytes());
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = pixels.begin() + static_cast<std::ptrdiff_t>(i * from.bytes());
    Image image{from.channels,
                from.height,
                from.width,
                {begin, begin + static_cast<std::ptrdiff_t>(from.bytes())}};
    image = fit_image(std::move(image), to, spec.resize);
    fitted.insert(fitted.end(), image.pixels.begin(), image.pixels.end());
  }
  info.shape = to;
  return make_memory_source(std::move(info), std::move(fitted));
}

}  // namespace nbq
