// Whole random networks: the program model is the Verilated RTL's equal, clock cycle by clock
// cycle.
#include <gtest/gtest.h>

#include "hw/compile.h"
#include "hw/engine.h"
#include "hw/program_model.h"
#include "hw/sim.h"
#include "hw/timing.h"
#include "ops/ref_executor.h"
#include "random_graph.h"

namespace nbq::hw {
namespace {

CycleCounts counts(const EngineRun& r) {
  return {r.compute_cycles, r.busy_cycles,    r.residual_cycles,
          r.drain_cycles,   r.barrier_cycles, r.fetch_cycles};
}

void expect_equal(const CycleCounts& have, const CycleCounts& want) {
  EXPECT_EQ(have.total, want.total);
  EXPECT_EQ(have.busy, want.busy);
  EXPECT_EQ(have.residual, want.residual);
  EXPECT_EQ(have.drain, want.drain);
  EXPECT_EQ(have.barrier, want.barrier);
  EXPECT_EQ(have.fetch, want.fetch);
}

/// Widths and depths that every network below fits: one Verilated engine for all of them.
EngineConfig roomy(int lanes_in, int lanes_out, int pixels, int images, int broadcast,
                   int out_cycles) {
  EngineConfig c;
  c.lanes_in = lanes_in;
  c.lanes_out = lanes_out;
  c.pixels = pixels;
  c.images = images;
  c.broadcast = broadcast;
  c.out_cycles = out_cycles;
  c.code_bits = 5;
  c.act_bits = 16;
  c.acc_bits = 48;
  c.act_depth = 4096;
  c.weight_depth = 8192;
  c.param_depth = 256;
  c.result_depth = 1024;
  c.program_depth = 4096;
  return c;
}

/// Networks run on the Verilated engine and foretold; GTEST_SKIP where a tool is missing.
void run_random_networks(const EngineConfig& config, std::uint32_t seeds, int at_least) {
  int ran = 0;
  for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    testing::RandomGraph random(seed);
    const Graph g = random.make_integer(3, seed % 2 == 0 ? 8 : std::min(16, config.act_bits));
    const auto program = compile(g, config);
    if (!program.ok() || program->config != config) continue;
    auto sim = open_sim(program->config);
    if (!sim.ok() && sim.error().code == ErrorCode::kToolMissing)
      GTEST_SKIP() << sim.error().message;
    ASSERT_TRUE(sim.ok()) << sim.error().message;
    const auto pixels_in = random.pixels(g, config.images);
    const auto rtl = Engine::open(std::move(*sim), *program)->run(pixels_in);
    const auto model = Engine::open(make_program_model(program->config), *program)->run(pixels_in);
    ASSERT_TRUE(rtl.ok()) << rtl.error().message;
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_EQ(model->logits, rtl->logits);
    expect_equal(counts(*model), counts(*rtl));
    EXPECT_EQ(model->load_cycles, rtl->load_cycles);
    const Timing timing = predict(*program);
    expect_equal(timing.all, counts(*rtl));
    CycleCounts sum;
    for (const CycleCounts& layer : timing.layers) sum += layer;
    EXPECT_EQ(sum, timing.all);
    if (::testing::Test::HasFailure()) return;
    ++ran;
  }
  EXPECT_GT(ran, at_least);
}

/// What a board gets, which the roomy engines are not: no pooling, shifters as short as its shifts,
/// a single result word, sums in the place of their operand.
class FittedEngine : public ::testing::TestWithParam<int> {};

TEST_P(FittedEngine, RunsTheNetworkThatItWasMadeFor) {
  const Window same{
      .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
  Graph g;
  g.add("image", InputAttrs{3, 6, 6, {}, {}}, {});
  g.add("a", Conv2dAttrs{8, 1, true, same}, {0});
  g.add("b", Conv2dAttrs{8, 1, true, same}, {1});
  g.add("c", Conv2dAttrs{8, 1, true, same}, {2});
  g.add("sum", AddAttrs{}, {3, 1});
  g.add("slice", SliceAttrs{0, 0, 0, 8, 3, 3, 1, 2, 2}, {4});
  g.add("pad", PadAttrs{2, 2, 0, 0, 0, 0}, {5});
  g.add("pool", GlobalAvgPoolAttrs{}, {6});
  g.add("flatten", FlattenAttrs{}, {7});
  g.add("fc", LinearAttrs{4, true}, {8});
  ASSERT_TRUE(infer_shapes(g).ok());
  testing::RandomGraph random(1);
  const Graph integers = random.deploy_with_random_weights(g);
  EngineConfig wanted = least_engine();
  wanted.lanes_in = wanted.lanes_out = 4;
  wanted.pixels = 1;
  wanted.images = 3;
  wanted.out_cycles = GetParam();
  const auto program = compile(integers, wanted);
  ASSERT_TRUE(program.ok()) << program.error().message;
  const EngineConfig& c = program->config;
  EXPECT_FALSE(c.max_pool);
  EXPECT_EQ(c.result_depth, 1);
  EXPECT_LT(std::max(c.align_bits, c.left_bits), 15);
  auto sim = open_sim(c);
  if (!sim.ok() && sim.error().code == ErrorCode::kToolMissing) GTEST_SKIP() << sim.error().message;
  ASSERT_TRUE(sim.ok()) << sim.error().message;
  const auto pixels = random.pixels(integers, c.images);
  const auto rtl = Engine::open(std::move(*sim), *program)->run(pixels);
  ASSERT_TRUE(rtl.ok()) << rtl.error().message;
  EXPECT_EQ(rtl->logits, RefExecutor::create(integers).value().run(pixels, c.images).value());
  expect_equal(predict(*program).all, counts(*rtl));
}

// Results in a register, and in a word for each slice.
INSTANTIATE_TEST_SUITE_P(OutCycles, FittedEngine, ::testing::Values(1, 4));

class TimingTest : public ::testing::TestWithParam<std::array<int, 6>> {};

TEST_P(TimingTest, CountersOfRandomNetworksAreForetold) {
  const auto [lanes_in, lanes_out, pixels, images, broadcast, out_cycles] = GetParam();
  run_random_networks(roomy(lanes_in, lanes_out, pixels, images, broadcast, out_cycles), 40, 20);
}

INSTANTIATE_TEST_SUITE_P(Cores, TimingTest,
                         ::testing::Values(std::array{2, 6, 1, 1, 0, 1},
                                           std::array{4, 8, 4, 2, 3, 2},
                                           std::array{8, 8, 2, 1, 1, 8}));

/// Elements shaped for a family, with their own latencies; 3-bit codes, the only shaped ones.
class ShapedEngineTest
    : public ::testing::TestWithParam<std::tuple<PeKind, ElementTarget, int, int, int>> {};

TEST_P(ShapedEngineTest, CountersOfRandomNetworksAreForetold) {
  const auto [pe, target, lanes_in, act_bits, act_digits] = GetParam();
  EngineConfig config = roomy(lanes_in, lanes_in, 2, 2, 0, 1);
  config.act_digits = config.out_cycles = act_digits;
  config.pe = pe;
  config.target = target;
  config.code_bits = 3;
  config.act_bits = act_bits;
  if (pe == PeKind::kVpe2) config.mult_bits = 8;
  run_random_networks(config, 24, 3);
}

INSTANTIATE_TEST_SUITE_P(
    Families, ShapedEngineTest,
    ::testing::Values(std::tuple{PeKind::kSvpe, ElementTarget::kXcup, 8, 16, 1},
                      std::tuple{PeKind::kSvpe, ElementTarget::kXcup, 4, 9, 2},
                      std::tuple{PeKind::kSvpe, ElementTarget::kEcp5, 4, 16, 1},
                      std::tuple{PeKind::kSvpe, ElementTarget::kEcp5, 4, 16, 2},
                      std::tuple{PeKind::kVpe, ElementTarget::kXcup, 4, 16, 1},
                      std::tuple{PeKind::kVpe, ElementTarget::kEcp5, 2, 16, 1},
                      std::tuple{PeKind::kVpe2, ElementTarget::kXcup, 4, 8, 1}));

}  // namespace
}  // namespace nbq::hw
