#include "infer/engine.h"

#include <gtest/gtest.h>

#include <random>

#include "infer/isa.h"
#include "ops/ref_executor.h"
#include "random_graph.h"

namespace nbq::infer {
namespace {

std::vector<std::uint8_t> random_pixels(const Graph& g, int n, std::uint32_t seed) {
  std::mt19937 rng(seed);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(g.input().shape.size() * n));
  for (auto& p : pixels) p = static_cast<std::uint8_t>(rng());
  return pixels;
}

/// Every instruction set of this machine, against the reference.
void expect_equal(const Graph& g, int n, const EngineOptions& base, const std::string& what) {
  const auto ref = RefExecutor::create(g).value();
  const auto pixels = random_pixels(g, n, 7);
  const auto want = ref.run(pixels, n).value();
  for (const IsaRow& row : isa_rows()) {
    if (!row.available) continue;
    EngineOptions o = base;
    o.isa = row.name;
    auto engine = Engine::create(g, o);
    ASSERT_TRUE(engine.ok()) << what << ": " << engine.error().message;
    EXPECT_EQ(engine->logit_exp(), ref.logit_exp());
    for (int round = 0; round < 2; ++round) {  // the arena is used again
      std::vector<std::int64_t> got(want.size(), -1);
      ASSERT_TRUE(engine->run(pixels, n, got).ok());
      ASSERT_EQ(got, want) << what << ", " << row.name << ", round " << round;
    }
  }
}

class RandomNetworks : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(RandomNetworks, GiveTheReferencesIntegers) {
  const auto [weight_bits, act_bits] = GetParam();
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    testing::RandomGraph random(seed * 100 +
                                static_cast<std::uint32_t>(weight_bits * 16 + act_bits));
    const Graph g = deploy(random.make_quantised(weight_bits, act_bits)).value();
    EngineOptions o;
    o.threads = 1 + static_cast<int>(seed % 3);
    o.batch = 1 + static_cast<int>(seed % 5);
    const int n = 1 + static_cast<int>(seed % 4);
    expect_equal(g, n, o, fmt::format("seed {}", seed));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, RandomNetworks,
                         ::testing::Combine(::testing::Values(1, 2, 3, 4, 5),
                                            ::testing::Values(2, 8, 12, 16)));

}  // namespace
}  // namespace nbq::infer
