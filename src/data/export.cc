#include "data/dataset.h"
#include "data/image.h"

namespace nbq {

Status write_class_folders(const ImageSource& source, const std::filesystem::path& path) {
  for (const std::string& name : source.class_names())
    if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos)
      return make_error(ErrorCode::kInvalidArgument,
                        "class \"{}\" can't name a folder: empty, has a slash or begins with a dot",
                        name);
  Image image{source.channels(), source.height(), source.width(), {}};
  image.pixels.resize(source.shape().bytes());
  for (std::size_t i = 0; i < source.size(); ++i) {
    NBQ_TRY(source.load(i, image.pixels));
    const std::string& name = source.class_names()[static_cast<std::size_t>(source.label(i))];
    NBQ_TRY(write_png(path / name / fmt::format("{:05}.png", i), image));
  }
  return ok_status();
}

}  // namespace nbq
