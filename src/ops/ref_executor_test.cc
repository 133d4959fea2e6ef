#include "ops/ref_executor.h"

#include <gtest/gtest.h>

#include "ops/ref_op.h"
#include "random_graph.h"

namespace nbq {
namespace {

TEST(RefExecutor, ImagesDoNotInfluenceEachOther) {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    testing::RandomGraph random(seed);
    const Graph g = random.make_integer(random.uniform(1, 5), 8);
    const RefExecutor ref = RefExecutor::create(g).value();
    const auto pixels = random.pixels(g, 5);
    const auto all = ref.run(pixels, 5).value();
    const std::size_t bytes = pixels.size() / 5, per = all.size() / 5;
    for (std::size_t i = 0; i < 5; ++i) {
      const auto one = ref.run(std::span(pixels).subspan(i * bytes, bytes), 1).value();
      EXPECT_TRUE(
          std::equal(one.begin(), one.end(), all.begin() + static_cast<std::ptrdiff_t>(i * per)))
          << "seed " << seed;
    }
  }
}

TEST(RefExecutor, RefusesWrongByteCountsAndFloatGraphs) {
  testing::RandomGraph random(2);
  const Graph g = random.make_integer(3, 8);
  const RefExecutor ref = RefExecutor::create(g).value();
  const auto pixels = random.pixels(g, 2);
  EXPECT_FALSE(ref.run(pixels, 1).ok());
  EXPECT_FALSE(ref.run({}, 0).ok());
  EXPECT_FALSE(RefExecutor::create(random.make_float()).ok());
}

TEST(TapColumns, EqualsCountingOneByOne) {
  for (int stride = 1; stride <= 3; ++stride)
    for (int pad = 0; pad <= 3; ++pad)
      for (int dilation = 1; dilation <= 2; ++dilation)
        for (int kx = 0; kx < 4; ++kx)
          for (int in = 1; in < 9; ++in)
            for (int out = 1; out < 9; ++out) {
              Window w;
              w.stride_w = stride;
              w.pad_left = pad;
              w.dilation_w = dilation;
              const ColumnRange r = tap_columns(w, kx, in, out);
              for (int ox = 0; ox < out; ++ox) {
                const int ix = ox * stride + kx * dilation - pad;
                ASSERT_EQ(ox >= r.first && ox < r.last, ix >= 0 && ix < in);
              }
            }
}

}  // namespace
}  // namespace nbq
