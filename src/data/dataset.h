#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "data/image.h"

namespace nbq {

enum class Split { kTrain, kTest };

/// Size of every image of a dataset; bytes are laid out C x H x W.
struct ImageShape {
  int channels = 0;  ///< 1 (gray) or 3 (red, green, blue)
  int height = 0;
  int width = 0;
  bool operator==(const ImageShape&) const = default;
  std::size_t bytes() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
};

/// All of a dataset but its pixels.
struct DatasetInfo {
  std::vector<std::string> class_names;
  ImageShape shape;
  std::vector<int> labels;  ///< [N], each in [0, class_names.size())
};

/// Labelled 8-bit images of one shape: what training, evaluation and calibration read. Immutable,
/// so every member may be called from several threads at once.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  ImageSource(const ImageSource&) = delete;
  ImageSource& operator=(const ImageSource&) = delete;

  std::size_t size() const { return info_.labels.size(); }
  int label(std::size_t i) const { return info_.labels[i]; }
  const std::vector<int>& labels() const { return info_.labels; }
  const std::vector<std::string>& class_names() const { return info_.class_names; }
  const ImageShape& shape() const { return info_.shape; }
  int channels() const { return info_.shape.channels; }
  int height() const { return info_.shape.height; }
  int width() const { return info_.shape.width; }

  /// Tells one dataset from another: FNV-1a over class names, shape, labels and pixels; for images
  /// decoded on demand, over their names and file sizes in place of the pixels.
  std::uint64_t fingerprint() const { return fingerprint_; }

  /// Copies image i, C x H x W, into chw_out (shape().bytes() long).
  /// Errors kBadFile: a file decoded on demand is damaged or gone (named).
  virtual Status load(std::size_t i, std::span<std::uint8_t> chw_out) const = 0;

  /// As load(), but with the part that `choose` picks from a picture of `height` x `width` pixels,
  /// scaled to shape(). The picture is the whole one of the file where it is decoded on demand
  /// (DatasetSpec::whole_pictures), else what load() gives.
  using ChoosePart = std::function<ImagePart(int height, int width)>;
  virtual Status load_part(std::size_t i, const ChoosePart& choose,
                           std::span<std::uint8_t> chw_out) const;

 protected:
  ImageSource(DatasetInfo info, std::uint64_t contents_hash);

 private:
  DatasetInfo info_;
  std::uint64_t fingerprint_;
};

using ImageSourcePtr = std::shared_ptr<const ImageSource>;

/// Where to find a dataset and in which form to hand it out.
struct DatasetSpec {
  /// "digits" is the embedded one; else a folder in one of these forms:
  ///  - CIFAR-10 binary (data_batch_1..5.bin, test_batch.bin) or CIFAR-100 binary (train.bin,
  ///    test.bin; fine labels), or the parent of cifar-10-batches-bin/ or cifar-100-binary/;
  ///  - train/ and test/ (or val/), each holding one folder a class. The classes are those of
  ///    train/, so both splits number them alike;
  ///  - one folder a class, then used for whichever split is asked.
  /// Classes are sorted by name, images by their path inside the class folder (which may nest).
  /// Files count by extension (.jpg .jpeg .png, any case); names that begin with a dot don't.
  std::string path;
  Split split = Split::kTrain;
  /// 0: as in the data; for folders, as the first image (of train/ where there is one). Images of
  /// other sizes or channels are fitted by to_channels() and resize_to().
  int channels = 0;  ///< 0, 1 or 3
  int height = 0;    ///< 0 to 4096
  int width = 0;     ///< 0 to 4096
  /// The shorter side of the picture before the centre of height x width is cropped; 0: the largest
  /// centre. At least as large as height and width, which must be given then.
  int resize = 0;
  /// load_part() reads the files' whole pictures: a folder is then decoded on demand.
  bool whole_pictures = false;
  /// A folder whose decoded images fit into this is decoded whole at opening, which also finds
  /// every broken file; a larger one is decoded on demand.
  std::size_t cache_bytes = std::size_t{2} << 30;
  int threads = 0;  ///< that decode at opening; 0: one a core
};

/// Errors kInvalidArgument: the shape asked for. kBadFile (names the file or folder): absent, of no
/// known form, no images, fewer than two classes, a class folder without images, a test class
/// that train/ lacks, a damaged image, a CIFAR batch with a wrong size or label.
Result<ImageSourcePtr> open_dataset(const DatasetSpec& spec);

/// A source over pixels in memory, N x C x H x W.
/// Errors kInvalidArgument: sizes disagree, a label without a class name (names the image).
Result<ImageSourcePtr> make_memory_source(DatasetInfo info, std::vector<std::uint8_t> pixels);

/// Writes every image as path/<class>/<index>.png, which open_dataset() reads back.
/// Errors kInvalidArgument: a class name that can't name a folder; kIo: writing failed.
Status write_class_folders(const ImageSource& source, const std::filesystem::path& path);

}  // namespace nbq
