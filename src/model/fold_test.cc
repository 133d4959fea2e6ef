#include "model/fold.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "random_graph.h"

namespace nbq {
namespace {

TEST(Fold, BatchNormGoesIntoTheConvolution) {
  Graph g;
  g.add("image", InputAttrs{1, 2, 2, {}, {}}, {});
  g.add("conv", Conv2dAttrs{2, 1, false, {}}, {0});
  g.add("bn", BatchNormAttrs{0.25f, 0.1f}, {1});
  g.add("pool", GlobalAvgPoolAttrs{}, {2});
  ASSERT_TRUE(infer_shapes(g).ok());
  g.nodes[1].state["weight"] = {{2, 1, 1, 1}, {3, -2}};
  g.nodes[2].state["weight"] = {{2}, {1, 4}};
  g.nodes[2].state["bias"] = {{2}, {0.5f, 0}};
  g.nodes[2].state["running_mean"] = {{2}, {1, 2}};
  g.nodes[2].state["running_var"] = {{2}, {0.75f, 3.75f}};  // sigma 1 and 2
  const Graph f = fold(g).value();
  ASSERT_EQ(f.nodes.size(), 3u);
  EXPECT_EQ(f.nodes[1].state.at("weight").data, (std::vector<float>{3, -4}));
  EXPECT_EQ(f.nodes[1].state.at("bias").data, (std::vector<float>{-0.5f, -4}));
}

/// image -> bn -> relu -> flatten -> fc, with scales 3, -0.7, 0 of the batch norm.
Graph lone_batch_norm() {
  Graph g;
  g.add("image", InputAttrs{3, 1, 2, {}, {}}, {});
  g.add("bn", BatchNormAttrs{0.25f, 0.1f}, {0});
  g.add("relu", ReluAttrs{}, {1});
  g.add("flatten", FlattenAttrs{}, {2});
  g.add("fc", LinearAttrs{1, true}, {3});
  EXPECT_TRUE(infer_shapes(g).ok());
  g.nodes[1].state["weight"] = {{3}, {3, -0.7f, 0}};
  g.nodes[1].state["bias"] = {{3}, {0.5f, 1, 2}};
  g.nodes[1].state["running_mean"] = {{3}, {0, 0.5f, 1}};
  g.nodes[1].state["running_var"] = {{3}, {0.75f, 0.75f, 0.75f}};  // sigma 1
  g.nodes[4].state["weight"] = {{1, 6}, {1, 2, 3, 4, 5, 6}};
  g.nodes[4].state["bias"] = {{1}, {0.25f}};
  return g;
}

TEST(Fold, WhatALoneBatchNormHasBesideItsPowerOfTwoMovesOn) {
  const Graph f = fold(lone_batch_norm()).value();
  const auto& scale = f.nodes[1].state.at("weight").data;
  const auto& offset = f.nodes[1].state.at("bias").data;
  const auto& w = f.nodes[4].state.at("weight").data;
  EXPECT_FLOAT_EQ(scale[0], 4);
  EXPECT_FLOAT_EQ(scale[1], -0.5f);
  EXPECT_EQ(scale[2], 0);
  EXPECT_FLOAT_EQ(w[0], 0.75f);
  EXPECT_FLOAT_EQ(w[3], 4 * 1.4f);
  EXPECT_FLOAT_EQ(w[5], 6);
  // For any x: w relu(scale x + offset) is what it was.
  const float want_scale[] = {3, -0.7f, 0}, want_offset[] = {0.5f, 1.35f, 2};
  for (const float x : {-2.0f, -0.1f, 0.3f, 5.0f})
    for (std::size_t c = 0; c < 3; ++c)
      EXPECT_NEAR(
          w[2 * c] * std::max(0.0f, scale[c] * x + offset[c]),
          static_cast<float>(2 * c + 1) * std::max(0.0f, want_scale[c] * x + want_offset[c]),
          1e-4f);
}

TEST(Fold, AClippedOrSharedBatchNormKeepsItsScale) {
  Graph g = lone_batch_norm();
  g.nodes[2].attrs = ReluAttrs{6};
  EXPECT_FLOAT_EQ(fold(g).value().nodes[1].state.at("weight").data[0], 3);
  g = lone_batch_norm();
  g.nodes[3] = g.nodes[2];  // relu and bn are added: another reader
  g.nodes[3].name = "sum";
  g.nodes[3].attrs = AddAttrs{};
  g.nodes[3].inputs = {1, 2};
  g.nodes[4].attrs = FlattenAttrs{};
  g.nodes[4].state.clear();
  ASSERT_TRUE(infer_shapes(g).ok());
  EXPECT_FLOAT_EQ(fold(g).value().nodes[1].state.at("weight").data[0], 3);
}

TEST(Fold, InputNormalisationGoesIntoTheFirstLayer) {
  Graph g;
  g.add("image", InputAttrs{2, 1, 1, {0.5f, 0.25f}, {0.5f, 0.125f}}, {});
  g.add("conv", Conv2dAttrs{1, 1, false, {}}, {0});
  g.add("pool", GlobalAvgPoolAttrs{}, {1});
  ASSERT_TRUE(infer_shapes(g).ok());
  g.nodes[1].state["weight"] = {{1, 2, 1, 1}, {3, -2}};
  const Graph f = fold(g).value();
  for (const int p : {0, 100, 255}) {
    const int q = 255 - p;
    const double want = 3 * ((p / 255.0 - 0.5) / 0.5) - 2 * ((q / 255.0 - 0.25) / 0.125);
    const auto& w = f.nodes[1].state.at("weight").data;
    const double have = static_cast<double>(w[0]) * (p - 128) / 128.0 +
                        static_cast<double>(w[1]) * (q - 128) / 128.0 +
                        f.nodes[1].state.at("bias").data[0];
    EXPECT_NEAR(have, want, 1e-4);
  }
  EXPECT_TRUE(f.input_attrs().mean.empty());
}

TEST(Fold, InputNormalisationFollowsChannelsThroughFlatten) {
  // 2 channels of 1x3, flattened to 6, read by a 1x1 convolution: runs of 3 belong to one channel.
  Graph g;
  g.add("image", InputAttrs{2, 1, 3, {0.5f, 0.25f}, {0.5f, 0.125f}}, {});
  g.add("flat", FlattenAttrs{}, {0});
  g.add("conv", Conv2dAttrs{1, 1, false, {}}, {1});
  ASSERT_TRUE(infer_shapes(g).ok());
  g.nodes[2].state["weight"] = {{1, 6, 1, 1}, {1, 1, 1, 1, 1, 1}};
  const Graph f = fold(g).value();
  const auto& w = f.nodes[2].state.at("weight").data;
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_FLOAT_EQ(w[i], 128.0f / 255.0f / (i < 3 ? 0.5f : 0.125f)) << i;
}

TEST(CheckState, NamesLayerParameterAndIndex) {
  Graph g = testing::RandomGraph(3).make_float();
  ASSERT_TRUE(check_state(g).ok());
  for (Node& n : g.nodes)
    if (!n.state.empty()) {
      n.state.begin()->second.data[0] = std::numeric_limits<float>::quiet_NaN();
      const Status s = check_state(g);
      ASSERT_FALSE(s.ok());
      EXPECT_EQ(s.error().message,
                n.name + ": " + n.state.begin()->first + "[0] is not a finite number");
      n.state.erase(n.state.begin());
      EXPECT_NE(check_state(g).error().message.find("is missing"), std::string::npos);
      return;
    }
  FAIL() << "the random network has no parameters";
}

TEST(Fold, RandomNetworksKeepTheirOutputShapeAndLoseFoldableNorms) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    const Graph g = testing::RandomGraph(seed).make_float();
    const Graph f = fold(g).value();
    EXPECT_EQ(f.output().shape, g.output().shape) << "seed " << seed;
    const auto readers = f.consumers();
    for (const Node& n : f.nodes)
      if (n.kind() == OpKind::kBatchNorm) {
        const auto source = static_cast<std::size_t>(n.inputs[0]);
        const OpKind k = f.nodes[source].kind();
        EXPECT_FALSE((k == OpKind::kConv2d || k == OpKind::kLinear) && readers[source].size() == 1)
            << "seed " << seed;
      }
  }
}

}  // namespace
}  // namespace nbq
