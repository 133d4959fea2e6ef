#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_flatten(const Node& node, const std::vector<Shape>& in) {
  NBQ_TRY(expect_inputs(node, in.size(), 1));
  return LayerInfo{{static_cast<int>(in[0].size()), 1, 1}, {}, 0};
}

Result<AccBound> bound_flatten(const Node&, const std::vector<const Node*>& in) {
  return pass_through(*in[0]);
}

}  // namespace nbq
