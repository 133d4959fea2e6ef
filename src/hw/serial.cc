#include "hw/serial.h"

#include <algorithm>

#include "core/log.h"

namespace nbq::hw {
namespace {

constexpr std::uint8_t kToBoard = 0x5A, kToHost = 0xA5;
enum Op : std::uint8_t { kWrite = 0, kRead = 1, kHello = 2 };
constexpr std::size_t kMaxWords = 256;
/// Longer than the board takes to drop a broken frame, and than a USB adapter holds bytes back.
constexpr std::chrono::milliseconds kPatience{200};

void append_word(std::vector<std::uint8_t>& bytes, std::uint32_t w) {
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(w >> (8 * i)));
}

void append_crc(std::vector<std::uint8_t>& frame) {
  const std::uint16_t crc = crc16(std::span(frame).subspan(1));
  frame.push_back(static_cast<std::uint8_t>(crc >> 8));
  frame.push_back(static_cast<std::uint8_t>(crc));
}

class SerialDevice final : public Device {
 public:
  SerialDevice(std::unique_ptr<ByteLink> link, double clock_mhz)
      : link_(std::move(link)), clock_mhz_(clock_mhz) {}
  ~SerialDevice() override { flush(); }
  SerialDevice(const SerialDevice&) = delete;
  SerialDevice& operator=(const SerialDevice&) = delete;

  Status hello() {
    exchange(kHello, 0, {}, 0);
    return health_;
  }

  void write(std::uint32_t reg, std::uint32_t value) override {
    if (!pending_.empty() && (reg != pending_reg_ || pending_.size() == kMaxWords)) flush();
    pending_reg_ = reg;
    pending_.push_back(value);
  }
  std::uint32_t read(std::uint32_t reg) override {
    flush();
    const auto words = exchange(kRead, reg, {}, 1);
    return words.empty() ? 0 : words[0];
  }
  void wait(std::uint64_t) override { flush(); }
  std::uint64_t clock() const override {
    const std::chrono::duration<double, std::micro> us = std::chrono::steady_clock::now() - start_;
    return static_cast<std::uint64_t>(us.count() * clock_mhz_);
  }
  Status health() const override { return health_; }

 private:
  void flush() {
    if (pending_.empty()) return;
    const std::vector<std::uint32_t> words = std::exchange(pending_, {});
    exchange(kWrite, pending_reg_, words, 0);
  }

  /// Sends a frame until it is answered. Returns the `expect` words of the answer.
  std::vector<std::uint32_t> exchange(Op op, std::uint32_t reg,
                                      const std::vector<std::uint32_t>& words, std::size_t expect) {
    if (!health_.ok()) return {};
    const std::uint8_t seq = ++seq_;
    const std::size_t count = op == kWrite ? words.size() : expect;
    std::vector<std::uint8_t> frame = {kToBoard, seq, op, static_cast<std::uint8_t>(reg),
                                       static_cast<std::uint8_t>(count)};
    for (const std::uint32_t w : words) append_word(frame, w);
    append_crc(frame);
    std::string reason = "no answer";
    for (int attempt = 0; attempt < kSerialTries; ++attempt) {
      if (Status s = link_->write(frame); !s.ok()) {
        health_ = s;
        return {};
      }
      auto answer = receive(seq, expect, reason);
      if (!answer.ok()) {
        health_ = answer.error();
        return {};
      }
      if (answer->done) return answer->words;
      log_debug("serial line: {}, again", reason);
    }
    health_ = make_error(ErrorCode::kIo, "the serial line: {} after {} tries of register {}",
                         reason, kSerialTries, reg);
    return {};
  }

  struct Answer {
    bool done = false;
    std::vector<std::uint32_t> words;
  };

  /// Looks for the answer to `seq`; passes over other bytes. Not done: why is in `reason`.
  Result<Answer> receive(std::uint8_t seq, std::size_t expect, std::string& reason) {
    std::vector<std::uint8_t> got;
    for (;;) {
      // From the next byte that may begin a frame on.
      got.erase(got.begin(), std::find(got.begin(), got.end(), kToHost));
      const std::size_t payload = got.size() > 3 ? got[3] : 0;  // what a read asks for is < 256
      const std::size_t whole = 4 + 4 * payload + 2;
      if (got.size() >= 4 && (got[1] != seq || payload > expect)) {
        got.erase(got.begin());  // an answer to something older, or garbage
        continue;
      }
      if (got.size() >= 4 && got.size() >= whole) {
        if (crc16(std::span(got).subspan(1, whole - 1)) != 0) {
          got.erase(got.begin());
          reason = "a damaged answer";
          continue;
        }
        return judge(got, expect, reason);
      }
      NBQ_ASSIGN(const auto more, link_->read(whole - got.size(), kPatience));
      if (more.empty()) return Answer{};
      got.insert(got.end(), more.begin(), more.end());
    }
  }

  static Result<Answer> judge(const std::vector<std::uint8_t>& frame, std::size_t expect,
                              std::string& reason) {
    Answer a;
    if (frame[2] == 2)
      return make_error(ErrorCode::kIo, "the serial line: the board knows no such frame");
    if (frame[2] != 0 || frame[3] != expect) {
      reason = "the board got a damaged frame";
      return a;
    }
    for (std::size_t i = 0; i < expect; ++i) {
      std::uint32_t w = 0;
      for (std::size_t b = 0; b < 4; ++b) w |= std::uint32_t{frame[4 + 4 * i + b]} << (8 * b);
      a.words.push_back(w);
    }
    a.done = true;
    return a;
  }

  std::unique_ptr<ByteLink> link_;
  double clock_mhz_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Status health_ = ok_status();
  std::uint8_t seq_ = 0;
  std::uint32_t pending_reg_ = 0;
  std::vector<std::uint32_t> pending_;
};

}  // namespace

std::uint16_t crc16(std::span<const std::uint8_t> bytes) {
  unsigned crc = 0xFFFF;
  for (const std::uint8_t b : bytes) {
    crc ^= static_cast<unsigned>(b) << 8;
    for (int i = 0; i < 8; ++i)
      crc = ((crc << 1) ^ ((crc & 0x8000U) != 0 ? 0x1021U : 0U)) & 0xFFFFU;
  }
  return static_cast<std::uint16_t>(crc);
}

Result<std::unique_ptr<Device>> open_serial(std::unique_ptr<ByteLink> link, double clock_mhz) {
  auto device = std::make_unique<SerialDevice>(std::move(link), clock_mhz);
  NBQ_TRY(device->hello());
  return std::unique_ptr<Device>(std::move(device));
}

}  // namespace nbq::hw
