#include "model/quantise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "random_graph.h"

namespace nbq {
namespace {

TEST(BestActExp, NoClippingForUniformValuesAndSomeForOutliers) {
  std::vector<float> uniform, spiky;
  for (int i = 0; i < 1000; ++i) uniform.push_back(static_cast<float>(i) / 1000.0f * 3.9f);
  EXPECT_EQ(best_act_exp(uniform, 8, false), -6);  // 255 * 2^-6 = 3.98
  spiky.assign(20000, 0.01f);
  for (std::size_t i = 0; i < spiky.size(); ++i) spiky[i] = static_cast<float>(i % 97) * 0.01f;
  const int without = best_act_exp(spiky, 8, true);
  spiky.push_back(1.2f);  // one value beyond 1 is not worth a bit for all others
  EXPECT_EQ(best_act_exp(spiky, 8, true), without);
}

TEST(QuantSpec, LayersByNameAndTheLastMatchWins) {
  QuantSpec s;
  s.layers = {{"conv*", 4, 0}, {"conv1", 5, 16}};
  EXPECT_EQ(s.weight_bits_of("conv2"), 4);
  EXPECT_EQ(s.weight_bits_of("conv1"), 5);
  EXPECT_EQ(s.act_bits_of("conv1"), 16);
  EXPECT_EQ(s.weight_bits_of("fc"), 3);
  const Graph g = testing::RandomGraph(1).make_float();
  s.layers = {{"no-such-layer", 4, 0}};
  EXPECT_NE(check_spec(s, g).error().message.find("no layer is named no-such-layer"),
            std::string::npos);
  s.layers = {};
  s.weight_bits = 6;
  EXPECT_FALSE(check_spec(s, g).ok());
}

TEST(Quantise, FusesRelusLocksFormatsAndLeavesLogitsRaw) {
  Graph g;
  g.add("image", InputAttrs{1, 4, 4, {}, {}}, {});
  g.add("a", Conv2dAttrs{2, 1, true, {}}, {0});
  g.add("relu", ReluAttrs{6}, {1});
  g.add("b", Conv2dAttrs{3, 1, true, {}}, {2});
  ASSERT_TRUE(infer_shapes(g).ok());
  g.nodes[1].state = {{"weight", {{2, 1, 1, 1}, {1.0f, 0.1f}}}, {"bias", {{2}, {0, 0}}}};
  g.nodes[3].state = {{"weight", {{3, 2, 1, 1}, {1, 0.1f, 2, 3, 0.2f, 0.3f}}},
                      {"bias", {{3}, {0, 0, 0}}}};
  const ActSamples samples(4, std::vector<float>{0.5f, 7.9f, 3.0f, -1.0f});
  QuantSpec spec;
  const Graph q = quantise(g, spec, samples).value();
  ASSERT_EQ(q.nodes.size(), 3u);
  EXPECT_FALSE(q.nodes[1].act.is_signed);
  EXPECT_EQ(q.nodes[1].act.exp, -5);
  EXPECT_EQ(q.nodes[1].act.hi, 192);  // 6 at 2^-5
  EXPECT_NE(q.nodes[1].po2.exps[0], q.nodes[1].po2.exps[1]);
  EXPECT_FALSE(q.output().act.quantised());
  EXPECT_EQ(q.nodes[2].po2.exps[0], q.nodes[2].po2.exps[2]);  // logits share a scale
}

TEST(Deploy, RandomNetworksVerifyAndChannelsWithoutWeightAreFine) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    testing::RandomGraph random(seed);
    Graph q = random.make_quantised(random.uniform(1, 5), random.uniform(2, 16));
    for (Node& n : q.nodes)
      if (n.state.count("weight") != 0) n.state["weight"].data[0] = 0;
    const auto g = deploy(q);
    ASSERT_TRUE(g.ok()) << "seed " << seed << ": " << g.error().message;
    EXPECT_TRUE(verify_integer(*g).ok());
  }
}

TEST(Verify, CatchesEveryTamperedField) {
  const Graph good = testing::RandomGraph(11).make_integer(3, 8);
  const auto refused = [&](auto tamper) {
    Graph g = good;
    tamper(g);
    return !verify_integer(g).ok();
  };
  const auto weighted = [](Graph& g) -> Node& {
    for (Node& n : g.nodes)
      if (n.po2.bits != 0) return n;
    throw std::logic_error("no weights");
  };
  EXPECT_TRUE(refused([](Graph& g) { g.nodes[0].act.exp = -6; }));
  EXPECT_TRUE(refused([&](Graph& g) { weighted(g).po2.codes.pop_back(); }));
  EXPECT_TRUE(refused([&](Graph& g) { weighted(g).po2.codes[0] = Po2Code{4}; }));  // minus zero
  EXPECT_TRUE(refused([&](Graph& g) { weighted(g).po2.exps.push_back(0); }));
  EXPECT_TRUE(refused([&](Graph& g) { weighted(g).po2.exps[0] = 127; }));
  EXPECT_TRUE(refused([&](Graph& g) { weighted(g).po2.acc_bits += 1; }));
  EXPECT_TRUE(refused([&](Graph& g) { weighted(g).po2.bits = 6; }));
  EXPECT_TRUE(refused([&](Graph& g) { weighted(g).act.bits = 17; }));
  EXPECT_TRUE(refused([](Graph& g) { g.stage = Stage::kFloat; }));
}

TEST(Verify, ProvesWidthsOfGraphsMadeByHandOnlyWhenTheyAreSound) {
  Graph g = testing::RandomGraph(12).make_integer(4, 8);
  std::vector<int> stated;
  for (Node& n : g.nodes) stated.push_back(std::exchange(n.po2.acc_bits, 0));
  const auto proved = prove_integer(g);
  ASSERT_TRUE(proved.ok());
  EXPECT_EQ(*proved, stated);
  EXPECT_FALSE(verify_integer(g).ok());
  for (Node& n : g.nodes)
    if (n.po2.bits != 0) n.po2.bias.assign(1, 0);  // too few: must be found before they are read
  EXPECT_FALSE(prove_integer(g).ok());
}

}  // namespace
}  // namespace nbq
