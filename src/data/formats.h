#pragma once
// Inside of open_dataset() only: one function a form of dataset. The spec has been checked.
#include <filesystem>

#include "data/dataset.h"
#include "data/image.h"

namespace nbq {

Result<ImageSourcePtr> open_digits(const DatasetSpec& spec);

/// Empty if `path` holds no CIFAR binaries, else the folder that does: path or one child of it.
std::filesystem::path find_cifar(const std::filesystem::path& path);
Result<ImageSourcePtr> open_cifar(const std::filesystem::path& folder, const DatasetSpec& spec);

Result<ImageSourcePtr> open_folder(const DatasetSpec& spec);

/// `natural` with what the spec asks for put in.
ImageShape requested_shape(const DatasetSpec& spec, const ImageShape& natural);

/// Brings an image to a shape: channels, then size; resize as DatasetSpec's.
Image fit_image(Image image, const ImageShape& shape, int resize);
/// Brings a part of an image to a shape.
Image fit_part(Image image, const ImageSource::ChoosePart& choose, const ImageShape& shape);

/// make_memory_source() after fitting every image to what the spec asks for.
Result<ImageSourcePtr> make_fitted_source(const DatasetSpec& spec, DatasetInfo info,
                                          std::vector<std::uint8_t> pixels);

}  // namespace nbq
