// Damaged pictures: an error or an image of consistent size, never a crash. Run under sanitizers
// in CI.
#include "data/random.h"
#include "data/test_images.h"

namespace nbq {
namespace {
using namespace test;  // NOLINT

void expect_sound(std::span<const std::uint8_t> bytes) {
  const auto image = decode_image(bytes, "fuzz");
  if (!image.ok()) {
    EXPECT_FALSE(image.error().message.empty());
    return;
  }
  EXPECT_EQ(image->pixels.size(),
            static_cast<std::size_t>(image->channels * image->height * image->width));
}

class ImageFuzz : public ::testing::TestWithParam<int> {
 protected:
  std::vector<std::uint8_t> whole() const {
    const Image image = sample_image(GetParam() == 1 ? 1 : 3, 20, 28);
    switch (GetParam()) {
      case 0:
        return encode_png(image);
      case 1:
        return encode_jpeg(image);
      case 2:
        return encode_jpeg(image, TJSAMP_420);
      default:
        return encode_jpeg(image, TJSAMP_444, TJFLAG_PROGRESSIVE);
    }
  }
};

TEST_P(ImageFuzz, BitFlips) {
  const auto bytes = whole();
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    auto hit = bytes;
    const std::uint64_t flips = 1 + seed % 4;
    for (std::uint64_t i = 0; i < flips; ++i) {
      const std::uint64_t r = random_bits(seed, 0, 0, i);
      hit[scale_to(r, hit.size())] ^= static_cast<std::uint8_t>(1u << (r & 7));
    }
    expect_sound(hit);
  }
}

TEST_P(ImageFuzz, TruncatedWithRubbishBehind) {
  const auto bytes = whole();
  for (std::size_t n = 3; n < bytes.size(); n += 7) {
    SCOPED_TRACE(::testing::Message() << "cut at " << n);
    std::vector<std::uint8_t> hit(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    for (std::uint64_t i = 0; i < 40; ++i)
      hit.push_back(static_cast<std::uint8_t>(random_bits(n, 1, 0, i)));
    expect_sound(hit);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, ImageFuzz, ::testing::Range(0, 4));

}  // namespace
}  // namespace nbq
