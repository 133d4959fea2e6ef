// Folders of image files: one folder a class, perhaps under train/ and test/ (or val/).
#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>

#include "core/file.h"
#include "core/log.h"
#include "data/formats.h"

namespace nbq {
namespace {
namespace fs = std::filesystem;

bool hidden(const fs::path& path) { return path.filename().native().front() == '.'; }

bool has_image_extension(const fs::path& path) {
  std::string ext = path.extension().string();
  for (char& c : ext)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return ext == ".jpg" || ext == ".jpeg" || ext == ".png";
}

/// What a folder directly holds, by sorted name, without names that begin with a dot.
struct Listing {
  std::vector<fs::path> folders;
  std::vector<fs::path> images;
};

Result<Listing> list_folder(const fs::path& folder) {
  Listing out;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    std::error_code broken_link;
    if (hidden(it->path())) continue;
    if (it->is_directory(broken_link))
      out.folders.push_back(it->path());
    else if (has_image_extension(it->path()))
      out.images.push_back(it->path());
  }
  if (ec)
    return make_error(ErrorCode::kIo, "{}: can't be listed: {}", folder.string(), ec.message());
  std::sort(out.folders.begin(), out.folders.end());
  std::sort(out.images.begin(), out.images.end());
  return out;
}

/// All images below a class folder, sorted by path. Nested links to folders are not followed.
Status collect_images(const fs::path& folder, std::vector<fs::path>& out) {
  NBQ_ASSIGN(Listing listing, list_folder(folder));
  out.insert(out.end(), listing.images.begin(), listing.images.end());
  for (const fs::path& child : listing.folders) {
    std::error_code ec;
    if (!fs::is_symlink(child, ec)) NBQ_TRY(collect_images(child, out));
  }
  return ok_status();
}

/// The folders to read: of the split asked for, and the one that names the classes.
struct Layout {
  fs::path images;
  fs::path classes;
};

Result<Layout> find_layout(const DatasetSpec& spec) {
  const fs::path root = spec.path;
  NBQ_ASSIGN(const Listing listing, list_folder(root));
  fs::path train, test, val;
  bool others = false;
  for (const fs::path& folder : listing.folders) {
    const std::string name = folder.filename().string();
    fs::path* const slot = name == "train"  ? &train
                           : name == "test" ? &test
                           : name == "val"  ? &val
                                            : nullptr;
    if (slot)
      *slot = folder;
    else
      others = true;
  }
  if (test.empty()) test = val;
  // A class may be called "train" too: then it has neighbours of other names.
  const bool split = others ? !train.empty() && !test.empty() : !(train.empty() && test.empty());
  if (!split) return Layout{root, root};
  const fs::path& images = spec.split == Split::kTrain ? train : test;
  if (images.empty())
    return make_error(ErrorCode::kBadFile, "{}: has no {} folder; add one folder a class under it",
                      spec.path, spec.split == Split::kTrain ? "train/" : "test/ or val/");
  return Layout{images, train.empty() ? test : train};
}

struct ClassFolder {
  std::string name;
  std::vector<fs::path> images;  ///< sorted
};

Error no_images(const fs::path& folder) {
  return make_error(ErrorCode::kBadFile,
                    "{}: no images (.jpg, .jpeg, .png) in class folders; put each class's images "
                    "into a folder of its own",
                    folder.string());
}

/// The class folders of `root` by name; needs two, each with an image.
Result<std::vector<ClassFolder>> list_classes(const fs::path& root) {
  NBQ_ASSIGN(const Listing listing, list_folder(root));
  std::vector<ClassFolder> classes;
  std::string empty;
  for (const fs::path& folder : listing.folders) {
    ClassFolder c{folder.filename().string(), {}};
    NBQ_TRY(collect_images(folder, c.images));
    if (c.images.empty()) {
      if (empty.empty()) empty = folder.string();
      continue;
    }
    std::sort(c.images.begin(), c.images.end());
    classes.push_back(std::move(c));
  }
  if (classes.empty() && !listing.images.empty())
    return make_error(
        ErrorCode::kBadFile,
        "{}: has images but no class folders; put each class's images into a folder of "
        "its own",
        root.string());
  if (classes.empty()) return no_images(root);
  if (classes.size() == 1)
    return make_error(ErrorCode::kBadFile,
                      "{}: only one class, \"{}\", has images; training needs two or more",
                      root.string(), classes[0].name);
  if (!empty.empty())
    return make_error(ErrorCode::kBadFile,
                      "{}: this class folder has no images (.jpg, .jpeg, .png); add some or remove "
                      "it",
                      empty);
  return classes;
}

/// One image file and its class.
struct Listed {
  std::vector<fs::path> files;
  DatasetInfo info;
};

void append_class(Listed& out, const ClassFolder& c, int label) {
  out.files.insert(out.files.end(), c.images.begin(), c.images.end());
  out.info.labels.insert(out.info.labels.end(), c.images.size(), label);
}

/// The test images under the class numbers of train/; a class may lack test images.
Status append_test_classes(Listed& out, const fs::path& root) {
  NBQ_ASSIGN(const Listing listing, list_folder(root));
  const auto& names = out.info.class_names;
  for (const fs::path& folder : listing.folders) {
    ClassFolder c{folder.filename().string(), {}};
    NBQ_TRY(collect_images(folder, c.images));
    if (c.images.empty()) continue;
    const auto found = std::find(names.begin(), names.end(), c.name);
    if (found == names.end())
      return make_error(ErrorCode::kBadFile,
                        "{}: a class that the training images lack; add it to train/ or remove it",
                        folder.string());
    std::sort(c.images.begin(), c.images.end());
    append_class(out, c, static_cast<int>(found - names.begin()));
  }
  if (out.files.empty()) return no_images(root);
  return ok_status();
}

Result<Listed> list_images(const DatasetSpec& spec) {
  NBQ_ASSIGN(const Layout layout, find_layout(spec));
  NBQ_ASSIGN(const std::vector<ClassFolder> classes, list_classes(layout.classes));
  Listed out;
  for (const ClassFolder& c : classes) out.info.class_names.push_back(c.name);
  if (layout.images == layout.classes)
    for (std::size_t i = 0; i < classes.size(); ++i)
      append_class(out, classes[i], static_cast<int>(i));
  else
    NBQ_TRY(append_test_classes(out, layout.images));
  if (spec.channels && spec.height && spec.width) {
    out.info.shape = requested_shape(spec, {});
    return out;
  }
  NBQ_ASSIGN(const Image first, decode_image(classes[0].images[0]));
  out.info.shape = requested_shape(spec, {first.channels, first.height, first.width});
  return out;
}

Status load_file(const fs::path& file, const ImageShape& shape, int resize,
                 std::span<std::uint8_t> chw_out) {
  NBQ_ASSIGN(Image image, decode_image(file));
  image = fit_image(std::move(image), shape, resize);
  std::copy(image.pixels.begin(), image.pixels.end(), chw_out.begin());
  return ok_status();
}

class FolderSource final : public ImageSource {
 public:
  FolderSource(DatasetInfo info, std::vector<fs::path> files, std::uint64_t files_hash, int resize)
      : ImageSource(std::move(info), files_hash), files_(std::move(files)), resize_(resize) {}

