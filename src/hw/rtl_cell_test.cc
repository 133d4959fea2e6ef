// Cells of the RTL against C++ models, through Verilator.
#include "hw/rtl_cell.h"

#include <gtest/gtest.h>

#include <random>

#include "core/fixed_point.h"
#include "core/po2_code.h"

namespace nbq::hw {
namespace {

struct ElementCase {
  int lanes, x_bits, code_bits;
  /// Elements have a product register and one after every second level of the tree.
  std::uint32_t latency() const { return lanes <= 4 ? 2 : 3; }
};

class ShiftElementTest : public testing::TestWithParam<ElementCase> {};

TEST_P(ShiftElementTest, EveryCodeAndActivation) {
  const ElementCase c = GetParam();
  RtlCell cell("nbq_cell_svpe",
               {{"Lanes", c.lanes}, {"XBits", c.x_bits}, {"CodeBits", c.code_bits}});
  NBQ_NEEDS_CELL(cell);
  const Po2Format f{c.code_bits};
  const std::int32_t low = -(1 << (c.x_bits - 1)), high = -low - 1;
  const std::int32_t step = c.x_bits <= 9 ? 1 : 509;
  for (int lane = 0; lane < c.lanes; ++lane)
    for (int raw = 0; raw < 1 << c.code_bits; ++raw)
      for (std::int32_t x = low; x <= high; x += step) {
        cell.clear();
        cell.put(lane * c.x_bits, c.x_bits, x);
        cell.put(128 + lane * c.code_bits, c.code_bits, raw);
        const Po2Code code{static_cast<std::uint8_t>(raw)};
        ASSERT_EQ(cell.run(c.latency()), shift_mul(f, x, code))
            << "lane " << lane << " code " << raw << " x " << x;
      }
}

TEST_P(ShiftElementTest, RandomVectors) {
  const ElementCase c = GetParam();
  RtlCell cell("nbq_cell_svpe",
               {{"Lanes", c.lanes}, {"XBits", c.x_bits}, {"CodeBits", c.code_bits}});
  NBQ_NEEDS_CELL(cell);
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 rng(seed);
  for (int round = 0; round < 5000; ++round) {
    cell.clear();
    std::int64_t sum = 0;
    const bool extreme = round % 4 == 0;  // sums at the ends of their range
    for (int lane = 0; lane < c.lanes; ++lane) {
      const int raw =
          extreme ? (1 << c.code_bits) - 1 : static_cast<int>(rng() % (1U << c.code_bits));
      const std::int32_t half = 1 << (c.x_bits - 1);
      const std::int32_t x = extreme ? (round % 8 == 0 ? -half : half - 1)
                                     : static_cast<std::int32_t>(rng() % (2U * half)) - half;
      cell.put(lane * c.x_bits, c.x_bits, x);
      cell.put(128 + lane * c.code_bits, c.code_bits, raw);
      sum += shift_mul(Po2Format{c.code_bits}, x, Po2Code{static_cast<std::uint8_t>(raw)});
    }
    ASSERT_EQ(cell.run(c.latency()), sum) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, ShiftElementTest,
                         testing::Values(ElementCase{2, 9, 2}, ElementCase{8, 9, 3},
                                         ElementCase{4, 9, 4}, ElementCase{4, 17, 5}),
                         [](const auto& p) {
                           return fmt::format("lanes{}_x{}_code{}", p.param.lanes, p.param.x_bits,
                                              p.param.code_bits);
                         });

class MultiplierElementTest : public testing::TestWithParam<int> {};

TEST_P(MultiplierElementTest, RandomVectors) {
  const int lanes = 4, x_bits = 17, w_bits = GetParam();
  RtlCell cell("nbq_cell_vpe", {{"Lanes", lanes}, {"XBits", x_bits}, {"WeightBits", w_bits}});
  NBQ_NEEDS_CELL(cell);
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 rng(seed);
  for (int round = 0; round < 5000; ++round) {
    std::int64_t sum = 0;
    for (int lane = 0; lane < lanes; ++lane) {
      const std::int64_t x = static_cast<std::int64_t>(rng() % 131072U) - 65536;
      const std::int64_t half = std::int64_t{1} << (w_bits - 1);
      const std::int64_t w = static_cast<std::int64_t>(rng() % (2U * half)) - half;
      cell.put(lane * x_bits, x_bits, x);
      cell.put(128 + lane * w_bits, w_bits, w);
      sum += x * w;
    }
    ASSERT_EQ(cell.run(2), sum) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(WeightBits, MultiplierElementTest, testing::Values(16, 8));

/// Width, largest left shift.
class RequantTest : public testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(RequantTest, MatchesTheNormativeFunction) {
  const auto [width, left] = GetParam();
  RtlCell cell("nbq_cell_requant", {{"Width", width}, {"MaxLeft", left}});
  NBQ_NEEDS_CELL(cell);
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 rng(seed);
  const std::int64_t half = std::int64_t{1} << (width - 1);
  const std::array<std::array<std::int64_t, 2>, 5> ranges = {
      {{0, 255}, {-128, 127}, {-131072, 131071}, {0, 65535}, {0, 0}}};
  for (int shift = -left; shift <= 62; ++shift)
    for (const auto& [lo, hi] : ranges)
      for (int round = 0; round < 60; ++round) {
        // Ends of the range, small values, values near the rounding points, any value.
        std::int64_t v = 0;
        if (round == 0)
          v = half - 1;
        else if (round == 1)
          v = -half;
        else if (round < 20)
          v = round - 10;
        else if (round < 40 && shift > 0 && shift < width - 10)
          v = (static_cast<std::int64_t>(rng() % 512) - 256) * (std::int64_t{1} << (shift - 1)) +
              round - 30;
        else
          v = static_cast<std::int64_t>(rng()) >>
              (64 - width + static_cast<int>(rng() % static_cast<unsigned>(width)));
        if (v >= half || v < -half) continue;
        cell.put(0, 64, v);
        cell.put(64, 7, shift);
        cell.put(96, 18, lo);
        cell.put(128, 18, hi);
        ASSERT_EQ(cell.run(3), requantize(v, shift, lo, hi))
            << "v " << v << " shift " << shift << " lo " << lo << " hi " << hi;
      }
}

INSTANTIATE_TEST_SUITE_P(Widths, RequantTest,
                         testing::Values(std::tuple{21, 15}, std::tuple{24, 4}, std::tuple{34, 15},
                                         std::tuple{48, 3}, std::tuple{21, 0}, std::tuple{22, 1},
                                         std::tuple{30, 2}));

}  // namespace
}  // namespace nbq::hw
