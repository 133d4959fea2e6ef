// Wrong programs end with an error status, never in a hang, and leave nothing behind.
#include <bit>
#include <thread>

#include "hw/engine_bench.h"
#include "hw/sim.h"

namespace nbq::hw {
namespace {

class EngineErrorTest : public testing::Test {
 protected:
  explicit EngineErrorTest(const EngineConfig& c = config()) : c_(c) {}
  static EngineConfig config() {
    EngineConfig c;
    c.lanes_in = 4;
    c.lanes_out = 8;
    c.pixels = 4;
    c.images = 2;
    c.out_cycles = 2;
    c.act_depth = 250;
    c.weight_depth = 60;
    c.param_depth = 15;
    c.result_depth = 61;
    c.program_depth = 80;
    return c;
  }
  void SetUp() override {
    auto opened = open_sim(c_);
    if (!opened.ok() && opened.error().code == ErrorCode::kToolMissing)
      GTEST_SKIP() << opened.error().message;
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    device_ = std::move(*opened);
    bench_ = std::make_unique<EngineBench>(c_, *device_);
    map_ = TestMap::make(c_, 1, 5, 6, false, 0, 3);
    for (std::size_t i = 0; i < map_.data.size(); ++i)
      map_.data[i] = static_cast<std::int64_t>(i * 7 % 256);
    bench_->load(map_);
    bench_->load_weights(0, {bench_->identity()});
    bench_->load_params(0, std::vector<std::pair<int, std::int64_t>>(4));
  }
  /// Copies the map to the results.
  Instruction good() { return bench_->dump_program(map_, 0, 0)[0]; }
  /// A correct program runs correctly, whatever came before.
  void expect_sound() {
    ASSERT_EQ(bench_->run({good()}), EngineError::none);
    for (int y = 0; y < map_.h; ++y)
      for (int x = 0; x < map_.w; ++x)
        for (int c = 0; c < 4; ++c) ASSERT_EQ(bench_->result(y * map_.w + x, c), map_.at(c, y, x));
  }
  void expect_error(const std::vector<Instruction>& program, EngineError error, std::uint32_t pc) {
    EXPECT_EQ(bench_->run(program), error) << describe(error);
    EXPECT_EQ(bench_->read(Reg::error_pc), pc);
    expect_sound();
  }

