#include "hw/explore.h"

#include <gtest/gtest.h>

#include "random_graph.h"

namespace nbq::hw {
namespace {

/// 20 LUT a lane, and 4 words of memory a block RAM.
Resources costs(const EngineConfig& c) {
  Resources r;
  r.lut = 1000 + 20 * c.lanes();
  r.bram = c.weight_depth / 4 + c.images * c.act_depth / 4;
  if (c.pe == PeKind::kVpe) r.dsp = c.lanes();
  return r;
}

ExploreOptions options() {
  ExploreOptions o;
  o.lanes_in = {4, 8};
  o.blocks = {1, 2};
  o.pixels = {1, 2, 4};
  o.budget = {20000, 100000, 100, 1e9, 0, 0};
  o.clock_mhz = 100;
  o.estimate = costs;
  return o;
}

TEST(Explore, FindsTheFrontOfWhatFits) {
  const Graph g = testing::RandomGraph(3).make_integer(3, 8);
  ExploreOptions o = options();
  o.kinds = {PeKind::kSvpe, PeKind::kVpe};
  o.pj_per_lane_cycle = {{PeKind::kSvpe, 0.5}};
  const auto found = explore(g, o);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_GT(found->points.size(), 20U);
  for (std::size_t i = 0; i < found->points.size(); ++i) {
    const DesignPoint& p = found->points[i];
    EXPECT_LE(p.lut(), o.budget.lut);
    EXPECT_LE(p.resources.dsp, o.budget.dsp);
    if (i > 0) {
      EXPECT_LE(p.images_per_s, found->points[i - 1].images_per_s);
    }
    // The program of the point says the same.
    const auto program = compile(g, p.config, p.limits);
    ASSERT_TRUE(program.ok());
    EXPECT_EQ(predict(*program).all, p.cycles);
    EXPECT_NEAR(p.images_per_s, p.config.images * 1e8 / double(p.cycles.total), 1e-6);
    EXPECT_EQ(p.uj_per_image > 0, p.config.pe == PeKind::kSvpe);
    // On the front if and only if nothing of its kind is better in both.
    bool beaten = false;
    for (const DesignPoint& q : found->points)
      beaten |=
          q.config.pe == p.config.pe && ((q.images_per_s > p.images_per_s && q.lut() <= p.lut()) ||
                                         (q.images_per_s >= p.images_per_s && q.lut() < p.lut()));
    if (p.best_for_lut) {
      EXPECT_FALSE(beaten);
    }
    if (!p.best_for_lut && !beaten) {  // only a twin of one that is marked
      bool twin = false;
      for (const DesignPoint& q : found->points)
        twin |= q.best_for_lut && q.config.pe == p.config.pe && q.lut() == p.lut() &&
                q.images_per_s == p.images_per_s;
      EXPECT_TRUE(twin);
    }
  }
}

TEST(Explore, WeightsThatDoNotFitStream) {
  const Graph g = testing::RandomGraph(3).make_integer(3, 8);
  ExploreOptions o = options();
  o.axi_bits = 64;
  const auto roomy = explore(g, o);
  ASSERT_TRUE(roomy.ok()) << roomy.error().message;
  for (const DesignPoint& p : roomy->points) EXPECT_EQ(p.stream_words, 0);
  double most = 0;
  for (const DesignPoint& p : roomy->points) most = std::max(most, p.resources.bram);
  o.budget.bram = most / 4;
  const auto tight = explore(g, o);
  ASSERT_TRUE(tight.ok()) << tight.error().message;
  int streamed = 0;
  for (const DesignPoint& p : tight->points) {
    EXPECT_LE(p.resources.bram, o.budget.bram);
    EngineConfig wanted = p.config;
    take_least_depths(wanted);
    const auto program = compile(g, wanted, p.limits);
    ASSERT_TRUE(program.ok()) << program.error().message;
    EXPECT_LE(program->config.weight_depth, p.config.weight_depth);
    // Equal blocks, which a sketch does not find, may lie once.
    EXPECT_LE(program->stream_words, p.stream_words);
    EXPECT_EQ(static_cast<std::int64_t>(program->stream.size()),
              program->stream_words * p.config.lanes_in * p.config.lanes_out);
    streamed += p.stream_words > 0;
  }
  EXPECT_GT(streamed, 0);
}

TEST(Explore, SaysWhatTheSmallestEngineTakes) {
  const Graph g = testing::RandomGraph(3).make_integer(3, 8);
  ExploreOptions o = options();
  o.budget.lut = 1100;
  const auto found = explore(g, o);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(found.error().message.find("4x4x1 lanes) takes 1320"), std::string::npos)
      << found.error().message;
}

}  // namespace
}  // namespace nbq::hw
