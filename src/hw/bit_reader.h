#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace nbq::hw {

inline std::int64_t sign_extend(std::uint64_t v, int bits) {
  return static_cast<std::int64_t>(v << (64 - bits)) >> (64 - bits);
}

/// Takes fields out of a memory word that is given as 32-bit pieces, low first: what WordPacker
/// made.
class BitReader {
 public:
  explicit BitReader(const std::vector<std::uint32_t>& words) : words_(words) {}
  /// The next `bits` (1..48).
  std::uint64_t take(int bits) {
    std::uint64_t v = 0;
    for (int have = 0; have < bits;) {
      const int from = at_ % 32;
      const int n = std::min(bits - have, 32 - from);
      const std::uint64_t mask = (std::uint64_t{1} << n) - 1;
      v |= ((words_[static_cast<std::size_t>(at_ / 32)] >> from) & mask) << have;
      have += n;
      at_ += n;
    }
    return v;
  }

 private:
  const std::vector<std::uint32_t>& words_;
  int at_ = 0;
};

}  // namespace nbq::hw