  const EngineConfig c_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<EngineBench> bench_;
  TestMap map_;
};

TEST_F(EngineErrorTest, BadOpcode) {
  Instruction bad = good();
  bad.opcode = 9;
  expect_error({good(), bad}, EngineError::bad_opcode, 1);
}

/// As compile() makes it for a network that doesn't pool and shifts little.
class SlimEngine : public EngineErrorTest {
 protected:
  SlimEngine() : EngineErrorTest(without()) {}
  static EngineConfig without() {
    EngineConfig c = config();
    c.max_pool = false;
    c.align_bits = 2;
    c.left_bits = 1;
    return c;
  }
};

TEST_F(SlimEngine, HasNoPooling) {
  Instruction pool = good();
  pool.opcode = static_cast<std::int64_t>(Opcode::maxpool);
  expect_error({good(), pool}, EngineError::bad_opcode, 1);
  EXPECT_EQ(bench_->read(Reg::images), 1U << 28 | 16U << 16 | 1U << 12 | 2U << 8 | 2U);
}

TEST_F(SlimEngine, RefusesShiftsBeyondItsOwn) {
  Instruction sum = good();
  sum.res_en = 1;
  for (const auto& [member, most, beyond] :
       {std::tuple{&Instruction::res_lsh_acc, 2, 3}, std::tuple{&Instruction::res_lsh_res, 2, 3},
        std::tuple{&Instruction::res_rsh, -1, -2}}) {
    Instruction i = sum;
    i.*member = most;
    EXPECT_EQ(bench_->run({i}), EngineError::none);
    i.*member = beyond;
    expect_error({i}, EngineError::bad_field, 0);
  }
}

TEST_F(EngineErrorTest, BadFields) {
  for (const auto member :
       {&Instruction::red_cw, &Instruction::terms, &Instruction::k_h, &Instruction::k_w,
        &Instruction::out_h, &Instruction::out_w, &Instruction::out_words}) {
    Instruction bad = good();
    bad.*member = 0;
    expect_error({bad}, EngineError::bad_field, 0);
  }
  Instruction bad = good();
  bad.pix_log2 = 3;
  expect_error({good(), bad}, EngineError::bad_field, 1);
  bad = good();
  bad.out_words = 3;
  expect_error({bad}, EngineError::bad_field, 0);
  bad = good();
  bad.opcode = static_cast<std::int64_t>(Opcode::maxpool);
  bad.terms = 2;
  expect_error({bad}, EngineError::bad_field, 0);
}

TEST_F(EngineErrorTest, BadAddressesOfEveryMemory) {
  Instruction bad = good();
  bad.in_base = c_.act_depth - 4;
  expect_error({good(), bad}, EngineError::bad_address, 1);
  bad = good();
  bad.wgt_base = c_.weight_depth;
  expect_error({bad}, EngineError::bad_address, 0);
  bad = good();
  bad.par_base = c_.param_depth;
  expect_error({bad}, EngineError::bad_address, 0);
  bad = good();
  bad.out_base = c_.result_depth - 3;
  expect_error({good(), bad}, EngineError::bad_address, 1);
  bad = good();
  bad.out_raw = 0;
  bad.out_base = c_.act_depth - 1;
  bad.out_row = 1;
  expect_error({bad}, EngineError::bad_address, 0);
  bad = good();
  bad.res_en = 1;
  bad.res_base = c_.act_depth;
  expect_error({bad}, EngineError::bad_address, 0);
}

TEST_F(EngineErrorTest, StreamBeyondAMemoryIsDroppedAndTold) {
  const auto per_image = c_.act_image_stride();
  const std::pair<Mem, std::uint32_t> beyond[] = {
      {Mem::weights, static_cast<std::uint32_t>(c_.weight_depth)},
      {Mem::activations, static_cast<std::uint32_t>(c_.act_depth * c_.pixels)},
      {Mem::activations, per_image + static_cast<std::uint32_t>(c_.act_depth * c_.pixels)},
      {Mem::activations, 2 * per_image + 12},
      {Mem::params, static_cast<std::uint32_t>(c_.param_depth * c_.out_cycles)}};
  for (const auto& [mem, address] : beyond) {
    bench_->stream(mem, address, {0xffffffff, 0xffffffff, 0xffffffff});
    EXPECT_EQ(bench_->read(Reg::status), 4U) << address;
    EXPECT_EQ(static_cast<EngineError>(bench_->read(Reg::error)), EngineError::bad_address);
    expect_sound();
  }
}

TEST_F(EngineErrorTest, OverrunPastTheProgramMemory) {
  const std::vector<Instruction> program(static_cast<std::size_t>(c_.program_depth / kInstrWords),
                                         good());
  EXPECT_EQ(bench_->run(program, false), EngineError::overrun);
  EXPECT_EQ(bench_->read(Reg::error_pc), program.size());
  expect_sound();
}

TEST_F(EngineErrorTest, WatchdogEndsAnEndlessTile) {
  Instruction slow = good();
  slow.k_h = slow.k_w = 255;
  slow.pad_y = slow.pad_x = 255;
  slow.red_cw = 4095;
  slow.in_h = slow.in_w = 0;  // reads nothing but weights
  slow.terms = 255;
  slow.wgt_base = 0;
  bench_->write(Reg::watchdog, 40);
  expect_error({good(), slow}, EngineError::watchdog, 1);
  EXPECT_EQ(bench_->read(Reg::watchdog), 40U);
}

TEST_F(EngineErrorTest, AbortStopsTheProgram) {
  Instruction slow = good();
  slow.opcode = static_cast<std::int64_t>(Opcode::maxpool);  // no weights: no address to go wrong
  slow.k_h = slow.k_w = 255;
  slow.out_h = slow.out_w = 4095;
  const auto words = encode(slow);
  ASSERT_TRUE(words.ok());
  bench_->stream(Mem::program, 0, {words->begin(), words->end()});
  bench_->write(Reg::ctrl, 1);
  device_->wait(500);
  EXPECT_EQ(bench_->read(Reg::status), 1U);
  bench_->write(Reg::ctrl, 2);
  device_->wait(10);
  EXPECT_EQ(bench_->read(Reg::status), 4U);
  EXPECT_EQ(static_cast<EngineError>(bench_->read(Reg::error)), EngineError::aborted);
  expect_sound();
}

TEST_F(EngineErrorTest, RegistersAndCounters) {
  EXPECT_EQ(bench_->read(Reg::id), kEngineId);
  EXPECT_EQ(bench_->read(Reg::lanes), 8U << 16 | 4U);
  EXPECT_EQ(bench_->read(Reg::images), 1U << 28 | 1U << 27 | 16U << 16 | 15U << 12 | 15U << 8 | 2U);
  EXPECT_EQ(bench_->read(Reg::widths), 4U << 16 | 3U << 12 | 8U << 6 | 32U);
  ASSERT_EQ(bench_->run({good()}), EngineError::none);
  EXPECT_EQ(bench_->read(Reg::busy_cycles), 10U);  // 5 rows of 2 tiles, one tap each
  EXPECT_EQ(bench_->read(Reg::residual_cycles), 0U);
  // Each cycle has its cause but the ones in which an instruction is handed over.
  const std::uint32_t causes = bench_->read(Reg::busy_cycles) + bench_->read(Reg::residual_cycles) +
                               bench_->read(Reg::drain_cycles) + bench_->read(Reg::barrier_cycles) +
                               bench_->read(Reg::fetch_cycles);
  const std::uint32_t cycles = bench_->read(Reg::cycles);
  EXPECT_LE(causes, cycles);
  EXPECT_LE(cycles - causes, 4U);
}

TEST_F(EngineErrorTest, TwoDevicesInTwoThreads) {
  auto other = open_sim(c_);
  ASSERT_TRUE(other.ok());
  std::thread thread([&] {
    EngineBench bench(c_, **other);
    bench.load(map_);
    bench.load_weights(0, {bench.identity()});
    bench.load_params(0, std::vector<std::pair<int, std::int64_t>>(4));
    for (int i = 0; i < 20; ++i)
      EXPECT_EQ(bench.run(bench.dump_program(map_, 0, 0)), EngineError::none);
    EXPECT_EQ(bench.result(7, 1), map_.at(1, 1, 1));
  });
  for (int i = 0; i < 20; ++i) expect_sound();
  thread.join();
}

TEST(EngineParameters, RefusalNamesTheParameter) {
  EngineConfig c;
  c.lanes_in = 3;
  const auto device = open_sim(c);
  ASSERT_FALSE(device.ok());
  EXPECT_EQ(device.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(device.error().message.find("lanes_in"), std::string::npos);
}

}  // namespace
}  // namespace nbq::hw
