#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_input(const Node& node, const std::vector<Shape>& in) {
  NBQ_TRY(expect_inputs(node, in.size(), 0));
  const auto& a = std::get<InputAttrs>(node.attrs);
  constexpr int kMax = 1 << 14;
  for (const int v : {a.channels, a.height, a.width})
    if (v < 1 || v > kMax)
      return make_error(ErrorCode::kBadFile, "{}: image of {}x{}x{}, each must be in 1..{}",
                        node.name, a.channels, a.height, a.width, kMax);
  if (a.mean.size() != a.std.size() ||
      (!a.mean.empty() && a.mean.size() != static_cast<std::size_t>(a.channels)))
    return make_error(ErrorCode::kBadFile, "{}: mean and std must have one value per channel ({})",
                      node.name, a.channels);
  for (const float s : a.std)
    if (!(s > 0))
      return make_error(ErrorCode::kBadFile, "{}: std must be positive, it is {}", node.name, s);
  return LayerInfo{{a.channels, a.height, a.width}, {}, 0};
}

Result<AccBound> bound_input(const Node& node, const std::vector<const Node*>&) {
  return pass_through(node);
}

}  // namespace nbq
