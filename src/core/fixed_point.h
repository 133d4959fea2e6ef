#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace nbq {

/// Accumulators may take up to this many bits, sign included (spec/numerics.md).
inline constexpr int kMaxAccBits = 48;

/// (v + 2^(r-1)) >> r, arithmetic, for r > 0: rounds half up. r <= 0 shifts left by -r.
/// |v| < 2^47, r in [-15, 62]; the caller clamps.
constexpr std::int64_t rshift_round(std::int64_t v, int r) {
  if (r <= 0) return static_cast<std::int64_t>(static_cast<std::uint64_t>(v) << -r);
  return (v + (std::int64_t{1} << (r - 1))) >> r;
}

/// Left shifts by at most kMaxLeftShift are allowed in a requantisation.
inline constexpr int kMaxLeftShift = 15;
inline constexpr int kMaxRightShift = 62;

/// clamp(rshift(acc, r), lo, hi): the output stage of every layer. ReLU is lo = 0.
constexpr std::int64_t requantize(std::int64_t acc, int r, std::int64_t lo, std::int64_t hi) {
  // A left shift only moves a value away from 0, and lo <= 0 <= hi: clamping first is exact.
  if (r < 0) acc = std::clamp(acc, lo, hi);
  return std::clamp(rshift_round(acc, r), lo, hi);
}

/// Bits of a two's complement integer that holds -bound..bound.
constexpr int signed_bits(std::int64_t bound) {
  int bits = 1;
  while (bound > 0) {
    bound >>= 1;
    ++bits;
  }
  return bits;
}

/// 1/n as signed powers of two: sum of sign_i * 2^(shift_i - frac_bits), at most three terms,
/// found greedily from the largest, within 15 bits (spec/numerics.md, "Average pool").
/// Exact, one term, when n is a power of two.
struct Po2Reciprocal {
  struct Term {
    bool negative;
    int shift;  ///< >= 0; the last term has shift 0
  };
  std::vector<Term> terms;
  int frac_bits;          ///< the sum is scaled by 2^-frac_bits
  double relative_error;  ///< of the sum against 1/n
  double value() const;   ///< the sum itself, exactly
  /// Sum of |2^shift_i|, for the overflow proof.
  std::int64_t magnitude() const;
};
Po2Reciprocal po2_reciprocal(int n);

}  // namespace nbq
