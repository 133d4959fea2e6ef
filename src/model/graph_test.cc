#include "model/graph.h"

#include <gtest/gtest.h>

#include "model/quantise.h"

namespace nbq {
namespace {

Graph tiny() {
  Graph g;
  g.add("image", InputAttrs{3, 8, 8, {}, {}}, {});
  Conv2dAttrs conv{4, 1, true, {}};
  conv.window.kernel_h = conv.window.kernel_w = 3;
  g.add("conv", conv, {0});
  g.add("pool", GlobalAvgPoolAttrs{}, {1});
  return g;
}

std::string error_of(Graph g) {
  const Status s = infer_shapes(g);
  return s.ok() ? "" : s.error().message;
}

TEST(Graph, ShapesOfAnyWindow) {
  for (int in = 1; in <= 12; ++in)
    for (int k = 1; k <= 4; ++k)
      for (int s = 1; s <= 3; ++s)
        for (int pad = 0; pad <= 2; ++pad)
          for (int d = 1; d <= 2; ++d) {
            int count = 0;  // windows that lie inside, counted one by one
            for (int at = -pad; at + d * (k - 1) < in + pad; at += s) ++count;
            ASSERT_EQ(window_out(in, k, s, pad, pad, d), count);
          }
}

TEST(Graph, ErrorsNameTheLayer) {
  Graph g = tiny();
  EXPECT_EQ(error_of(g), "");
  std::get<Conv2dAttrs>(g.nodes[1].attrs).groups = 2;
  EXPECT_NE(error_of(g).find("conv: groups (2) must divide the input channels (3)"),
            std::string::npos);
  g = tiny();
  std::get<Conv2dAttrs>(g.nodes[1].attrs).window.kernel_h = 9;
  EXPECT_NE(error_of(g).find("conv: a 9x3 window does not fit into a 8x8 map"), std::string::npos);
  g = tiny();
  g.nodes[1].inputs = {2};
  EXPECT_NE(error_of(g).find("conv: reads layer 2, which is not before it"), std::string::npos);
  g = tiny();
  g.nodes[2].name = "conv";
  EXPECT_NE(error_of(g).find("two layers are named conv"), std::string::npos);
  g = tiny();
  g.nodes[2].inputs = {0};
  EXPECT_NE(error_of(g).find("conv: nothing reads its output"), std::string::npos);
  g = tiny();
  g.add("fc", LinearAttrs{2, true}, {1});
  EXPECT_NE(error_of(g).find("fc: linear needs a flat input"), std::string::npos);
}

TEST(OverflowProof, NamesLayerAndChannel) {
  // 16-bit activations, 5-bit codes and a million inputs need more than 48 bits.
  Graph g;
  g.stage = Stage::kInteger;
  g.add("image", InputAttrs{1, 1024, 1024, {}, {}}, {});
  g.add("flat", FlattenAttrs{}, {0});
  g.add("fc", LinearAttrs{2, false}, {1});
  ASSERT_TRUE(infer_shapes(g).ok());
  const ActFormat wide = ActFormat::make(16, true, 0);
  g.nodes[0].act = g.nodes[1].act = wide;
  g.nodes[2].po2.bits = 5;
  g.nodes[2].po2.exps = {0, 0};
  g.nodes[2].po2.codes.assign(2 << 20, Po2Code{0});
  for (std::size_t i = 0; i < (1u << 20); ++i)
    g.nodes[2].po2.codes[(1 << 20) + i] = Po2Code::make({5}, false, 15);
  const auto r = prove_acc_bits(g);
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, ErrorCode::kOverflow);
  EXPECT_NE(r.error().message.find("fc: the accumulator of channel 1 could need 51 bits"),
            std::string::npos)
      << r.error().message;
}

}  // namespace
}  // namespace nbq
