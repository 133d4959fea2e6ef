#pragma once
#include <algorithm>
#include <cstdint>

#include "infer/aligned_bytes.h"
#include "model/quantise.h"

// What the 32-bit kernels can do of an output stage, and its numbers per channel.
namespace nbq::infer {

inline constexpr int kMaxKernelBits = 31;  ///< of an accumulator
inline constexpr int kMaxKernelRight = 30, kMaxKernelLeft = 14;

inline bool shifts_fit(const OutputStage& stage) {
  return std::all_of(stage.shifts.begin(), stage.shifts.end(),
                     [](int r) { return -r <= kMaxKernelLeft && r <= kMaxKernelRight; });
}

/// Half of 2^right, which rounds; 0 for left shifts.
inline std::int32_t half_of(int right) { return right > 0 ? std::int32_t{1} << (right - 1) : 0; }

/// r of channel `c`; 0 for logits.
inline int shift_of(const OutputStage& stage, std::size_t c) {
  return stage.raw ? 0 : stage.shifts[stage.shifts.size() == 1 ? 0 : c];
}

/// int32 per channel, padded with zeros to whole vectors.
class ChannelInts {
 public:
  ChannelInts() = default;
  explicit ChannelInts(std::size_t padded) : bytes_(padded * sizeof(std::int32_t)) {}
  std::int32_t* data() const { return reinterpret_cast<std::int32_t*>(bytes_.data()); }
  std::int32_t& operator[](std::size_t i) const { return data()[i]; }
  std::size_t bytes() const { return bytes_.size(); }

 private:
  AlignedBytes bytes_;
};

/// An output stage's numbers per channel as the kernels take them. `bias` holds what rounds; the
/// rest of it is the layer's.
struct StageInts {
  ChannelInts bias, right, left;
  bool any_left = false;

  StageInts() = default;
  /// `channels` channels from the stage's `first` on, padded to `padded`.
  StageInts(const OutputStage& stage, std::size_t first, std::size_t channels, std::size_t padded)
      : bias(padded), right(padded), left(padded) {
    for (std::size_t c = 0; c < channels; ++c) {
      const int r = shift_of(stage, first + c);
      bias[c] = half_of(r);
      right[c] = std::max(r, 0);
      left[c] = std::max(-r, 0);
      any_left = any_left || r < 0;
    }
  }
  /// The shifts to the left of the channels from `first` on; null: there are none.
  const std::int32_t* left_from(std::size_t first = 0) const {
    return any_left ? left.data() + first : nullptr;
  }
};

/// Modulo 2^32: intermediate sums may wrap, whole ones are proved to fit.
inline std::int32_t wrap(std::int64_t v) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(v)));
}

}  // namespace nbq::infer
