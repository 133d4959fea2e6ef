#include "hw/job.h"

namespace nbq::hw {
namespace {

/// The last of `kernel` taps, `dilation` apart, lies `start` behind the first; few taps, and a
/// dilation that the instruction holds (spec/isa.def).
void reach(int start, int& kernel, int& dilation) {
  constexpr int kMaxDilation = 31;
  dilation = 1;
  for (int d = 1; d <= kMaxDilation && d <= start; ++d)
    if (start % d == 0) dilation = d;
  kernel = start / dilation + 1;
}

}  // namespace

// A copy with the slice's steps as strides; along an axis that starts late only the last tap has a
// weight.
Result<ArrayJob> emit_slice(const EmitContext& e) {
  const auto& a = std::get<SliceAttrs>(e.node().attrs);
  Pass p;
  reach(a.start_h, p.window.kernel_h, p.window.dilation_h);
  reach(a.start_w, p.window.kernel_w, p.window.dilation_w);
  p.window.stride_h = a.step_h;
  p.window.stride_w = a.step_w;
  p.weight = [a, w = p.window](int, int oc, int ic, int ky, int kx) {
    return ic == a.start_c + oc * a.step_c && ky == w.kernel_h - 1 && kx == w.kernel_w - 1 ? 1 : 0;
  };
  p.range = [a](int first, int last) {
    return ChannelRange{a.start_c + first * a.step_c, a.start_c + (last - 1) * a.step_c + 1};
  };
  return ArrayJob{ArrayJob::Kind::kConv, {std::move(p)}, -1};
}

}  // namespace nbq::hw
