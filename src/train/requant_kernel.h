#pragma once
#include <cstdint>

#include "train/act_lanes.h"

// Private to src/train: the loops over activations, without libtorch so that they get compiler
// options of their own.
namespace nbq {

/// out = clamp(floor(acc 2^-exp + 1/2), lo, hi) 2^exp; NaN becomes lo. mask, unless null: acc
/// 2^-exp is in [lo - 1/2, hi + 1/2). A bfloat16 `out` must hold the format's integers exactly.
template <class In, class Out>
void requantise_run(const In* acc, Out* out, MaskWord* mask, std::int64_t count,
                    const ActFormat& format);

/// out = mask ? grad : 0.
template <class In, class Out>
void mask_run(const In* grad, const MaskWord* mask, Out* out, std::int64_t count);

}  // namespace nbq
