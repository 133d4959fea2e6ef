#include "model/op_table.h"

namespace nbq {

Result<LayerInfo> shape_slice(const Node& node, const std::vector<Shape>& in) {
  NBQ_TRY(expect_inputs(node, in.size(), 1));
  const auto& a = std::get<SliceAttrs>(node.attrs);
  struct Axis {
    const char* name;
    int start, size, step, have;
  };
  for (const Axis& x : {Axis{"channels", a.start_c, a.size_c, a.step_c, in[0].c},
                        Axis{"rows", a.start_h, a.size_h, a.step_h, in[0].h},
                        Axis{"columns", a.start_w, a.size_w, a.step_w, in[0].w}})
    if (x.start < 0 || x.size < 1 || x.step < 1 ||
        x.start + std::int64_t{x.size - 1} * x.step >= x.have)
      return make_error(ErrorCode::kBadFile,
                        "{}: a slice of {} {} from {} on, {} apart, does not lie in the {} there "
                        "are",
                        node.name, x.size, x.name, x.start, x.step, x.have);
  return LayerInfo{{a.size_c, a.size_h, a.size_w}, {}, 0};
}

Result<AccBound> bound_slice(const Node&, const std::vector<const Node*>& in) {
  return pass_through(*in[0]);
}

}  // namespace nbq
