#pragma once
#include <cstdint>
#include <vector>

namespace nbq::hw {

/// Packs fields low bits first into 32-bit words: one memory word as the host port takes it.
class WordPacker {
 public:
  /// The low `bits` (1..64) of `value`.
  void append(std::uint64_t value, int bits) {
    for (int done = 0; done < bits;) {
      if (used_ == 0) words_.push_back(0);
      const int take = bits - done < 32 - used_ ? bits - done : 32 - used_;
      const std::uint64_t chunk = (value >> done) & ((std::uint64_t{1} << take) - 1);
      words_.back() |= static_cast<std::uint32_t>(chunk << used_);
      used_ = (used_ + take) % 32;
      done += take;
    }
  }
  const std::vector<std::uint32_t>& words() const { return words_; }

 private:
  std::vector<std::uint32_t> words_;
  int used_ = 0;
};

}  // namespace nbq::hw
