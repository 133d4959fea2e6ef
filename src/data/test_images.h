#pragma once
// Only for the tests of this folder: files to read.
#include <gtest/gtest.h>
#include <turbojpeg.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/file.h"
#include "data/image.h"
#include "temp_folder.h"

namespace nbq::test {
namespace fs = std::filesystem;

using testing::TempFolder;

/// Smooth, with every channel different; `salt` makes another picture.
inline Image sample_image(int channels, int height, int width, int salt = 0) {
  Image image{channels, height, width, {}};
  for (int c = 0; c < channels; ++c)
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        image.pixels.push_back(static_cast<std::uint8_t>(40 * c + 3 * y + 2 * x + 5 * salt));
  return image;
}

/// A JPEG of quality 95; TJSAMP_444 for colour unless told.
inline std::vector<std::uint8_t> encode_jpeg(const Image& image, int sampling = TJSAMP_444,
                                             int flags = 0) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t plane = image.pixels.size() / channels;
  std::vector<std::uint8_t> hwc(image.pixels.size());
  for (std::size_t i = 0; i < plane; ++i)
    for (std::size_t c = 0; c < channels; ++c) hwc[i * channels + c] = image.pixels[c * plane + i];
  unsigned char* out = nullptr;
  unsigned long size = 0;
  tjhandle handle = tjInitCompress();
  const int format = channels == 1 ? TJPF_GRAY : channels == 4 ? TJPF_CMYK : TJPF_RGB;
  EXPECT_EQ(0, tjCompress2(handle, hwc.data(), image.width, 0, image.height, format, &out, &size,
                           channels == 1 ? TJSAMP_GRAY : sampling, 95, flags))
      << tjGetErrorStr2(handle);
  std::vector<std::uint8_t> bytes(out, out + size);
  tjFree(out);
  tjDestroy(handle);
  return bytes;
}

inline void write_jpeg(const fs::path& path, const Image& image) {
  EXPECT_TRUE(write_file(path, encode_jpeg(image)).ok());
}

/// The bytes of a PNG of the image.
inline std::vector<std::uint8_t> encode_png(const Image& image) {
  const TempFolder folder;
  EXPECT_TRUE(write_png(folder / "a.png", image).ok());
  auto bytes = read_file(folder / "a.png");
  EXPECT_TRUE(bytes.ok());
  return bytes.ok() ? *bytes : std::vector<std::uint8_t>{};
}

inline int max_difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.pixels.size(), b.pixels.size());
  int most = 0;
  for (std::size_t i = 0; i < std::min(a.pixels.size(), b.pixels.size()); ++i)
    most = std::max(most, std::abs(a.pixels[i] - b.pixels[i]));
  return most;
}

}  // namespace nbq::test
