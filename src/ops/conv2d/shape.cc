#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_conv2d(const Node& node, const std::vector<Shape>& in) {
  NBQ_TRY(expect_inputs(node, in.size(), 1));
  const auto& a = std::get<Conv2dAttrs>(node.attrs);
  const Shape& x = in[0];
  if (a.out_channels < 1 || a.out_channels > (1 << 16))
    return make_error(ErrorCode::kBadFile, "{}: out_channels must be in 1..65536, it is {}",
                      node.name, a.out_channels);
  if (a.groups < 1 || x.c % a.groups != 0 || a.out_channels % a.groups != 0)
    return make_error(
        ErrorCode::kBadFile,
        "{}: groups ({}) must divide the input channels ({}) and the output channels ({})",
        node.name, a.groups, x.c, a.out_channels);
  NBQ_ASSIGN(const Shape out, window_shape(x, a.window, a.out_channels, node.name));
  const std::int64_t per_group = x.c / a.groups;
  const std::int64_t taps = per_group * a.window.kernel_h * a.window.kernel_w;
  if (taps * a.out_channels > (std::int64_t{1} << 28))
    return make_error(ErrorCode::kBadFile, "{}: more than 2^28 weights", node.name);
  LayerInfo info{out, {}, taps * out.size()};
  info.params.push_back(
      {"weight", {a.out_channels, per_group, a.window.kernel_h, a.window.kernel_w}});
  if (a.bias) info.params.push_back({"bias", {a.out_channels}});
  return info;
}

Result<AccBound> bound_conv2d(const Node& node, const std::vector<const Node*>& in) {
  return weighted_bound(node, *in[0], node.shape.c);
}

}  // namespace nbq
