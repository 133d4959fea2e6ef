#include "hw/job.h"

namespace nbq::hw {

// A flattened map is read where it lies: the layer is a convolution as large as the map.
Result<ArrayJob> emit_linear(const EmitContext& e) {
  const Node& n = e.node();
  const Node& flat = e.operand(0);
  const Shape map = flat.kind() == OpKind::kFlatten && flatten_in_place(e.graph, n.inputs[0])
                        ? e.graph.nodes[static_cast<std::size_t>(flat.inputs[0])].shape
                        : flat.shape;
  Pass p;
  p.window.kernel_h = map.h;
  p.window.kernel_w = map.w;
  p.weight = [&n, map](int, int oc, int ic, int ky, int kx) {
    const std::int64_t at =
        std::int64_t{oc} * map.size() + (std::int64_t{ic} * map.h + ky) * map.w + kx;
    return n.po2.codes[static_cast<std::size_t>(at)].value(Po2Format{n.po2.bits});
  };
  p.range = [map](int, int) { return ChannelRange{0, map.c}; };
  return ArrayJob{ArrayJob::Kind::kConv, {std::move(p)}, -1};
}

}  // namespace nbq::hw
