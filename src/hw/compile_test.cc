#include "hw/compile.h"

#include <gtest/gtest.h>

#include "hw/engine.h"
#include "hw/program_model.h"
#include "hw/timing.h"
#include "ops/ref_executor.h"
#include "random_graph.h"

namespace nbq::hw {
namespace {

EngineConfig lanes(int in, int out, int pixels) {
  EngineConfig c;
  c.lanes_in = in;
  c.lanes_out = out;
  c.pixels = pixels;
  c.code_bits = 2;
  c.act_bits = 2;
  c.acc_bits = 8;
  return c;
}

/// Random networks, compiled, run by the program model: the integers of ref.
class RandomNetworks : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(RandomNetworks, ProgramGivesTheIntegersOfRef) {
  int refused = 0;
  for (std::uint32_t seed = GetParam(); seed < GetParam() + 60; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    testing::RandomGraph random(seed);
    const int weight_bits = random.uniform(1, 5);
    const int act_bits = random.uniform(0, 1) == 0 ? 8 : 16;
    const Graph g = random.make_integer(weight_bits, act_bits);
    constexpr int kShapes[][3] = {{2, 2, 1}, {4, 8, 2}, {8, 8, 4}, {4, 12, 8}, {8, 16, 4}};
    const auto& s = kShapes[random.uniform(0, 4)];
    EngineConfig config = lanes(s[0], s[1], s[2]);
    config.pe = random.uniform(0, 1) == 0 ? PeKind::kSvpe : PeKind::kVpe;
    config.images = random.uniform(1, 3);
    const int images = random.uniform(1, config.images);
    const auto program = compile(g, config);
    if (!program.ok()) {
      // The one thing the array lacks: long sums of repeated terms.
      ASSERT_NE(program.error().message.find("terms"), std::string::npos)
          << program.error().message;
      ++refused;
      continue;
    }
    const auto pixels = random.pixels(g, images);
    const auto want = RefExecutor::create(g).value().run(pixels, images);
    auto engine = Engine::open(make_program_model(program->config), *program);
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    const auto have = engine->run(pixels);
    ASSERT_TRUE(have.ok()) << have.error().message;
    ASSERT_EQ(have->logits, *want);
  }
  EXPECT_LT(refused, 6);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomNetworks, ::testing::Values(1u, 1000u, 2000u, 3000u));

TEST(Compile, SlicesAndPadsBeyondTheirWindow) {
  // 37 and 31: no dilation that the instruction holds reaches there in two taps, and one that does.
  Graph g;
  g.add("image", InputAttrs{3, 75, 64, {}, {}}, {});
  g.add("slice", SliceAttrs{1, 37, 31, 2, 19, 11, 1, 2, 3}, {0});
  g.add("pad", PadAttrs{3, 9, 7, 1, 5, 6}, {1});
  g.add("pool", GlobalAvgPoolAttrs{}, {2});
  ASSERT_TRUE(infer_shapes(g).ok());
  testing::RandomGraph random(1);
  const Graph integers = random.deploy_with_random_weights(g);
  const auto program = compile(integers, lanes(4, 8, 4));
  ASSERT_TRUE(program.ok()) << program.error().message;
  const auto pixels = random.pixels(integers, 1);
  auto engine = Engine::open(make_program_model(program->config), *program);
  ASSERT_TRUE(engine.ok()) << engine.error().message;
  EXPECT_EQ(engine->run(pixels)->logits,
            RefExecutor::create(integers).value().run(pixels, 1).value());
}

TEST(Compile, APadOfChannelsAbsorbsTheSliceBeforeIt) {
  for (const int top : {0, 1}) {
    SCOPED_TRACE(top);
    Graph g;
    g.add("image", InputAttrs{3, 8, 8, {}, {}}, {});
    g.add("slice", SliceAttrs{0, 1, 0, 2, 3, 4, 1, 2, 2}, {0});
    g.add("pad", PadAttrs{3, 4, top, 0, 0, 0}, {1});
    g.add("pool", GlobalAvgPoolAttrs{}, {2});
    ASSERT_TRUE(infer_shapes(g).ok());
    testing::RandomGraph random(1);
    const Graph integers = random.deploy_with_random_weights(g);
    const auto program = compile(integers, lanes(4, 4, 2));
    ASSERT_TRUE(program.ok()) << program.error().message;
    EXPECT_EQ(program->layers.size(), top == 0 ? 2u : 3u);  // rows of zeros are another copy
    const auto pixels = random.pixels(integers, 1);
    auto engine = Engine::open(make_program_model(program->config), *program);
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    EXPECT_EQ(engine->run(pixels)->logits,
              RefExecutor::create(integers).value().run(pixels, 1).value());
  }
}

TEST(Compile, ASumTakesThePlaceOfAnOperandThatNobodyReadsAnyMore) {
  const Window same{
      .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};
  for (const bool read_later : {false, true}) {
    SCOPED_TRACE(read_later);
    Graph g;
    g.add("image", InputAttrs{3, 6, 6, {}, {}}, {});
    g.add("a", Conv2dAttrs{8, 1, true, same}, {0});
    g.add("b", Conv2dAttrs{8, 1, true, same}, {1});
    g.add("c", Conv2dAttrs{8, 1, true, same}, {2});
    g.add("sum", AddAttrs{}, {3, 1});
    g.add("d", Conv2dAttrs{8, 1, true, same}, {4});  // reads its own residual operand's neighbours
    g.add("again", AddAttrs{}, {5, 4});
    g.add("e", Conv2dAttrs{8, 1, true, same}, {6});
    g.add("last", AddAttrs{}, {7, read_later ? 1 : 4});
    g.add("pool", GlobalAvgPoolAttrs{}, {8});
    ASSERT_TRUE(infer_shapes(g).ok());
    testing::RandomGraph random(1);
    const Graph integers = random.deploy_with_random_weights(g);
    const auto program = compile(integers, lanes(4, 8, 2));
    ASSERT_TRUE(program.ok()) << program.error().message;
    std::vector<bool> in_place;
    for (const Instruction& i : program->instructions)
      if (i.res_en != 0) in_place.push_back(i.res_base == i.out_base);
    EXPECT_EQ(in_place, (std::vector<bool>{!read_later, false, true}));
    const auto pixels = random.pixels(integers, 1);
    auto engine = Engine::open(make_program_model(program->config), *program);
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    EXPECT_EQ(engine->run(pixels)->logits,
              RefExecutor::create(integers).value().run(pixels, 1).value());
  }
}

TEST(Compile, SketchesHaveTheProgramsCyclesAndSizes) {
  for (std::uint32_t seed = 1; seed < 40; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    testing::RandomGraph random(seed);
    const Graph g = random.make_integer(3, 8);
    const auto program = compile(g, lanes(4, 8, 4));
    const auto sketch = ProgramSketch::create(g);
    ASSERT_TRUE(sketch.ok()) << sketch.error().message;
    const auto sketched = sketch->program(lanes(4, 8, 4));
    ASSERT_EQ(sketched.ok(), program.ok());
    if (!program.ok()) continue;
    EXPECT_EQ(predict(*sketched).all, predict(*program).all);
    EXPECT_EQ(sketched->config.acc_bits, program->config.acc_bits);
    EXPECT_EQ(sketched->config.act_depth, program->config.act_depth);
    EXPECT_EQ(sketched->config.param_depth, program->config.param_depth);
    EXPECT_GE(sketched->config.weight_depth, program->config.weight_depth);
    EXPECT_LE(sketched->config.weight_depth, 2 * program->config.weight_depth);
  }
}

TEST(Compile, NarrowMultipliersTakeWhatFits) {
  Graph g = testing::RandomGraph(7).make_integer(3, 8);  // weights up to 4
  EngineConfig c = lanes(4, 8, 2);
  c.pe = PeKind::kVpe;
  c.mult_bits = 4;
  const auto fits = compile(g, c);
  ASSERT_TRUE(fits.ok()) << fits.error().message;
  testing::RandomGraph random(7);
  const auto pixels = random.pixels(g, 1);
  auto engine = Engine::open(make_program_model(fits->config), *fits);
  ASSERT_TRUE(engine.ok()) << engine.error().message;
  EXPECT_EQ(engine->run(pixels)->logits, RefExecutor::create(g).value().run(pixels, 1).value());
  c.mult_bits = 3;
  const auto narrow = compile(g, c);
  ASSERT_FALSE(narrow.ok());
  EXPECT_EQ(narrow.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(narrow.error().message.find("multipliers of 3 bits"), std::string::npos)
      << narrow.error().message;
}

TEST(Compile, DepthsNeedNotBePowersOfTwo) {
  EngineConfig c = lanes(4, 8, 2);
  c.weight_depth = 4600;
  const auto program = compile(testing::RandomGraph(1).make_integer(3, 8), c);
  ASSERT_TRUE(program.ok()) << program.error().message;
  EXPECT_EQ(program->config.weight_depth, 4608);
}

TEST(Engine, TakesAsManyImagesAsItHas) {
  testing::RandomGraph random(3);
  const Graph g = random.make_integer(3, 8);
  EngineConfig c = lanes(4, 8, 2);
  c.images = 2;
  const auto program = compile(g, c);
  ASSERT_TRUE(program.ok()) << program.error().message;
  auto engine = Engine::open(make_program_model(program->config), *program);
  ASSERT_TRUE(engine.ok()) << engine.error().message;
  const auto three = random.pixels(g, 3);
  for (const std::size_t bytes : {std::size_t{0}, three.size(), three.size() / 3 + 1}) {
    const auto run = engine->run(std::span(three).first(bytes));
    ASSERT_FALSE(run.ok()) << bytes;
    EXPECT_EQ(run.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Compile, RefusesLanesThatAreNoEngine) {
  const Graph g = testing::RandomGraph(1).make_integer(3, 8);
  const auto r = compile(g, lanes(3, 6, 4));
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, ErrorCode::kInvalidArgument);
}

TEST(Layout, LanesOfOneTapNeverMeetInABank) {
  for (int pixels : {1, 2, 4, 8})
    for (int stride = 1; stride <= 8; ++stride) {
      const int shift = std::countr_zero(static_cast<unsigned>(stride));
      EXPECT_EQ(conflict_free_pixels(stride, shift, pixels), pixels) << stride;
    }
  EXPECT_EQ(conflict_free_pixels(2, 0, 4), 2);
  EXPECT_EQ(conflict_free_pixels(1, 1, 4), 1);
}

TEST(Layout, AllocatorReusesWhatIsFree) {
  WordAllocator a;
  const int x = a.allocate(10);
  const int y = a.allocate(5);
  a.release(x);
  EXPECT_EQ(a.allocate(4), 0);
  EXPECT_EQ(a.allocate(6), 4);
  EXPECT_EQ(a.allocate(1), 15);
  a.release(y);
  EXPECT_EQ(a.high_water(), 16);
}

}  // namespace
}  // namespace nbq::hw
