// The engine with its AXI bus, Verilated: whole networks with streamed weights, bad buses.
#include <gtest/gtest.h>

#include "hw/engine.h"
#include "hw/engine_bench.h"
#include "hw/program_model.h"
#include "hw/sim.h"
#include "hw/timing.h"
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
Graph fully_connected(unsigned seed, int size = 9, int widest = 60) {
  testing::IntegerGraph g(seed, {3, size, size});
  const ActFormat act = ActFormat::make(8, false, -6);
  Conv2dAttrs conv;
  conv.out_channels = 12;
  conv.window.kernel_h = conv.window.kernel_w = 3;
  conv.bias = true;
  int id = g.add(conv, 0, act, {});
  id = g.add(FlattenAttrs{}, id);
  for (const int units : {widest, 50, 10}) {
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
  wanted.out_cycles = GetParam().images;
  wanted.act_digits = std::min(2, GetParam().images);
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
                         ::testing::Values(BusShape{32, 1, 0}, BusShape{32, 2, 1},
                                           BusShape{128, 2, 2}),
                         [](const auto& p) {
                           return fmt::format("axi{}_images{}", p.param.axi_bits, p.param.images);
                         });

class StreamedCycles : public ::testing::TestWithParam<BusShape> {};

TEST_P(StreamedCycles, AreForetoldWithinOnePercent) {
  EngineConfig wanted = axi_engine(4, 8, 2, GetParam().axi_bits);
  wanted.images = GetParam().images;
  wanted.broadcast = GetParam().broadcast;
  wanted.out_cycles = GetParam().images;
  const Graph g = fully_connected(7, 18, 160);
  const auto pixels = testing::RandomGraph(3).pixels(g, wanted.images);
  MemoryLimits limits;
  limits.weight_depth = 2000;
  const auto program = compile(g, wanted, limits);
  ASSERT_TRUE(program.ok()) << program.error().message;
  for (const std::uint32_t latency : {0U, 100U}) {
    AxiMemoryOptions memory;
    memory.latency = latency;
    NBQ_DEVICE(sim, program->config, memory);
    auto engine = Engine::open(std::move(sim), *program);
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    // predict() speaks of a run that loads the next images.
    const auto ran = engine->run(pixels, pixels);
    ASSERT_TRUE(ran.ok()) << ran.error().message;
    const CycleCounts foretold = predict(*program, latency).all;
    const auto cycles = static_cast<double>(ran->compute_cycles);
    EXPECT_NEAR(static_cast<double>(foretold.total), cycles, 0.01 * cycles);
    EXPECT_NEAR(static_cast<double>(foretold.memory), static_cast<double>(ran->memory_cycles),
                0.01 * cycles);
    EXPECT_EQ(foretold.busy, ran->busy_cycles);
  }
}

INSTANTIATE_TEST_SUITE_P(Bus, StreamedCycles,
                         ::testing::Values(BusShape{32, 1, 0}, BusShape{128, 2, 2}),
                         [](const auto& p) {
                           return fmt::format("axi{}_images{}", p.param.axi_bits, p.param.images);
                         });

TEST(StreamedNetworks, RandomOnesAreExactUnderRandomStalls) {
  // One engine, wide enough for all of them.
  EngineConfig wanted = axi_engine(4, 8, 2, 64);
  wanted.code_bits = 5;
  wanted.act_bits = 16;
  wanted.acc_bits = 48;
  MemoryLimits limits;
  limits.weight_depth = wanted.weight_depth = 96;
  limits.act_depth = wanted.act_depth;
  int streamed = 0;
  for (std::uint32_t seed = 5000; seed < 5024; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    testing::RandomGraph random(seed);
    const Graph g = random.make_integer(random.uniform(1, 5), random.uniform(0, 1) == 0 ? 8 : 16);
    const auto program = compile(g, wanted, limits);
    if (!program.ok() || program->config != wanted) continue;  // a block or map that is too large
    if (program->stream.empty()) continue;
    ++streamed;
    AxiMemoryOptions memory;
    memory.latency = static_cast<std::uint32_t>(random.uniform(0, 80));
    memory.stall_percent = static_cast<std::uint32_t>(random.uniform(0, 60));
    memory.seed = seed;
    NBQ_DEVICE(sim, program->config, memory);
    const AxiSimDevice& watched = *sim;
    auto engine = Engine::open(std::move(sim), *program);
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    const auto pixels = random.pixels(g, 1);
    const auto ran = engine->run(pixels, pixels);
    ASSERT_TRUE(ran.ok()) << ran.error().message;
    ASSERT_EQ(ran->logits, RefExecutor::create(g).value().run(pixels, 1).value());
    ASSERT_EQ(watched.violation(), "");
  }
  EXPECT_GE(streamed, 5);
}

/// Lends a device, so that it outlives an engine and can be handled from outside.
class Lent final : public Device {
 public:
  explicit Lent(Device& device) : device_(device) {}
  void write(std::uint32_t reg, std::uint32_t value) override { device_.write(reg, value); }
  std::uint32_t read(std::uint32_t reg) override { return device_.read(reg); }
  void wait(std::uint64_t cycles) override { device_.wait(cycles); }
  std::uint64_t clock() const override { return device_.clock(); }
  Result<DeviceMemory> memory(std::size_t bytes) override { return device_.memory(bytes); }

 private:
  Device& device_;
};

class AxiErrorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    MemoryLimits limits;
    limits.weight_depth = 300;
    auto compiled = compile(graph_, axi_engine(4, 8, 2, 32), limits);
    ASSERT_TRUE(compiled.ok()) << compiled.error().message;
    program_ = *compiled;
    auto device = open_axi_sim(program_.config);
    if (!device.ok() && device.error().code == ErrorCode::kToolMissing)
      GTEST_SKIP() << device.error().message;
    ASSERT_TRUE(device.ok()) << device.error().message;
    device_ = std::move(*device);
    pixels_ = testing::RandomGraph(3).pixels(graph_, 1);
    want_ = RefExecutor::create(graph_).value().run(pixels_, 1).value();
    open(program_);
  }
  void open(const Program& program) {
    auto engine = Engine::open(std::make_unique<Lent>(*device_), program);
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    engine_ = std::make_unique<Engine>(std::move(*engine));
  }
  void write(Reg reg, std::uint32_t value) {
    device_->write(static_cast<std::uint32_t>(reg), value);
  }
  std::uint32_t read(Reg reg) { return device_->read(static_cast<std::uint32_t>(reg)); }
  void expect_error(EngineError error) {
    const auto ran = engine_->run(pixels_);
    ASSERT_FALSE(ran.ok());
    EXPECT_NE(ran.error().message.find(describe(error)), std::string::npos) << ran.error().message;
  }
  void expect_sound() {
    const auto ran = engine_->run(pixels_);
    ASSERT_TRUE(ran.ok()) << ran.error().message;
    EXPECT_EQ(ran->logits, want_);
    EXPECT_EQ(device_->violation(), "");
  }

  const Graph graph_ = fully_connected(7);
  Program program_;
  std::unique_ptr<AxiSimDevice> device_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::int64_t> want_;
};

