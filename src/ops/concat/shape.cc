#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_concat(const Node& node, const std::vector<Shape>& in) {
  if (in.empty())
    return make_error(ErrorCode::kBadFile, "{}: concat needs at least one input", node.name);
  Shape out{0, in[0].h, in[0].w};
  for (const Shape& s : in) {
    if (s.h != out.h || s.w != out.w)
      return make_error(ErrorCode::kBadFile, "{}: concat of maps {}x{} and {}x{}", node.name, out.h,
                        out.w, s.h, s.w);
    if (s.c > (1 << 20) - out.c)
      return make_error(ErrorCode::kBadFile, "{}: concat has too many channels", node.name);
    out.c += s.c;
  }
  return LayerInfo{out, {}, 0};
}

Result<AccBound> bound_concat(const Node&, const std::vector<const Node*>& in) {
  AccBound b;
  for (const Node* operand : in) {
    b.max_abs.insert(b.max_abs.end(), static_cast<std::size_t>(operand->shape.c),
                     operand->act.max_abs());
    b.exps.insert(b.exps.end(), static_cast<std::size_t>(operand->shape.c), operand->act.exp);
  }
  return b;
}

}  // namespace nbq
