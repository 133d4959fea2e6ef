#pragma once
#include "train/weight_method.h"

// Private to src/train.
namespace nbq {

/// Exponents of DeepShift's b bits: 2^(b-1) - 1 of them up to that of the largest weight; a code is
/// left for 0.
struct ShiftRange {
  ShiftRange(const at::Tensor& w, int bits)
      : top(at::round(at::log2(w.abs().max().clamp_min(1e-30)))), below((1 << (bits - 1)) - 2) {}
  at::Tensor clamp(const at::Tensor& exponent) const {
    return at::minimum(at::maximum(exponent, top - below), top);
  }
  at::Tensor top;  ///< of the layer
  int below;
};

/// log2|w| in the range; 0 counts as the smallest.
inline at::Tensor shift_of(const at::Tensor& w, const ShiftRange& range) {
  return range.clamp(at::log2(w.abs().clamp_min(1e-30)));
}

}  // namespace nbq
