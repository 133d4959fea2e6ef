#include "infer/kernels/kernels.h"
#include "infer/kernels/neon_lanes.h"

namespace nbq::infer {
namespace {

struct DotBytesNeon : SignedBytesNeon {
  using Sum = int32x4_t;
  static constexpr bool kNarrow = false;
  static Sum zero() { return vdupq_n_s32(0); }
  static Sum dot(Sum sum, int8x16_t x, Weights w) { return vdotq_s32(sum, x, w); }
  static Wide widen(Sum sum) { return sum; }
  static Sum add_weights(Sum sum, Weights w) { return vdotq_s32(sum, w, vdupq_n_s8(1)); }
  static Wide bias(Sum sum) { return times128(sum); }
};

double step_cost(bool wide, int vectors, int pixels) {
  return step_cost_neon(vectors, pixels, wide ? 2 : 1, 2);
}

}  // namespace

// 32 registers: a tile's sums, for each vector its weights and their sum, activations, two
// constants.
void kernels_neondot(KernelSet& s) {
  fill_neon(s);
  s.step_cost = step_cost;
  fill_tiles<DotBytesNeon, 1, 16>(s.dot8[0]);
  fill_tiles<DotBytesNeon, 2, 12>(s.dot8[1]);
  fill_tiles<DotBytesNeon, 4, 5>(s.dot8[2]);
  s.packed_dot8 = packed_dot8<CodesNeon, DotBytesNeon>;
}

}  // namespace nbq::infer
