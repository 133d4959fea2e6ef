// `nbq sim --device`: the program over a serial line to a board, whose place a program model takes
// behind a pseudo terminal.
#include <fcntl.h>
#include <stdlib.h>

#include <atomic>
#include <thread>

#include "hw/choose.h"
#include "hw/program_model.h"
#include "hw/serial.h"
#include "model/nbq_file.h"
#include "nbq_command.h"

namespace nbq::testing {
namespace {

const std::string kModel = std::string(NBQ_SOURCE_DIR) + "/zoo/resnet20-cifar10-w3a8.nbq";

/// The board's end of the line, as the comment of rtl/boards/nbq_serial_host.sv has it.
class FakeBoard {
 public:
  explicit FakeBoard(const hw::EngineConfig& config)
      : engine_(hw::make_program_model(config)), master_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    EXPECT_EQ(::grantpt(master_), 0);
    EXPECT_EQ(::unlockpt(master_), 0);
    path_ = ::ptsname(master_);
    // Held open, so that the line does not end before the host comes.
    slave_ = ::open(path_.c_str(), O_RDWR | O_NOCTTY);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeBoard() {
    stop_ = true;
    const char hello[] = {0x5A};
    (void)!::write(slave_, hello, 1);  // wakes the thread
    thread_.join();
    ::close(slave_);
    ::close(master_);
  }
  FakeBoard(const FakeBoard&) = delete;
  FakeBoard& operator=(const FakeBoard&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::uint8_t next() {
    std::uint8_t byte = 0;
    if (::read(master_, &byte, 1) != 1) stop_ = true;
    return byte;
  }

  void serve() {
    while (!stop_)
      if (next() == 0x5A && !stop_) frame();
  }

  void frame() {
    std::vector<std::uint8_t> f;
    for (int i = 0; i < 4; ++i) f.push_back(next());
    const std::uint8_t seq = f[0], op = f[1], reg = f[2];
    const std::size_t count = f[3] == 0 ? 256 : f[3];
    for (std::size_t i = 0; i < (op == 0 ? 4 * count : 0) + 2; ++i) f.push_back(next());
    if (stop_) return;
    std::vector<std::uint8_t> answer = {0xA5, seq, 0, 0};
    if (hw::crc16(f) != 0) {
      answer[2] = 1;
    } else if (op == 1) {
      answer[3] = static_cast<std::uint8_t>(count);
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t w = engine_->read(reg);
        for (int b = 0; b < 4; ++b) answer.push_back(static_cast<std::uint8_t>(w >> (8 * b)));
      }
    } else if (op == 0) {
      for (std::size_t i = 0; i < count; ++i) {
        std::uint32_t w = 0;
        for (std::size_t b = 0; b < 4; ++b) w |= std::uint32_t{f[4 + 4 * i + b]} << (8 * b);
        engine_->write(reg, w);
      }
      engine_->wait(1 << 30);  // time does not pass by itself in the model
    }
    const std::uint16_t crc = hw::crc16(std::span(answer).subspan(1));
    answer.push_back(static_cast<std::uint8_t>(crc >> 8));
    answer.push_back(static_cast<std::uint8_t>(crc));
    (void)!::write(master_, answer.data(), answer.size());
  }

  std::unique_ptr<hw::Device> engine_;
  int master_, slave_;
  std::string path_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class BoardDevice : public CommandTest {
 protected:
  hw::EngineConfig config() const {
    const Graph g = load_nbq(kModel).value();
    const hw::Board board = hw::find_board("ulx3s-85f").value();
    return hw::plan_for_board(g, board, {}).value().program.config;
  }
};

TEST_F(BoardDevice, ImagesGoOverTheSerialLine) {
  const FakeBoard board(config());
  const Ran ran = run(
      {"sim", kModel, "--board", "ulx3s-85f", "--device", board.path(), "--images", "3", "--json"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.json().at("mismatches"), 0);
  EXPECT_EQ(ran.json().at("images"), 3);
  EXPECT_EQ(ran.json().at("device"), board.path());
}

TEST_F(BoardDevice, AnotherEngineThanTheBoardHasIsNamed) {
  const FakeBoard board(config());
  const Ran ran =
      run({"sim", kModel, "--board", "ulx3s-85f", "--lanes-in", "4", "--device", board.path()});
  EXPECT_EQ(ran.exit, 2) << ran.err;
  EXPECT_NE(ran.err.find("register lanes"), std::string::npos) << ran.err;
}

TEST_F(BoardDevice, WhatIsNotThereIsNamed) {
  const Ran none = run({"sim", kModel, "--board", "ulx3s-85f", "--device", "/nonexistent/tty"});
  EXPECT_NE(none.exit, 0);
  EXPECT_NE(none.err.find("/nonexistent/tty"), std::string::npos) << none.err;
  const Ran one = run({"sim", kModel, "--board", "zcu102", "--device", "/dev/uio0"});
  EXPECT_EQ(one.exit, 2);
  EXPECT_NE(one.err.find("/dev/uio0,/dev/udmabuf0"), std::string::npos) << one.err;
  EXPECT_EQ(run({"sim", kModel, "--device", "/dev/ttyUSB0"}).exit, 2);
  const Ran bus = run({"sim", kModel, "--mem-latency", "3"});
  EXPECT_EQ(bus.exit, 2);
  EXPECT_NE(bus.err.find("--axi-bits"), std::string::npos) << bus.err;
}

}  // namespace
}  // namespace nbq::testing