  Status load(std::size_t i, std::span<std::uint8_t> chw_out) const override {
    NBQ_CHECK(i < size() && chw_out.size() == shape().bytes());
    return load_file(files_[i], shape(), resize_, chw_out);
  }

  Status load_part(std::size_t i, const ChoosePart& choose,
                   std::span<std::uint8_t> chw_out) const override {
    NBQ_CHECK(i < size() && chw_out.size() == shape().bytes());
    NBQ_ASSIGN(Image image, decode_image(files_[i]));
    image = fit_part(std::move(image), choose, shape());
    std::copy(image.pixels.begin(), image.pixels.end(), chw_out.begin());
    return ok_status();
  }

 private:
  const std::vector<fs::path> files_;
  const int resize_;
};

std::uint64_t hash_files(const std::vector<fs::path>& files, const fs::path& root) {
  std::uint64_t h = fnv1a("folder");
  for (const fs::path& file : files) {
    std::error_code ec;
    const std::uintmax_t bytes = fs::file_size(file, ec);
    h = fnv1a(fmt::format("{}:{};", file.lexically_relative(root).string(), ec ? 0 : bytes), h);
  }
  return h;
}

/// Decodes all files into pixels, N x C x H x W. Of several broken files, names the first one
/// whatever the number of threads.
Status decode_all(const Listed& listed, int resize, int threads,
                  std::vector<std::uint8_t>& pixels) {
  const std::size_t bytes = listed.info.shape.bytes();
  std::atomic<std::size_t> next{0}, first_bad{std::numeric_limits<std::size_t>::max()};
  std::mutex mutex;
  Status status = ok_status();
  const auto work = [&] {
    for (std::size_t i; (i = next.fetch_add(1)) < listed.files.size() && i < first_bad;) {
      Status s = ok_status();
      try {
        s = load_file(listed.files[i], listed.info.shape, resize,
                      std::span(&pixels[i * bytes], bytes));
      } catch (const std::exception& e) {
        s = make_error(ErrorCode::kIo, "{}: {}", listed.files[i].string(), e.what());
      }
      if (s.ok()) continue;
      const std::lock_guard lock(mutex);
      if (i >= first_bad) continue;
      first_bad = i;
      status = s;
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int t = 1; t < threads; ++t) workers.emplace_back(work);
    work();
  }
  return status;
}

}  // namespace

Result<ImageSourcePtr> open_folder(const DatasetSpec& spec) {
  NBQ_ASSIGN(Listed listed, list_images(spec));
  const std::size_t image_bytes = listed.info.shape.bytes();
  const bool fits = listed.files.size() <= spec.cache_bytes / image_bytes;
  if (!fits || spec.whole_pictures) {
    log_info("{}: {} images of {} bytes are decoded on demand ({})", spec.path, listed.files.size(),
             image_bytes,
             fits ? "parts of whole pictures are asked for"
                  : fmt::format("over {} MiB", spec.cache_bytes >> 20));
    std::uint64_t hash = hash_files(listed.files, spec.path);
    if (spec.resize > 0) hash = fnv1a(fmt::format("resize {}", spec.resize), hash);
    return ImageSourcePtr(std::make_shared<FolderSource>(
        std::move(listed.info), std::move(listed.files), hash, spec.resize));
  }
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::vector<std::uint8_t> pixels(listed.files.size() * image_bytes);
  NBQ_TRY(decode_all(listed, spec.resize, spec.threads > 0 ? spec.threads : cores, pixels));
  return make_memory_source(std::move(listed.info), std::move(pixels));
}

}  // namespace nbq
