#include "engine_case.h"
#include "random_graph.h"

namespace nbq::infer {
namespace {

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
    expect_equal(g, random.pixels(g, n), n, o, fmt::format("seed {}", seed));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, RandomNetworks,
                         ::testing::Combine(::testing::Values(1, 2, 3, 4, 5),
                                            ::testing::Values(2, 8, 12, 16)));

}  // namespace
}  // namespace nbq::infer
