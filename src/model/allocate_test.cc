#include "model/allocate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace nbq {
namespace {

using testing::HasSubstr;

struct Total {
  double rise = 0;
  std::int64_t cost = 0;
};
Total total(const std::vector<LayerOptions>& layers, const std::vector<std::size_t>& choice) {
  Total t;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    t.rise += layers[i].options[choice[i]].loss_rise;
    t.cost += layers[i].options[choice[i]].cost;
  }
  return t;
}

/// Least rise within the budget, of all choices; infinity: none keeps it.
double brute_force(const std::vector<LayerOptions>& layers, std::int64_t budget) {
  double best = std::numeric_limits<double>::infinity();
  std::vector<std::size_t> choice(layers.size());
  for (;;) {
    const Total t = total(layers, choice);
    if (t.cost <= budget) best = std::min(best, t.rise);
    std::size_t i = 0;
    while (i < choice.size() && ++choice[i] == layers[i].options.size()) choice[i++] = 0;
    if (i == choice.size()) return best;
  }
}

TEST(Allocate, EqualsBruteForce) {
  std::mt19937 rng(7);
  for (int round = 0; round < 400; ++round) {
    std::vector<LayerOptions> layers(1 + rng() % 6);
    std::int64_t most = 0;
    for (auto& l : layers) {
      const std::int64_t weights = 1 + rng() % 50;
      const bool falls = rng() % 2 == 0;  // as losses do, or any numbers at all
      for (int bits = 1; bits <= 1 + static_cast<int>(rng() % 5); ++bits) {
        const double noise = static_cast<double>(rng() % 1000) / 1000 - 0.1;
        l.options.push_back({bits, falls ? noise / (1 << (2 * bits)) : noise, weights * bits});
      }
      most += l.options.back().cost;
    }
    for (const std::int64_t budget : {most / 4, most / 2, most * 3 / 4, most}) {
      const auto got = allocate_bits(layers, budget);
      const double want = brute_force(layers, budget);
      ASSERT_EQ(got.ok(), std::isfinite(want)) << "round " << round << ", budget " << budget;
      if (!got.ok()) continue;
      const Total t = total(layers, *got);
      EXPECT_LE(t.cost, budget) << "round " << round;
      EXPECT_NEAR(t.rise, want, 1e-9) << "round " << round << ", budget " << budget;
    }
  }
}

TEST(Allocate, AHundredLayersOfMillionsOfWeights) {
  std::mt19937 rng(8);
  std::vector<LayerOptions> layers(100);
  std::int64_t most = 0;
  for (auto& l : layers) {
    const std::int64_t weights = 1000 + rng() % 3'000'000;
    const double scale = static_cast<double>(1 + rng() % 1000) / 1000;
    for (int bits = 1; bits <= 5; ++bits)
      l.options.push_back({bits, scale / (1 << (2 * bits)), weights * bits});
    most += weights * 5;
  }
  const auto got = allocate_bits(layers, most / 2);
  ASSERT_TRUE(got.ok());
  EXPECT_LE(total(layers, *got).cost, most / 2);
  EXPECT_GT(total(layers, *got).cost, most / 2 - 3'000'000);  // hardly anything is left over
}

TEST(Allocate, RefusesWhatCantBe) {
  std::vector<LayerOptions> layers = {{"conv1", {{2, 0.5, 20}, {3, 0.1, 30}}}};
  EXPECT_EQ(allocate_bits(layers, 25).value(), (std::vector<std::size_t>{0}));
  const auto small = allocate_bits(layers, 19);
  ASSERT_FALSE(small.ok());
  EXPECT_THAT(small.error().message, HasSubstr("take 20"));
  layers[0].options[1].loss_rise = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(allocate_bits(layers, 25).error().message, HasSubstr("conv1: the loss at 3 bits"));
  layers[0].options.clear();
  EXPECT_THAT(allocate_bits(layers, 25).error().message, HasSubstr("conv1: no bits"));
  EXPECT_TRUE(allocate_bits({}, 0).value().empty());
}

}  // namespace
}  // namespace nbq
