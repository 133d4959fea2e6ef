#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_max_pool(const Node& node, const std::vector<Shape>& in) {
  NBQ_TRY(expect_inputs(node, in.size(), 1));
  const Window& w = std::get<MaxPoolAttrs>(node.attrs).window;
  NBQ_ASSIGN(const Shape out, window_shape(in[0], w, in[0].c, node.name));
  // Every window must touch the map, or its maximum is not defined.
  if (w.pad_top >= w.kernel_h || w.pad_bottom >= w.kernel_h || w.pad_left >= w.kernel_w ||
      w.pad_right >= w.kernel_w || w.dilation_h != 1 || w.dilation_w != 1)
    return make_error(ErrorCode::kBadFile,
                      "{}: max_pool needs padding smaller than its kernel and no dilation",
                      node.name);
  return LayerInfo{out, {}, 0};
}

Result<AccBound> bound_max_pool(const Node&, const std::vector<const Node*>& in) {
  return pass_through(*in[0]);
}

}  // namespace nbq
