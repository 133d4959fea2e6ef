#include "hw/uio.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <thread>

#include "core/file.h"
#include "hw/isa.h"

namespace nbq::hw {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kWindow = 4096;  // rtl/nbq_axil.sv

/// Keeps the accesses of both mappings in order, as the engine sees them.
void barrier() {
#if defined(__aarch64__)
  asm volatile("dsb sy" ::: "memory");
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

/// A file's bytes in memory, shared with whoever else has them.
class Mapping {
 public:
  static Result<Mapping> open(const fs::path& path, std::size_t bytes) {
    // O_SYNC: u-dma-buf then maps without a cache, so that both sides see each other's writes.
    const int fd = ::open(path.c_str(), O_RDWR | O_SYNC | O_CLOEXEC);
    if (fd < 0)
      return make_error(ErrorCode::kIo, "{}: can't be opened: {}", path.string(),
                        std::strerror(errno));
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const int failed = at == MAP_FAILED ? errno : 0;
    ::close(fd);
    if (failed != 0)
      return make_error(ErrorCode::kIo, "{}: {} bytes can't be mapped: {}", path.string(), bytes,
                        std::strerror(failed));
    return Mapping(at, bytes);
  }
  Mapping(Mapping&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), bytes_(other.bytes_) {}
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping() {
    if (at_ != nullptr) ::munmap(at_, bytes_);
  }
  void* at() const { return at_; }
  std::size_t size() const { return bytes_; }

 private:
  Mapping(void* at, std::size_t bytes) : at_(at), bytes_(bytes) {}
  void* at_;
  std::size_t bytes_;
};

class UioDevice final : public Device {
 public:
  UioDevice(Mapping registers, Mapping memory, std::uint64_t address, double clock_mhz)
      : registers_(std::move(registers)),
        memory_(std::move(memory)),
        address_(address),
        clock_mhz_(clock_mhz) {}

  void write(std::uint32_t reg, std::uint32_t value) override {
    barrier();
    *at(reg) = value;
  }
  std::uint32_t read(std::uint32_t reg) override {
    const std::uint32_t value = *at(reg);
    barrier();
    return value;
  }
  void wait(std::uint64_t cycles) override {
    const std::uint64_t until = clock() + cycles;
    while ((read(static_cast<std::uint32_t>(Reg::status)) & 1) != 0 && clock() < until)
      std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  std::uint64_t clock() const override {
    const std::chrono::duration<double, std::micro> us = std::chrono::steady_clock::now() - start_;
    return static_cast<std::uint64_t>(us.count() * clock_mhz_);
  }
  Result<DeviceMemory> memory(std::size_t bytes) override {
    if (bytes > memory_.size())
      return make_error(ErrorCode::kUnsupported,
                        "the network needs {} bytes of external memory, the board's buffer has {}: "
                        "load u-dma-buf with a larger one",
                        bytes, memory_.size());
    return DeviceMemory{{static_cast<std::uint8_t*>(memory_.at()), memory_.size()}, address_};
  }

 private:
  volatile std::uint32_t* at(std::uint32_t reg) const {
    NBQ_CHECK(reg < kWindow / sizeof(std::uint32_t));
    return static_cast<volatile std::uint32_t*>(registers_.at()) + reg;
  }
  Mapping registers_, memory_;
  std::uint64_t address_;
  double clock_mhz_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// A number that sysfs prints: decimal, or hexadecimal after 0x.
Result<std::uint64_t> read_number(const fs::path& path) {
  NBQ_ASSIGN(const std::string text, read_text_file(path));
  const bool hex = text.starts_with("0x");
  const char* begin = text.data() + (hex ? 2 : 0);
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), n, hex ? 16 : 10);
  if (error != std::errc() || end == begin)
    return make_error(ErrorCode::kIo, "{}: is no number", path.string());
  return n;
}

}  // namespace

Result<std::unique_ptr<Device>> open_uio(const fs::path& registers, const fs::path& memory,
                                         double clock_mhz, const fs::path& sysfs) {
  const fs::path about = sysfs / memory.filename();
  NBQ_ASSIGN(const std::uint64_t address, read_number(about / "phys_addr"));
  NBQ_ASSIGN(const std::uint64_t size, read_number(about / "size"));
  NBQ_ASSIGN(Mapping window, Mapping::open(registers, kWindow));
  NBQ_ASSIGN(Mapping buffer, Mapping::open(memory, static_cast<std::size_t>(size)));
  return std::unique_ptr<Device>(
      new UioDevice(std::move(window), std::move(buffer), address, clock_mhz));
}

}  // namespace nbq::hw
