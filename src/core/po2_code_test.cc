#include "core/po2_code.h"

#include <gtest/gtest.h>

#include <random>

namespace nbq {
namespace {

TEST(Po2Code, LevelsOfEveryWidth) {
  EXPECT_EQ(Po2Format{1}.max_level(), 1);
  EXPECT_EQ(Po2Format{2}.max_level(), 1);
  EXPECT_EQ(Po2Format{3}.max_level(), 4);
  EXPECT_EQ(Po2Format{4}.max_level(), 64);
  EXPECT_EQ(Po2Format{5}.max_level(), 16384);
}

TEST(Po2Code, ShiftMulEqualsMultiplicationForAllCodesAndActivations) {
  for (int bits = kMinWeightBits; bits <= kMaxWeightBits; ++bits) {
    const Po2Format f{bits};
    for (int raw = 0; raw < (1 << bits); ++raw) {
      const Po2Code c{static_cast<std::uint8_t>(raw)};
      if (!c.is_valid(f)) continue;
      for (std::int32_t x = -32768; x <= 65535; x += bits < 5 ? 1 : 7)
        ASSERT_EQ(shift_mul(f, x, c), std::int64_t{x} * c.value(f))
            << bits << " bits, code " << raw;
    }
  }
}

TEST(Po2Code, OnlyMinusZeroAndForeignBitsAreIllegal) {
  for (int bits = kMinWeightBits; bits <= kMaxWeightBits; ++bits) {
    int valid = 0;
    for (int raw = 0; raw < 256; ++raw)
      valid += Po2Code{static_cast<std::uint8_t>(raw)}.is_valid(Po2Format{bits});
    EXPECT_EQ(valid, bits == 1 ? 2 : (1 << bits) - 1) << bits;
  }
}

TEST(Po2Code, PackingRoundTripsAndIsLittleEndian) {
  std::mt19937 rng(7);
  for (int bits = kMinWeightBits; bits <= kMaxWeightBits; ++bits)
    for (std::size_t n : {0u, 1u, 2u, 3u, 7u, 8u, 9u, 1000u}) {
      const Po2Format f{bits};
      std::vector<Po2Code> codes;
      while (codes.size() < n) {
        const Po2Code c{static_cast<std::uint8_t>(rng() % (1u << bits))};
        if (c.is_valid(f)) codes.push_back(c);
      }
      const auto bytes = pack_codes(f, codes);
      ASSERT_EQ(bytes.size(), packed_bytes(n, bits));
      const auto back = unpack_codes(f, bytes, n);
      ASSERT_TRUE(back.ok());
      EXPECT_EQ(*back, codes);
    }
  const Po2Code a{1}, b{2}, c{7};
  EXPECT_EQ(pack_codes({3}, std::vector{a, b, c}), (std::vector<std::uint8_t>{0b11010001, 0b1}));
}

TEST(Po2Code, UnpackRefusesDamage) {
  const auto minus_zero = unpack_codes({3}, std::vector<std::uint8_t>{0b100}, 1);
  ASSERT_FALSE(minus_zero.ok());
  EXPECT_NE(minus_zero.error().message.find("weight 0 is a minus zero"), std::string::npos);
  EXPECT_FALSE(unpack_codes({3}, std::vector<std::uint8_t>{0b1001}, 1).ok());  // a bit past the end
  EXPECT_FALSE(unpack_codes({3}, std::vector<std::uint8_t>{0, 0}, 1).ok());
  EXPECT_FALSE(unpack_codes({3}, std::vector<std::uint8_t>{}, 1).ok());
}

}  // namespace
}  // namespace nbq
