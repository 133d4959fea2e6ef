#include "infer/kernels/avx512_lanes.h"
#include "infer/kernels/kernels.h"

namespace nbq::infer {
// 32 registers: a tile's accumulators, one vector of weights for each of the block's, one of
// activations.
void kernels_avx512vnni(KernelSet& s) {
  s.lanes = Lanes512::kLanes;
  s.step_cost = step_cost512;
  s.shared_taps = Lanes512::kSharedTaps;
  fill_tiles<Bytes512, 1, 16>(s.dot8[0]);
  fill_tiles<Bytes512, 2, 14>(s.dot8[1]);
  fill_tiles<Bytes512, 4, 6>(s.dot8[2]);
  fill_tiles<Words512, 1, 16>(s.dot16[0]);
  fill_tiles<Words512, 2, 14>(s.dot16[1]);
  fill_tiles<Words512, 4, 6>(s.dot16[2]);
  s.decode8 = decode8<Codes512>;
  s.decode16 = decode16<Codes512>;
  s.packed_dot8 = packed_dot8<Codes512, Bytes512>;
  s.winograd =
      winograd_kernels<Word512, Int512>({.input = 240, .weights = 230, .output = 150, .call = 120});
  s.finish = finish<Int512, Quad512>;
  s.map = map<Int512>;
}

}  // namespace nbq::infer
