#pragma once
// For tests: cells of the RTL through Verilator.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>

#include "hw/rtl_build.h"

namespace nbq::hw {

/// One Verilated wrapper of rtl/sim/nbq_cell_*.sv.
class RtlCell {
 public:
  RtlCell(const std::string& top, const RtlParameters& parameters,
          std::vector<std::filesystem::path> more = {}) {
    more.push_back("sim/" + top + ".sv");
    const auto path = build_model({top, parameters, "sim/cell_harness.cc", more});
    if (!path.ok()) {
      error_ = path.error();
      return;
    }
    void* handle = ::dlopen(path->c_str(), RTLD_NOW | RTLD_LOCAL);
    NBQ_CHECK(handle != nullptr);
    const auto create = reinterpret_cast<void* (*)()>(::dlsym(handle, "nbq_cell_create"));
    destroy_ = reinterpret_cast<void (*)(void*)>(::dlsym(handle, "nbq_cell_destroy"));
    run_ = reinterpret_cast<decltype(run_)>(::dlsym(handle, "nbq_cell_run"));
    cell_ = create();
  }
  ~RtlCell() {
    if (cell_ != nullptr) destroy_(cell_);
  }
  RtlCell(const RtlCell&) = delete;
  RtlCell& operator=(const RtlCell&) = delete;

  bool ok() const { return cell_ != nullptr; }
  const Error& error() const { return error_; }
  void clear() { in_ = {}; }
  void put(int low, int bits, std::int64_t value) {
    for (int i = 0; i < bits; ++i) {
      std::uint32_t& word = in_[static_cast<std::size_t>((low + i) / 32)];
      const std::uint32_t mask = 1U << ((low + i) % 32);
      word = ((value >> i) & 1) != 0 ? word | mask : word & ~mask;
    }
  }
  std::int64_t run(std::uint32_t cycles) {
    std::array<std::uint32_t, 2> out{};
    run_(cell_, in_.data(), out.data(), cycles);
    return static_cast<std::int64_t>(std::uint64_t{out[1]} << 32 | out[0]);
  }

 private:
  Error error_{};
  void* cell_ = nullptr;
  void (*destroy_)(void*) = nullptr;
  void (*run_)(void*, const std::uint32_t*, std::uint32_t*, std::uint32_t) = nullptr;
  std::array<std::uint32_t, 16> in_{};
};

#define NBQ_NEEDS_CELL(cell)                                          \
  if (!(cell).ok() && (cell).error().code == ErrorCode::kToolMissing) \
    GTEST_SKIP() << (cell).error().message;                           \
  ASSERT_TRUE((cell).ok()) << (cell).error().message

}  // namespace nbq::hw
