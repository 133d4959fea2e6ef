#include "core/fixed_point.h"
#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_avg_pool(const Node& node, const std::vector<Shape>& in) {
  NBQ_TRY(expect_inputs(node, in.size(), 1));
  const Window& w = std::get<AvgPoolAttrs>(node.attrs).window;
  NBQ_ASSIGN(const Shape out, window_shape(in[0], w, in[0].c, node.name));
  return LayerInfo{out, {}, 0};
}

Result<AccBound> bound_avg_pool(const Node& node, const std::vector<const Node*>& in) {
  const Window& w = std::get<AvgPoolAttrs>(node.attrs).window;
  const std::int64_t count = std::int64_t{w.kernel_h} * w.kernel_w;
  const Po2Reciprocal r = po2_reciprocal(static_cast<int>(count));
  return AccBound{{in[0]->act.max_abs() * count * r.magnitude()}, {in[0]->act.exp - r.frac_bits}};
}

}  // namespace nbq
