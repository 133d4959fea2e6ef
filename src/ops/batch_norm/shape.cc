#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_batch_norm(const Node& node, const std::vector<Shape>& in) {
  NBQ_TRY(expect_inputs(node, in.size(), 1));
  NBQ_TRY(check_norm(std::get<BatchNormAttrs>(node.attrs), node.name));
  LayerInfo info{in[0], {}, 0};
  for (const char* p : {"weight", "bias"}) info.params.push_back({p, {in[0].c}});
  for (const char* p : {"running_mean", "running_var"})
    info.params.push_back({p, {in[0].c}, false});
  return info;
}

// Deployed, a batch norm is a per-channel +-2^s and an offset (spec/numerics.md).
Result<AccBound> bound_batch_norm(const Node& node, const std::vector<const Node*>& in) {
  return weighted_bound(node, *in[0], node.shape.c);
}

}  // namespace nbq
