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

}  // namespace
}  // namespace nbq
