#include "core/fixed_point.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nbq {
namespace {

TEST(FixedPoint, RoundsHalfUp) {
  for (int r = 1; r <= 8; ++r)
    for (std::int64_t v = -2000; v <= 2000; ++v)
      ASSERT_EQ(rshift_round(v, r),
                static_cast<std::int64_t>(std::floor(static_cast<double>(v) / (1 << r) + 0.5)))
          << v << " >> " << r;
  EXPECT_EQ(rshift_round(-3, 1), -1);  // -1.5 goes up
  EXPECT_EQ(rshift_round(3, 1), 2);
  EXPECT_EQ(rshift_round(-5, -3), -40);
  EXPECT_EQ(rshift_round((std::int64_t{1} << 46), 62), 0);
}

TEST(FixedPoint, RequantizeWithLeftShiftEqualsTheMathematics) {
  for (int r = -15; r <= 3; ++r)
    for (std::int64_t v = -300; v <= 300; ++v) {
      const double exact = r < 0 ? std::ldexp(static_cast<double>(v), -r)
                                 : std::floor(std::ldexp(static_cast<double>(v), -r) + 0.5);
      ASSERT_EQ(requantize(v, r, -128, 127),
                static_cast<std::int64_t>(std::clamp(exact, -128.0, 127.0)));
    }
  EXPECT_EQ(requantize(std::int64_t{1} << 46, -15, 0, 65535), 65535);
}

TEST(FixedPoint, SignedBits) {
  EXPECT_EQ(signed_bits(0), 1);
  EXPECT_EQ(signed_bits(1), 2);
  EXPECT_EQ(signed_bits(127), 8);
  EXPECT_EQ(signed_bits(128), 9);
}

TEST(FixedPoint, ReciprocalsInThreeTerms) {
  for (int n = 1; n <= 4096; ++n) {
    const Po2Reciprocal r = po2_reciprocal(n);
    ASSERT_LE(r.terms.size(), 3u);
    ASSERT_LT(r.magnitude(), 1 << 17);
    double sum = 0;
    for (const auto& t : r.terms) sum += std::ldexp(t.negative ? -1.0 : 1.0, t.shift - r.frac_bits);
    ASSERT_EQ(r.value(), sum);
    ASSERT_NEAR(sum * n, 1.0, 1.0 / 27) << n;
    ASSERT_NEAR(std::fabs(sum * n - 1), r.relative_error, 1e-9);
    if ((n & (n - 1)) == 0) {
      ASSERT_EQ(r.terms.size(), 1u);
      ASSERT_EQ(r.relative_error, 0);
    }
  }
  EXPECT_LT(po2_reciprocal(49).relative_error, 0.005);
}

}  // namespace
}  // namespace nbq
