#include "core/fixed_point.h"
#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_global_avg_pool(const Node& node, const std::vector<Shape>& in) {
  NBQ_TRY(expect_inputs(node, in.size(), 1));
  return LayerInfo{{in[0].c, 1, 1}, {}, 0};
}

Result<AccBound> bound_global_avg_pool(const Node&, const std::vector<const Node*>& in) {
  const std::int64_t count = std::int64_t{in[0]->shape.h} * in[0]->shape.w;
  const Po2Reciprocal r = po2_reciprocal(static_cast<int>(count));
  return AccBound{{in[0]->act.max_abs() * count * r.magnitude()}, {in[0]->act.exp - r.frac_bits}};
}

}  // namespace nbq
