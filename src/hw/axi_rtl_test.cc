// The engine with its AXI bus, Verilated: whole networks with streamed weights, bad buses.
#include <gtest/gtest.h>

#include "hw/engine.h"
#include "hw/engine_bench.h"
#include "hw/program_model.h"
#include "hw/sim.h"
#include "integer_graph.h"
#include "ops/ref_executor.h"
#include "random_graph.h"

namespace nbq::hw {
namespace {

EngineConfig axi_engine(int in, int out, int pixels, int axi_bits) {
  EngineConfig c;
  c.lanes_in = in;
  c.lanes_out = out;
  c.pixels = pixels;
  c.axi_bits = axi_bits;
  c.code_bits = 3;
  c.act_bits = 8;
  c.acc_bits = 40;
  c.act_depth = 2048;
  c.weight_depth = 2;
  c.param_depth = 256;
  c.result_depth = 256;
  c.program_depth = 8192;
  return c;
}

#define NBQ_DEVICE(name, ...)                                                       \
  auto name##_result = open_axi_sim(__VA_ARGS__);                                   \
  if (!name##_result.ok() && name##_result.error().code == ErrorCode::kToolMissing) \
    GTEST_SKIP() << name##_result.error().message;                                  \
  ASSERT_TRUE(name##_result.ok()) << name##_result.error().message;                 \
  std::unique_ptr<AxiSimDevice> name = std::move(*name##_result)

/// A multilayer perceptron behind a convolution: mostly weights, as AlexNet's end is.
Graph fully_connected(unsigned seed) {
  testing::IntegerGraph g(seed, {3, 9, 9});
  const ActFormat act = ActFormat::make(8, false, -6);
  Conv2dAttrs conv;
  conv.out_channels = 12;
  conv.window.kernel_h = conv.window.kernel_w = 3;
  conv.bias = true;
  int id = g.add(conv, 0, act, {});
  id = g.add(FlattenAttrs{}, id);
  for (const int units : {60, 50, 10}) {
    LinearAttrs linear;
    linear.out_features = units;
    linear.bias = true;
    id = g.add(linear, id, units == 10 ? ActFormat{} : act, {});
  }
  return g.finish().value();
}

struct BusShape {
  int axi_bits, images, broadcast;
};
class StreamedNetwork : public ::testing::TestWithParam<BusShape> {};

TEST_P(StreamedNetwork, ImagesOneAfterTheOtherWithStalls) {
  EngineConfig wanted = axi_engine(4, 8, 2, GetParam().axi_bits);
  wanted.images = GetParam().images;
  wanted.broadcast = GetParam().broadcast;
  const Graph g = fully_connected(7);
  const auto resident = compile(g, wanted);
  ASSERT_TRUE(resident.ok()) << resident.error().message;
  EXPECT_TRUE(resident->stream.empty());
  // The largest block has 12 * 49 / 4 words; the network has many times as many.
  MemoryLimits limits;
  limits.weight_depth = 300;
  ASSERT_GE(resident->config.weight_depth, 4 * limits.weight_depth);
  const auto program = compile(g, wanted, limits);
  ASSERT_TRUE(program.ok()) << program.error().message;
  EXPECT_GT(program->stream.size(), std::size_t{4 * 8 * 1000});
  EXPECT_TRUE(program->loads_next);

  const auto ref = RefExecutor::create(g).value();
  const auto at_once = static_cast<std::size_t>(wanted.images);
  const std::size_t bytes = 3 * 9 * 9 * at_once, outputs = 10 * at_once;
  testing::RandomGraph random(3);
  const auto pixels = random.pixels(g, 3 * wanted.images);
  const auto want = ref.run(pixels, 3 * wanted.images).value();
  AxiMemoryOptions memory;
  memory.latency = 37;
  memory.stall_percent = 30;
  NBQ_DEVICE(sim, program->config, memory);
  const AxiSimDevice& watched = *sim;
  auto engine = Engine::open(std::move(sim), *program);
  ASSERT_TRUE(engine.ok()) << engine.error().message;
  auto model = Engine::open(make_program_model(program->config), *program);
  ASSERT_TRUE(model.ok()) << model.error().message;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto image = std::span(pixels).subspan(i * bytes, bytes);
    const auto next = i < 2 ? std::span(pixels).subspan((i + 1) * bytes, bytes) : image.first(0);
    const std::vector<std::int64_t> expected(
        want.begin() + static_cast<std::ptrdiff_t>(i * outputs),
        want.begin() + static_cast<std::ptrdiff_t>((i + 1) * outputs));
    const auto modelled = model->run(image, next);
    ASSERT_TRUE(modelled.ok()) << modelled.error().message;
    EXPECT_EQ(modelled->logits, expected);
    const auto ran = engine->run(image, next);
    ASSERT_TRUE(ran.ok()) << ran.error().message;
    EXPECT_EQ(ran->logits, expected);
    EXPECT_GT(ran->memory_cycles, 0U);
    EXPECT_EQ(watched.violation(), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Bus, StreamedNetwork,
                         ::testing::Values(BusShape{32, 1, 0}, BusShape{128, 2, 2}),
                         [](const auto& p) {
                           return fmt::format("axi{}_images{}", p.param.axi_bits, p.param.images);
                         });

}  // namespace
}  // namespace nbq::hw
