#include "quant/quantizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace nbq {
namespace {

std::vector<float> random_weights(std::uint32_t seed, std::size_t n, float deviation) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> d(0, deviation);
  std::vector<float> w(n);
  for (float& v : w) v = d(rng);
  return w;
}

/// Every row keeps these, whatever its rule.
class EveryQuantizer : public ::testing::TestWithParam<std::size_t> {
 protected:
  const Quantizer& q() const { return quantizers()[GetParam()]; }
  static bool defined(const Quantizer& q, int bits) { return q.name != "authors" || bits == 3; }
};

TEST_P(EveryQuantizer, CodesAreValidMonotoneAndOdd) {
  for (int bits = kMinWeightBits; bits <= kMaxWeightBits; ++bits) {
    if (!defined(q(), bits)) continue;
    const Po2Format f{bits};
    for (const float deviation : {1e-6f, 0.05f, 0.5f, 40.0f}) {
      std::vector<float> w = random_weights(static_cast<std::uint32_t>(bits), 400, deviation);
      std::sort(w.begin(), w.end());
      std::vector<float> minus(w.rbegin(), w.rend());
      for (float& v : minus) v = -v;
      const WeightView view{w, 1}, mirrored{minus, 1};
      const auto exps = q().fit(f, ScaleGranularity::kPerChannel, view);
      ASSERT_TRUE(exps.ok());
      std::vector<Po2Code> a(w.size()), b(w.size());
      q().encode(f, view, *exps, a);
      q().encode(f, mirrored, *exps, b);
      for (std::size_t i = 0; i < w.size(); ++i) {
        ASSERT_TRUE(a[i].is_valid(f));
        ASSERT_EQ(a[i].value(f), -b[w.size() - 1 - i].value(f));
        if (i > 0) {
          ASSERT_LE(a[i - 1].value(f), a[i].value(f));
        }
      }
    }
  }
}

TEST_P(EveryQuantizer, RefusesNanAndInfinityByIndex) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const std::vector<float> w{0.1f, bad, 0.2f};
    const auto r = q().fit({3}, ScaleGranularity::kPerLayer, {w, 1});
    ASSERT_FALSE(r.ok());
    EXPECT_NE(r.error().message.find("weight 1 is"), std::string::npos);
  }
}

TEST_P(EveryQuantizer, AllZeroWeightsStayZero) {
  const std::vector<float> w(8, 0.0f);
  std::vector<Po2Code> codes(8, Po2Code{1});
  const auto exps = q().fit({3}, ScaleGranularity::kPerChannel, {w, 2});
  ASSERT_TRUE(exps.ok());
  q().encode({3}, {w, 2}, *exps, codes);
  for (const Po2Code c : codes) EXPECT_EQ(c.value({3}), 0);
}

INSTANTIATE_TEST_SUITE_P(Rows, EveryQuantizer,
                         ::testing::Range<std::size_t>(0, quantizers().size()),
                         [](const auto& param) {
                           return std::string(quantizers()[param.param].name);
                         });

TEST(Nearest, EqualsBruteForceWithTiesAwayFromZero) {
  for (int bits = 2; bits <= kMaxWeightBits; ++bits) {
    const Po2Format f{bits};
    for (int i = -4000; i <= 4000; ++i) {
      const float w = static_cast<float>(i) / 64.0f;
      for (int s : {-3, 0, 2}) {
        const double scale = std::ldexp(1.0, s);
        int best_k = 0;
        double least = std::fabs(w);
        for (int k = 1; k <= f.max_k(); ++k)
          if (const double d = std::fabs(std::fabs(w) - std::ldexp(1.0, k - 1) * scale);
              d <= least) {
            least = d;
            best_k = k;
          }
        ASSERT_EQ(nearest_code(f, w, s).k(f), best_k) << w << " bits " << bits << " s " << s;
      }
    }
  }
}

TEST(LeastSquares, BeatsOrEqualsNearestInSquaredError) {
  for (int bits = kMinWeightBits; bits <= kMaxWeightBits; ++bits) {
    const Po2Format f{bits};
    const auto w = random_weights(3, 256, 0.1f);
    const auto error = [&](const Quantizer& q) {
      const WeightView v{w, 4};
      const auto exps = q.fit(f, ScaleGranularity::kPerChannel, v).value();
      std::vector<Po2Code> codes(w.size());
      std::vector<float> back(w.size());
      q.encode(f, v, exps, codes);
      decode(f, codes, 4, exps, back);
      double sum = 0;
      for (std::size_t i = 0; i < w.size(); ++i) sum += (w[i] - back[i]) * (w[i] - back[i]);
      return sum;
    };
    EXPECT_LE(error(**find_quantizer("least_squares")), error(**find_quantizer("nearest"))) << bits;
  }
}

TEST(Authors, ThresholdsOfThePaper) {
  const std::vector<float> w{1.0f, 0.019f, 0.021f, -0.069f, 0.071f, 0.139f, -0.141f, 0.0f};
  const auto exps =
      (*find_quantizer("authors"))->fit({3}, ScaleGranularity::kPerLayer, {w, 1}).value();
  std::vector<Po2Code> codes(w.size());
  std::vector<float> values(w.size());
  (*find_quantizer("authors"))->encode({3}, {w, 1}, exps, codes);
  decode({3}, codes, 1, exps, values);
  EXPECT_EQ(values, (std::vector<float>{1, 0, 0.25f, -0.25f, 0.5f, 0.5f, -1, 0}));
  EXPECT_FALSE((*find_quantizer("authors"))->fit({4}, ScaleGranularity::kPerLayer, {w, 1}).ok());
}

TEST(Registry, UnknownNameListsTheRows) {
  const auto r = find_quantizer("leastsquares");
  ASSERT_FALSE(r.ok());
  EXPECT_NE(r.error().message.find("authors, nearest, least_squares"), std::string::npos);
}

}  // namespace
}  // namespace nbq
