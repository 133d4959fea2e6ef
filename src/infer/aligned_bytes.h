#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace nbq::infer {

/// Bytes that begin on a cache line, zero at first.
class AlignedBytes {
 public:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kHuge = std::size_t{2} << 20;  ///< a large page

  AlignedBytes() = default;
  /// Throws std::bad_alloc.
  explicit AlignedBytes(std::size_t size) : size_(size) {
    const std::size_t alignment = size >= kHuge ? kHuge : kAlignment;
    const std::size_t whole = (size + alignment - 1) / alignment * alignment;
    if (whole == 0) return;
    data_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(alignment, whole)));
    if (data_ == nullptr) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
    // Weights that stream through are read faster from large pages; without them, from small ones.
    if (size >= kHuge) (void)madvise(data_.get(), whole, MADV_HUGEPAGE);
#endif
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
