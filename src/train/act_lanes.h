#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "model/act_format.h"

// Private to src/train's kernels: values of activations in a register's worth of lanes. bfloat16 is
// its 16 bits.
namespace nbq {

using Bf16 = std::uint16_t;

/// Elements of a word of a mask, and of a step of the kernels.
inline constexpr int kLanes = 16;
/// Bit l of word w belongs to element 16 w + l.
using MaskWord = std::uint16_t;

/// Of each lane in a word: a table, as shifts by different counts are not in every vector unit.
inline constexpr std::uint32_t kBit[kLanes] = {
    1u << 0, 1u << 1, 1u << 2,  1u << 3,  1u << 4,  1u << 5,  1u << 6,  1u << 7,
    1u << 8, 1u << 9, 1u << 10, 1u << 11, 1u << 12, 1u << 13, 1u << 14, 1u << 15};

constexpr std::int64_t mask_words(std::int64_t count) { return (count + kLanes - 1) / kLanes; }

#define NBQ_INLINE [[gnu::always_inline]] inline
/// Also called by the GPU's kernels.
#if defined(__CUDACC__)
#define NBQ_LANE __host__ __device__ inline
#else
#define NBQ_LANE NBQ_INLINE
#endif

NBQ_LANE float load(const float* p, std::int64_t i) { return p[i]; }
NBQ_LANE double load(const double* p, std::int64_t i) { return p[i]; }
NBQ_LANE float load(const Bf16* p, std::int64_t i) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(p[i]) << 16);
}

/// Of values with at most 8 significant bits, whose upper half is all.
NBQ_LANE void store_exact(float* p, std::int64_t i, float v) { p[i] = v; }
NBQ_LANE void store_exact(Bf16* p, std::int64_t i, float v) {
  p[i] = static_cast<Bf16>(std::bit_cast<std::uint32_t>(v) >> 16);
}

/// Rounds to the nearest, ties to even. A NaN may become infinity, which is found as well.
NBQ_LANE void store_rounded(float* p, std::int64_t i, float v) { p[i] = v; }
NBQ_LANE void store_rounded(Bf16* p, std::int64_t i, float v) {
  const auto bits = std::bit_cast<std::uint32_t>(v);
  p[i] = static_cast<Bf16>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/// g where bit l of the word is set, else 0.
NBQ_INLINE float where_bit(MaskWord word, int l, float g) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(g);
  return std::bit_cast<float>((word & kBit[l]) != 0 ? bits : 0u);
}

/// Rounding of t = acc 2^-exp + 1/2 to a format's values. Real: float or double.
template <class Real>
struct Rounding {
  Real lo, hi, end;
  float unit;

  explicit Rounding(const ActFormat& f)
      : lo(static_cast<Real>(f.lo)),
        hi(static_cast<Real>(f.hi)),
        end(hi + 1),
        unit(std::ldexp(1.0f, f.exp)) {}

  /// `bit` if the gradient passes, else 0.
  NBQ_LANE std::uint32_t inside(Real t, std::uint32_t bit) const {
    // Not a choice, which would become a branch.
    return (0u - static_cast<std::uint32_t>((t >= lo) & (t < end))) & bit;
  }
  /// clamp(floor(t), lo, hi) 2^exp; NaN becomes lo.
  NBQ_LANE float value(Real t) const {
    // Clamping to integers commutes with floor, and makes the nearest integer easy: where the
    // mantissa ends at 1, an addition rounds to it. No choices, which would become branches.
    constexpr Real kOnes = Real{1.5} / std::numeric_limits<Real>::epsilon();
    Real u = t > lo ? t : lo;
    u = u < hi ? u : hi;
    const Real nearest = (u + kOnes) - kOnes;
    return static_cast<float>(nearest - static_cast<Real>(nearest > u)) * unit;
  }
};

}  // namespace nbq
