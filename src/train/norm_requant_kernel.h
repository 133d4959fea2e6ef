#pragma once
#include <cstdint>

#include "train/act_lanes.h"

// Private to src/train: the loops of a live norm with requantisation, without libtorch so that they
// get compiler options of their own.
namespace nbq {

/// `count` elements in memory order whose per-channel numbers repeat every `period`, a multiple of
/// kLanes: the arrays of numbers have that many entries. The last period may be cut short. Masks
/// begin on a word.
struct NormStrip {
  std::int64_t count, period;
};

/// sum += z - pivot, square += (z - pivot)^2.
template <class In>
void norm_sums(const In* z, NormStrip strip, const float* pivot, float* sum, float* square);

/// y = u = (z - mean) gain + offset; with a format (else null)  clamp(floor(u), lo, hi) 2^exp, and
/// the mask, unless null: what the clamp leaves. A bfloat16 y of a format must hold its integers
/// exactly.
template <class In, class Out>
void norm_apply(const In* z, NormStrip strip, const float* mean, const float* gain,
                const float* offset, const ActFormat* format, Out* y, MaskWord* mask);

/// sum += g, product += g (z - mean), where g is 0 outside the mask (null: everything is inside).
template <class Out, class In>
void norm_gradient_sums(const Out* grad, const MaskWord* mask, const In* z, NormStrip strip,
                        const float* mean, float* sum, float* product);

/// dz = gain g + slope (z - mean) + offset.
struct NormGradient {
  const float *gain, *slope, *mean, *offset;
};
template <class Out, class In>
void norm_gradient(const Out* grad, const MaskWord* mask, const In* z, NormStrip strip,
                   const NormGradient& numbers, In* dz);

}  // namespace nbq
