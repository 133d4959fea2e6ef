// A serial device of a POSIX system as a ByteLink.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "hw/serial.h"

namespace nbq::hw {
namespace {

std::optional<speed_t> speed_of(int baud) {
  constexpr std::pair<int, speed_t> kSpeeds[] = {
      {9600, B9600},       {19200, B19200},     {38400, B38400},     {57600, B57600},
      {115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},
      {921600, B921600},   {1000000, B1000000}, {1500000, B1500000}, {2000000, B2000000},
      {2500000, B2500000}, {3000000, B3000000}, {3500000, B3500000}, {4000000, B4000000}};
  for (const auto& [rate, speed] : kSpeeds)
    if (rate == baud) return speed;
  return std::nullopt;
}

class Tty final : public ByteLink {
 public:
  Tty(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~Tty() override { ::close(fd_); }
  Tty(const Tty&) = delete;
  Tty& operator=(const Tty&) = delete;

  Status write(std::span<const std::uint8_t> bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno != EINTR && errno != EAGAIN) return failed("writing");
      if (n > 0) bytes = bytes.subspan(static_cast<std::size_t>(n));
      if (n < 0 && errno == EAGAIN) {
        pollfd p{fd_, POLLOUT, 0};
        ::poll(&p, 1, 1000);
      }
    }
    // The host's patience begins when the frame is out, however slow the line.
    if (::tcdrain(fd_) != 0) return failed("writing");
    return ok_status();
  }

  Result<std::vector<std::uint8_t>> read(std::size_t max,
                                         std::chrono::milliseconds patience) override {
    pollfd p{fd_, POLLIN, 0};
    const int ready = ::poll(&p, 1, static_cast<int>(patience.count()));
    if (ready < 0 && errno != EINTR) return failed("waiting").error();
    std::vector<std::uint8_t> bytes(ready > 0 ? max : 0);
    if (bytes.empty()) return bytes;
    const ssize_t n = ::read(fd_, bytes.data(), bytes.size());
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) return failed("reading").error();
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }

 private:
  Status failed(const char* doing) const {
    return make_error(ErrorCode::kIo, "{}: {} failed: {}", path_, doing,
                      errno == 0 ? "the device is gone" : std::strerror(errno));
  }
  int fd_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<ByteLink>> open_tty(const std::string& path, int baud) {
  const auto speed = speed_of(baud);
  if (!speed)
    return make_error(ErrorCode::kIo, "{}: this system has no serial speed of {} baud", path, baud);
  const int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return make_error(ErrorCode::kIo, "{}: can't be opened: {}", path, std::strerror(errno));
  auto tty = std::make_unique<Tty>(fd, path);
  termios t{};
  if (::tcgetattr(fd, &t) != 0) return make_error(ErrorCode::kIo, "{}: is no serial device", path);
  ::cfmakeraw(&t);
  t.c_cflag = (t.c_cflag & ~static_cast<tcflag_t>(CSTOPB | CRTSCTS)) | CLOCAL | CREAD;
  t.c_cc[VMIN] = 0;
  t.c_cc[VTIME] = 0;
  if (::cfsetispeed(&t, *speed) != 0 || ::cfsetospeed(&t, *speed) != 0 ||
      ::tcsetattr(fd, TCSANOW, &t) != 0)
    return make_error(ErrorCode::kIo, "{}: does not take {} baud: {}", path, baud,
                      std::strerror(errno));
  ::tcflush(fd, TCIOFLUSH);
  return std::unique_ptr<ByteLink>(std::move(tty));
}

}  // namespace nbq::hw
