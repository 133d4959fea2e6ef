#include "data/augment.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace nbq {
namespace {

std::vector<std::uint8_t> run(const Augment& how, std::uint64_t seed, std::uint64_t epoch,
                              std::uint64_t index, int c, int h, int w,
                              const std::vector<std::uint8_t>& in) {
  std::vector<std::uint8_t> out(in.size());
  augment(how, seed, epoch, index, c, h, w, in, out);
  return out;
}

std::vector<std::uint8_t> ramp(std::size_t n) {
  std::vector<std::uint8_t> v(n);
  std::iota(v.begin(), v.end(), std::uint8_t{0});
  return v;
}

TEST(Augment, NothingAskedNothingChanged) {
  const auto in = ramp(3 * 4 * 5);
  EXPECT_EQ(run({}, 1, 2, 3, 3, 4, 5, in), in);
}

TEST(Augment, DependsOnSeedEpochIndexOnly) {
  const auto in = ramp(3 * 8 * 8);
  const Augment how{.pad_crop = 4, .flip = true};
  EXPECT_EQ(run(how, 1, 2, 3, 3, 8, 8, in), run(how, 1, 2, 3, 3, 8, 8, in));
  int seeds = 0, epochs = 0, indices = 0;
  for (std::uint64_t k = 0; k < 50; ++k) {
    const auto base = run(how, k, k, k, 3, 8, 8, in);
    seeds += base != run(how, k + 1, k, k, 3, 8, 8, in);
    epochs += base != run(how, k, k + 1, k, 3, 8, 8, in);
    indices += base != run(how, k, k, k + 1, 3, 8, 8, in);
  }
  EXPECT_GE(seeds, 45);
  EXPECT_GE(epochs, 45);
  EXPECT_GE(indices, 45);
}

TEST(Augment, FlipsHalfAndExactly) {
  const std::vector<std::uint8_t> in = {1, 2, 3, 4, 5, 6};
  const std::vector<std::uint8_t> mirrored = {3, 2, 1, 6, 5, 4};
  int flips = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto out = run({.flip = true}, 9, 0, i, 1, 2, 3, in);
    ASSERT_TRUE(out == in || out == mirrored);
    flips += out == mirrored;
  }
  EXPECT_NEAR(flips, 500, 60);
}

TEST(Augment, CropsEveryPlaceAlikeAndPadsWithRealZero) {
  // Checked against the obvious way: every one of 25 shifts of a padded image.
  const int h = 3, w = 4, pad = 2;
  const std::vector<std::uint8_t> in = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  std::map<std::string, int> seen;
  for (int dy = -pad; dy <= pad; ++dy)
    for (int dx = -pad; dx <= pad; ++dx) {
      std::string out;
      for (int y = dy; y < h + dy; ++y)
        for (int x = dx; x < w + dx; ++x)
          out.push_back(static_cast<char>(y < 0 || y >= h || x < 0 || x >= w
                                              ? kPadPixel
                                              : in[static_cast<std::size_t>(y * w + x)]));
      seen[out] = 0;
    }
  ASSERT_EQ(seen.size(), 25u);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    const auto out = run({.pad_crop = pad}, 5, 1, i, 1, h, w, in);
    const auto it = seen.find(std::string(out.begin(), out.end()));
    ASSERT_NE(it, seen.end()) << "index " << i;
    ++it->second;
  }
  for (const auto& [image, count] : seen) EXPECT_NEAR(count, 200, 80);
}

TEST(Augment, PaddingWiderThanTheImage) {
  const auto in = ramp(2 * 2);
  for (std::uint64_t i = 0; i < 200; ++i) run({.pad_crop = 7, .flip = true}, 0, 0, i, 1, 2, 2, in);
}

TEST(Augment, ChannelsMoveTogether) {
  std::vector<std::uint8_t> in = ramp(16);
  in.insert(in.end(), in.begin(), in.begin() + 16);
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto out = run({.pad_crop = 1, .flip = true}, 3, 3, i, 2, 4, 4, in);
    EXPECT_TRUE(std::equal(out.begin(), out.begin() + 16, out.begin() + 16));
  }
}

TEST(Augment, PartsHaveTheAskedAreaAndRatioAndLieInside) {
  const Augment how{.min_area = 0.25, .max_area = 0.5};
  const int h = 300, w = 400;
  double least = 1, most = 0;
  std::map<bool, int> wide;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const ImagePart p = random_part(how, 1, 2, i, h, w);
    ASSERT_GE(p.top, 0);
    ASSERT_GE(p.left, 0);
    ASSERT_LE(p.top + p.height, h);
    ASSERT_LE(p.left + p.width, w);
    const double area = double{1} * p.height * p.width / (h * w);
    const double ratio = double{1} * p.width / p.height;
    least = std::min(least, area);
    most = std::max(most, area);
    ASSERT_NEAR(area, 0.375, 0.13);
    ASSERT_GT(ratio, 0.74);
    ASSERT_LT(ratio, 1.35);
    ++wide[ratio > 1];
  }
  EXPECT_LT(least, 0.26);
  EXPECT_GT(most, 0.49);
  EXPECT_NEAR(wide[true], 1000, 120);
}

TEST(Augment, PartsDependOnSeedEpochIndexOnly) {
  const Augment how{.min_area = 0.08, .max_area = 1};
  const auto part = [&](std::uint64_t seed, std::uint64_t epoch, std::uint64_t index) {
    const ImagePart p = random_part(how, seed, epoch, index, 200, 300);
    return std::vector<int>{p.top, p.left, p.height, p.width};
  };
  EXPECT_EQ(part(1, 2, 3), part(1, 2, 3));
  EXPECT_NE(part(1, 2, 3), part(2, 2, 3));
  EXPECT_NE(part(1, 2, 3), part(1, 3, 3));
  EXPECT_NE(part(1, 2, 3), part(1, 2, 4));
}

TEST(Augment, PartsOfThinPicturesAreTheirCentre) {
  const ImagePart p = random_part({.min_area = 1, .max_area = 1}, 1, 1, 1, 30, 300);
  EXPECT_EQ((std::vector<int>{p.top, p.left, p.height, p.width}),
            (std::vector<int>{0, 130, 30, 40}));
  const ImagePart dot = random_part({.min_area = 0.1, .max_area = 0.1}, 1, 1, 1, 1, 1);
  EXPECT_EQ(dot.height * dot.width, 1);
}

}  // namespace
}  // namespace nbq
