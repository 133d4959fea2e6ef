#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_relu(const Node& node, const std::vector<Shape>& in) {
  NBQ_TRY(expect_inputs(node, in.size(), 1));
  if (!(std::get<ReluAttrs>(node.attrs).max >= 0))
    return make_error(ErrorCode::kBadFile, "{}: relu's max must not be negative", node.name);
  return LayerInfo{in[0], {}, 0};
}

Result<AccBound> bound_relu(const Node&, const std::vector<const Node*>& in) {
  return pass_through(*in[0]);
}

}  // namespace nbq
