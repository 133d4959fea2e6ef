#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace nbq::infer {

/// Bytes that begin on a cache line, zero at first.
class AlignedBytes {
 public:
  static constexpr std::size_t kAlignment = 64;

  AlignedBytes() = default;
  /// Throws std::bad_alloc.
  explicit AlignedBytes(std::size_t size) : size_(size) {
    const std::size_t whole = (size + kAlignment - 1) / kAlignment * kAlignment;
    if (whole == 0) return;
    data_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(kAlignment, whole)));
    if (data_ == nullptr) throw std::bad_alloc();
    std::memset(data_.get(), 0, whole);
  }
  std::uint8_t* data() const { return data_.get(); }
  std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::uint8_t* p) const { std::free(p); }
  };
  std::unique_ptr<std::uint8_t, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace nbq::infer
