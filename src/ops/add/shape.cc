#include "core/fixed_point.h"
#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_add(const Node& node, const std::vector<Shape>& in) {
  NBQ_TRY(expect_inputs(node, in.size(), 2));
  if (!(in[0] == in[1]))
    return make_error(ErrorCode::kBadFile, "{}: add of {}x{}x{} and {}x{}x{}", node.name, in[0].c,
                      in[0].h, in[0].w, in[1].c, in[1].h, in[1].w);
  return LayerInfo{in[0], {}, 0};
}

// Both operands are shifted left onto the finer scale, exactly.
Result<AccBound> bound_add(const Node& node, const std::vector<const Node*>& in) {
  const int exp = std::min(in[0]->act.exp, in[1]->act.exp);
  std::int64_t sum = 0;
  for (const Node* operand : in) {
    const int shift = operand->act.exp - exp;
    if (shift > kMaxLeftShift)
      return make_error(ErrorCode::kOverflow,
                        "{}: its operands' scales differ by 2^{}, more than 2^{}", node.name, shift,
                        kMaxLeftShift);
    sum += operand->act.max_abs() << shift;
  }
  return AccBound{{sum}, {exp}};
}

}  // namespace nbq
