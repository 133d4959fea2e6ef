#include "hw/job.h"

namespace nbq::hw {

// Linear layers read a map where it lies. Other readers need the channels side by side: a
// convolution as large as the map that picks one element per output channel.
Result<ArrayJob> emit_flatten(const EmitContext& e) {
  const Shape map = e.operand(0).shape;
  if (flatten_in_place(e.graph, e.id)) return ArrayJob{ArrayJob::Kind::kAlias, {}, -1};
  Pass p;
  p.window.kernel_h = map.h;
  p.window.kernel_w = map.w;
  p.weight = [map](int, int oc, int ic, int ky, int kx) {
    return oc == (ic * map.h + ky) * map.w + kx ? 1 : 0;
  };
  const int per = map.h * map.w;
  p.range = [per](int first, int last) { return ChannelRange{first / per, (last - 1) / per + 1}; };
  return ArrayJob{ArrayJob::Kind::kConv, {std::move(p)}, -1};
}

}  // namespace nbq::hw
