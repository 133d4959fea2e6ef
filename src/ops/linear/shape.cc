#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_linear(const Node& node, const std::vector<Shape>& in) {
  NBQ_TRY(expect_inputs(node, in.size(), 1));
  const auto& a = std::get<LinearAttrs>(node.attrs);
  if (in[0].h != 1 || in[0].w != 1)
    return make_error(ErrorCode::kBadFile,
                      "{}: linear needs a flat input, it gets {}x{}x{}; put a "
                      "flatten before it",
                      node.name, in[0].c, in[0].h, in[0].w);
  if (a.out_features < 1 || a.out_features > (1 << 20) ||
      std::int64_t{a.out_features} * in[0].c > (std::int64_t{1} << 28))
    return make_error(ErrorCode::kBadFile, "{}: out_features is {}", node.name, a.out_features);
  LayerInfo info{{a.out_features, 1, 1}, {}, std::int64_t{a.out_features} * in[0].c};
  info.params.push_back({"weight", {a.out_features, in[0].c}});
  if (a.bias) info.params.push_back({"bias", {a.out_features}});
  return info;
}

Result<AccBound> bound_linear(const Node& node, const std::vector<const Node*>& in) {
  return weighted_bound(node, *in[0], node.shape.c);
}

}  // namespace nbq