TEST_F(AxiErrorTest, ErrorAnswersEndTheProgram) {
  // In the weight stream (words of 12 bytes), in both image areas (words of 4), in the results.
  const auto pages = [](std::size_t bytes) { return (bytes + 4095) / 4096 * 4096; };
  const std::uint64_t images = pages(program_.stream.size() / 32 * 12);
  const std::uint64_t results =
      images + 2 * pages(static_cast<std::size_t>(program_.image.place.words()) * 2 * 4);
  const std::pair<std::uint64_t, std::uint64_t> places[] = {
      {1200, 1201}, {images, results}, {results + 16, results + 17}};
  for (const auto& [begin, end] : places) {
    AxiMemoryOptions memory;
    memory.latency = 20;
    memory.error_begin = begin;
    memory.error_end = end;
    device_->configure(memory);
    expect_error(EngineError::bus);
    device_->configure({});
    expect_sound();
  }
}

TEST_F(AxiErrorTest, ATruncatedStreamIsTold) {
  const std::size_t words = program_.stream.size() / 32;
  write(Reg::weight_words, static_cast<std::uint32_t>(words - 1));
  expect_error(EngineError::underrun);
  write(Reg::weight_words, static_cast<std::uint32_t>(words));
  expect_sound();
}

TEST_F(AxiErrorTest, ABusThatStopsEndsInTheWatchdog) {
  write(Reg::watchdog, 3000);
  AxiMemoryOptions memory;
  memory.latency = 5000;
  device_->configure(memory);
  expect_error(EngineError::watchdog);
  // What is under way comes late; the next program waits for it.
  write(Reg::watchdog, 1 << 20);
  device_->configure({});
  expect_sound();
}

TEST_F(AxiErrorTest, ABlockThatNeverComesEndsInTheWatchdog) {
  Program wrong = program_;
  for (Instruction& i : wrong.instructions)
    if (i.wgt_words > 0) i.wgt_words = 301;
  open(wrong);
  write(Reg::watchdog, 3000);
  expect_error(EngineError::watchdog);
  open(program_);
  expect_sound();
}

TEST_F(AxiErrorTest, AbortAndResetAtAnyTime) {
  AxiMemoryOptions memory;
  memory.latency = 30;
  memory.stall_percent = 20;
  device_->configure(memory);
  for (int round = 0; round < 12; ++round) {
    write(Reg::ctrl, 1);
    device_->wait(static_cast<std::uint64_t>(200 + 331 * round));
    if (round % 2 == 0) {
      write(Reg::ctrl, 2);
      EXPECT_EQ(read(Reg::error), static_cast<std::uint32_t>(EngineError::aborted));
    } else {
      device_->reset();
      EXPECT_EQ(read(Reg::status), 0U);
      open(program_);
    }
    expect_sound();
  }
}

TEST_F(AxiErrorTest, RegistersAnswerBadAccesses) {
  std::uint32_t value = 0;
  EXPECT_EQ(device_->access(false, 0, 15, value), 0U);
  EXPECT_EQ(value, kEngineId);
  EXPECT_EQ(device_->access(false, 2, 15, value), 2U);            // misaligned
  EXPECT_EQ(device_->access(false, 4 * 63, 15, value), 2U);       // no such register
  EXPECT_EQ(device_->access(false, 4 * 3, 15, value), 2U);        // write-only
  EXPECT_EQ(device_->access(true, 0, 15, value), 2U);             // read-only
  EXPECT_EQ(device_->access(true, 4 * 7, 3, value), 2U);          // half a word
  EXPECT_EQ(device_->access(true, 1024 + 4 * 7, 15, value), 2U);  // beyond the registers
  EXPECT_EQ(device_->access(true, 4 * 7, 15, value = 77), 0U);
  EXPECT_EQ(read(Reg::watchdog), 77U);
}

TEST_F(AxiErrorTest, TheInterruptTellsTheEnd) {
  write(Reg::irq, 3);
  EXPECT_FALSE(device_->irq());
  expect_sound();
  EXPECT_TRUE(device_->irq());
  EXPECT_EQ(read(Reg::irq), 3U);
  write(Reg::irq, 3);
  EXPECT_FALSE(device_->irq());
}

}  // namespace
}  // namespace nbq::hw
