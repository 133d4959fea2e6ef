// The serial line to a board: the C++ end over the RTL's end, bit by bit; a program model behind.
#include "hw/serial.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <deque>
#include <random>

#include "hw/compile.h"
#include "hw/engine.h"
#include "hw/program_model.h"
#include "hw/rtl_cell.h"
#include "random_graph.h"

namespace nbq::hw {
namespace {

constexpr int kClocksPerBit = 8, kTimeout = 4000;

/// A UART at bit level around nbq_serial_link, with the engine's host bus answered by a Device that
/// is now and then not ready. Damages one byte in `damage_every`, in both directions (0: none).
class SimulatedLine final : public ByteLink {
 public:
  SimulatedLine(Device& engine, unsigned damage_every)
      : engine_(engine),
        damage_every_(damage_every),
        cell_("nbq_cell_link", {{"ClocksPerBit", kClocksPerBit}, {"TimeoutCycles", kTimeout}},
              {"boards/nbq_uart_rx.sv", "boards/nbq_uart_tx.sv", "boards/nbq_serial_host.sv",
               "boards/nbq_serial_link.sv"}) {
    if (!cell_.ok()) return;
    for (int i = 0; i < 3; ++i) cell_.run(1);
    cell_.put(0, 1, 1);
    idle(20);
  }
  const RtlCell& cell() const { return cell_; }
  int damaged() const { return damaged_; }

  Status write(std::span<const std::uint8_t> bytes) override {
    for (std::uint8_t byte : bytes) {
      if (lucky()) {
        if (rng_() % 2 == 0) continue;  // lost
        byte ^= static_cast<std::uint8_t>(1U << rng_() % 8);
      }
      const unsigned frame = 0x200U | static_cast<unsigned>(byte) << 1;
      for (int bit = 0; bit < 10; ++bit) {
        cell_.put(1, 1, frame >> bit & 1);
        for (int i = 0; i < kClocksPerBit; ++i) tick();
      }
    }
    return ok_status();
  }

  Result<std::vector<std::uint8_t>> read(std::size_t max, std::chrono::milliseconds) override {
    for (int i = 0; i < 3 * kTimeout && received_.empty(); ++i) tick();
    std::vector<std::uint8_t> bytes;
    for (; bytes.size() < max && !received_.empty(); received_.pop_front())
      bytes.push_back(received_.front());
    return bytes;
  }

 private:
  bool lucky() {
    if (damage_every_ == 0 || rng_() % damage_every_ != 0) return false;
    ++damaged_;
    return true;
  }
  void idle(int clocks) {
    cell_.put(1, 1, 1);
    for (int i = 0; i < clocks; ++i) tick();
  }

  void tick() {
    const bool ready = rng_() % 4 != 0;
    cell_.put(2, 1, ready);
    cell_.put(3, 1, answer_due_);
    answer_due_ = false;
    if (ready && valid_) {
      if (write_) {
        engine_.write(addr_, data_);
      } else {
        cell_.put(32, 32, engine_.read(addr_));
        answer_due_ = true;
      }
    }
    const auto out = static_cast<std::uint64_t>(cell_.run(1));
    valid_ = (out & 2) != 0;
    write_ = (out & 4) != 0;
    addr_ = static_cast<std::uint32_t>(out >> 8 & 0xff);
    data_ = static_cast<std::uint32_t>(out >> 32);
    sample((out & 1) != 0);
  }

  /// The receiver: bits in their middles.
  void sample(bool line) {
    if (since_start_ < 0) {
      if (!line) since_start_ = 0;
      return;
    }
    ++since_start_;
    if (since_start_ % kClocksPerBit != kClocksPerBit / 2) return;
    const int bit = since_start_ / kClocksPerBit;
    if (bit >= 1 && bit <= 8) shift_ = static_cast<std::uint8_t>(shift_ >> 1 | (line ? 0x80 : 0));
    if (bit < 9) return;
    EXPECT_TRUE(line) << "no stop bit";
    since_start_ = -1;
    if (!lucky()) received_.push_back(shift_);
  }

