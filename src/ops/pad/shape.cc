#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_pad(const Node& node, const std::vector<Shape>& in) {
  NBQ_TRY(expect_inputs(node, in.size(), 1));
  const auto& a = std::get<PadAttrs>(node.attrs);
  constexpr int kMax = 1 << 14;
  for (const int v : {a.before_c, a.after_c, a.top, a.bottom, a.left, a.right})
    if (v < 0 || v > kMax)
      return make_error(ErrorCode::kBadFile, "{}: padding must be in 0..{}, one is {}", node.name,
                        kMax, v);
  // Sides of at most 2^28 and padding of 2^15: no sum overflows, the product is checked below.
  const Shape out{in[0].c + a.before_c + a.after_c, in[0].h + a.top + a.bottom,
                  in[0].w + a.left + a.right};
  constexpr std::int64_t kMaxElements = std::int64_t{1} << 28;
  if (std::int64_t{out.c} * out.h > kMaxElements / out.w)
    return make_error(ErrorCode::kBadFile, "{}: more than 2^28 activations", node.name);
  return LayerInfo{out, {}, 0};
}

// Zeros are in every format.
Result<AccBound> bound_pad(const Node&, const std::vector<const Node*>& in) {
  return pass_through(*in[0]);
}

}  // namespace nbq
