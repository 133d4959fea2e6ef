#include "infer/kernels/kernels.h"
#include "infer/kernels/neon_lanes.h"

namespace nbq::infer {
namespace {

/// One product a 16-bit lane and step: at most 128 x the largest level, of which three are less
/// than the two of 255 x the largest level that DotTile::widen counts.
struct BytesNeon : SignedBytesNeon {
  struct Sum {
    int16x8_t low, high;
  };
  static constexpr bool kNarrow = true;
  static constexpr int kStepsEach = 3;
  static Sum zero() { return {vdupq_n_s16(0), vdupq_n_s16(0)}; }
  static Sum dot(Sum sum, int8x16_t x, Weights w) {
    return {vmlal_s8(sum.low, vget_low_s8(x), vget_low_s8(w)), vmlal_high_s8(sum.high, x, w)};
  }
  static Wide widen(Sum sum) { return vpaddq_s32(vpaddlq_s16(sum.low), vpaddlq_s16(sum.high)); }
  // Pairs of weights: smaller than a product.
  static Sum add_weights(Sum sum, Weights w) { return {vpadalq_s8(sum.low, w), sum.high}; }
  static Wide bias(Sum sum) { return times128(vpaddlq_s16(sum.low)); }
};

double step_cost(bool /*wide*/, int vectors, int pixels) {
  return step_cost_neon(vectors, pixels, 2, 1);
}

}  // namespace

// 32 registers: two for a sum, one for each vector's weights and their sum, two for activations.
void kernels_neon(KernelSet& s) {
  fill_neon(s);
  s.step_cost = step_cost;
  fill_tiles<BytesNeon, 1, 12>(s.dot8[0]);
  fill_tiles<BytesNeon, 2, 6>(s.dot8[1]);
  s.packed_dot8 = packed_dot8<CodesNeon, BytesNeon>;
}

}  // namespace nbq::infer