  Device& engine_;
  unsigned damage_every_;
  int damaged_ = 0;
  RtlCell cell_;
  std::mt19937 rng_{7};
  bool valid_ = false, write_ = false, answer_due_ = false;
  std::uint32_t addr_ = 0, data_ = 0;
  int since_start_ = -1;
  std::uint8_t shift_ = 0;
  std::deque<std::uint8_t> received_;
};

class SerialLine : public ::testing::TestWithParam<unsigned> {};

TEST_P(SerialLine, RunsANetworkAsIfItWereNotThere) {
  testing::RandomGraph random(3);
  const Graph g = random.make_integer(3, 8);
  EngineConfig wanted;
  wanted.lanes_in = 4;
  wanted.lanes_out = 8;
  wanted.pixels = 2;
  const auto program = compile(g, wanted);
  ASSERT_TRUE(program.ok()) << program.error().message;
  const auto pixels = random.pixels(g, 1);
  auto direct = Engine::open(make_program_model(program->config), *program);
  ASSERT_TRUE(direct.ok()) << direct.error().message;
  const auto want = direct->run(pixels);

  const auto behind = make_program_model(program->config);
  auto line = std::make_unique<SimulatedLine>(*behind, GetParam());
  NBQ_NEEDS_CELL(line->cell());
  const SimulatedLine& watched = *line;
  auto device = open_serial(std::move(line), 100);
  ASSERT_TRUE(device.ok()) << device.error().message;
  auto engine = Engine::open(std::move(device).value(), *program);
  ASSERT_TRUE(engine.ok()) << engine.error().message;
  const auto have = engine->run(pixels);
  ASSERT_TRUE(have.ok()) << have.error().message;
  EXPECT_EQ(have->logits, want->logits);
  EXPECT_EQ(watched.damaged() > 0, GetParam() > 0);
}

INSTANTIATE_TEST_SUITE_P(CleanAndDamaged, SerialLine, ::testing::Values(0u, 1500u));

/// Registers that count how often each is touched.
class Counting final : public Device {
 public:
  void write(std::uint32_t, std::uint32_t value) override {
    ++writes;
    last = value;
  }
  std::uint32_t read(std::uint32_t) override { return ++reads; }
  void wait(std::uint64_t) override {}
  std::uint64_t clock() const override { return 0; }
  std::uint32_t reads = 0, writes = 0, last = 0;
};

TEST(SerialHost, RepeatedFramesHappenOnceAndGarbageEnds) {
  Counting engine;
  SimulatedLine line(engine, 0);
  NBQ_NEEDS_CELL(line.cell());
  const auto drain = [&] {
    std::vector<std::uint8_t> got;
    for (auto some = line.read(64, {}).value(); !some.empty(); some = line.read(64, {}).value())
      got.insert(got.end(), some.begin(), some.end());
    return got;
  };
  const auto exchange = [&](std::vector<std::uint8_t> frame) {
    const std::uint16_t crc = crc16(std::span(frame).subspan(1));
    frame.push_back(static_cast<std::uint8_t>(crc >> 8));
    frame.push_back(static_cast<std::uint8_t>(crc));
    (void)line.write(frame);
    return drain();
  };
  const std::vector<std::uint8_t> write{0x5A, 1, 0, 7, 1, 0x78, 0x56, 0x34, 0x12};
  EXPECT_EQ(exchange(write).size(), 6u);
  EXPECT_EQ(exchange(write).size(), 6u);
  EXPECT_EQ(engine.writes, 1u);
  EXPECT_EQ(engine.last, 0x12345678u);
  const std::vector<std::uint8_t> read{0x5A, 2, 1, 7, 2};
  const auto first = exchange(read);
  EXPECT_EQ(first.size(), 14u);
  // A frame that asks for a megabyte of payload, and stops: silence ends it.
  (void)line.write(std::vector<std::uint8_t>{0x12, 0x5A, 3, 0, 7, 0, 1, 2, 3});
  EXPECT_TRUE(line.read(64, {}).value().empty());
  EXPECT_EQ(exchange(read), first);  // what was read is still there
  EXPECT_EQ(engine.reads, 2u);
  auto broken = write;
  broken[1] = 4;
  (void)line.write(broken);
  (void)line.write(std::vector<std::uint8_t>{0, 0});  // no checksum
  const auto refused = drain();
  ASSERT_EQ(refused.size(), 6u);
  EXPECT_EQ(refused[2], 1);
  EXPECT_EQ(engine.writes, 1u);
  exchange({0x5A, 1, 2, 0, 0});  // hello: the next frame may have any number
  EXPECT_EQ(exchange(read).size(), 14u);
  EXPECT_EQ(engine.reads, 4u);
  EXPECT_EQ(exchange({0x5A, 9, 77, 0, 0}).at(2), 2);  // unknown op
}

/// A line on which nobody answers.
class Silence final : public ByteLink {
  Status write(std::span<const std::uint8_t>) override { return ok_status(); }
  Result<std::vector<std::uint8_t>> read(std::size_t, std::chrono::milliseconds) override {
    return std::vector<std::uint8_t>{};
  }
};

TEST(Serial, SaysThatNobodyAnswers) {
  const auto device = open_serial(std::make_unique<Silence>(), 100);
  ASSERT_FALSE(device.ok());
  EXPECT_EQ(device.error().code, ErrorCode::kIo);
  EXPECT_NE(device.error().message.find("no answer"), std::string::npos);
}

TEST(Serial, CrcIsTheStandardOne) {
  const std::string check = "123456789";  // the catalogue's check value
  EXPECT_EQ(crc16(std::span(reinterpret_cast<const std::uint8_t*>(check.data()), check.size())),
            0x29B1);
}

TEST(Tty, CarriesEveryByteBothWays) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(master, 0);
  ASSERT_EQ(::grantpt(master), 0);
  ASSERT_EQ(::unlockpt(master), 0);
  auto tty = open_tty(::ptsname(master), 3'000'000);
  ASSERT_TRUE(tty.ok()) << tty.error().message;
  std::vector<std::uint8_t> all(256), got(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  ASSERT_TRUE((*tty)->write(all).ok());
  ASSERT_EQ(::read(master, got.data(), got.size()), 256);
  EXPECT_EQ(got, all);
  ASSERT_EQ(::write(master, all.data(), all.size()), 256);
  got.clear();
  while (got.size() < all.size()) {
    const auto some = (*tty)->read(256, std::chrono::milliseconds(500));
    ASSERT_TRUE(some.ok() && !some->empty());
    got.insert(got.end(), some->begin(), some->end());
  }
  EXPECT_EQ(got, all);
  EXPECT_TRUE((*tty)->read(1, std::chrono::milliseconds(1)).value().empty());
  ::close(master);
}

TEST(Tty, RefusesWhatIsNoLine) {
  EXPECT_FALSE(open_tty("/dev/null", 115200).ok());
  EXPECT_FALSE(open_tty("/nonexistent/tty", 115200).ok());
  EXPECT_FALSE(open_tty("/dev/null", 12345).ok());
}

}  // namespace
}  // namespace nbq::hw
