#include "model/graph.h"

#include <set>

#include "model/op_table.h"

namespace nbq {

const char* op_name(OpKind kind) {
  static constexpr const char* kNames[] = {
#define NBQ_OP(Kind, folder, name) name,
#include "ops.def"
  };
  return kNames[static_cast<int>(kind)];
}

ActFormat ActFormat::make(int bits, bool is_signed, int exp) {
  ActFormat f;
  f.bits = bits;
  f.is_signed = is_signed;
  f.exp = exp;
  f.lo = is_signed ? -(1 << (bits - 1)) : 0;
  f.hi = is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
  return f;
}

int Graph::add(std::string node_name, Attrs attrs, std::vector<int> inputs) {
  Node n;
  n.name = std::move(node_name);
  n.attrs = std::move(attrs);
  n.inputs = std::move(inputs);
  nodes.push_back(std::move(n));
  return static_cast<int>(nodes.size()) - 1;
}

std::vector<std::vector<int>> Graph::consumers() const {
  std::vector<std::vector<int>> out(nodes.size());
  for (std::size_t id = 0; id < nodes.size(); ++id)
    for (const int in : nodes[id].inputs) out[static_cast<std::size_t>(in)].push_back(int(id));
  return out;
}

std::vector<Shape> Graph::input_shapes(int id) const {
  std::vector<Shape> shapes;
  for (const int in : nodes[static_cast<std::size_t>(id)].inputs)
    shapes.push_back(nodes[static_cast<std::size_t>(in)].shape);
  return shapes;
}

int window_out(int in, int kernel, int stride, int pad_before, int pad_after, int dilation) {
  const std::int64_t span = std::int64_t{dilation} * (kernel - 1) + 1;
  const std::int64_t room = std::int64_t{in} + pad_before + pad_after - span;
  return room < 0 ? 0 : static_cast<int>(room / stride + 1);
}

ColumnRange tap_columns(const Window& w, int kx, int in_w, int out_w) {
  // 0 <= ox * stride + offset < in_w
  const int offset = kx * w.dilation_w - w.pad_left;
  const int first = offset >= 0 ? 0 : (-offset + w.stride_w - 1) / w.stride_w;
  const int room = in_w - 1 - offset;
  const int last = room < 0 ? 0 : std::min(out_w, room / w.stride_w + 1);
  return {first, last};
}

Result<Shape> window_shape(const Shape& in, const Window& w, int channels,
                           const std::string& where) {
  constexpr int kMax = 4096;  // far above any real layer; keeps every product small
  for (const int v : {w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w})
    if (v < 1 || v > kMax)
      return make_error(ErrorCode::kBadFile,
                        "{}: kernel, stride and dilation must be in 1..{}, one is {}", where, kMax,
                        v);
  for (const int v : {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right})
    if (v < 0 || v > kMax)
      return make_error(ErrorCode::kBadFile, "{}: padding must be in 0..{}, one is {}", where, kMax,
                        v);
  const Shape out{channels,
                  window_out(in.h, w.kernel_h, w.stride_h, w.pad_top, w.pad_bottom, w.dilation_h),
                  window_out(in.w, w.kernel_w, w.stride_w, w.pad_left, w.pad_right, w.dilation_w)};
  if (out.h < 1 || out.w < 1)
    return make_error(ErrorCode::kBadFile, "{}: a {}x{} window does not fit into a {}x{} map",
                      where, w.kernel_h, w.kernel_w, in.h, in.w);
  if (std::int64_t{out.c} * out.h > (1 << 28) / out.w)
    return make_error(ErrorCode::kBadFile, "{}: more than 2^28 activations", where);
  return out;
}

Result<LayerInfo> describe(const Graph& graph, int id) {
  const Node& n = graph.nodes[static_cast<std::size_t>(id)];
  NBQ_ASSIGN(LayerInfo info, op_shape(n.kind())(n, graph.input_shapes(id)));
  if (!n.norm) return info;
  if (!is_matrix(n.kind()) || graph.stage == Stage::kInteger)
    return make_error(ErrorCode::kBadFile, "{}: a {} of this network can't hold a batch norm",
                      n.name, op_name(n.kind()));
  NBQ_TRY(check_norm(*n.norm, n.name));
  info.params.push_back({"norm.weight", {info.out.c}});
  for (const char* p : {"norm.running_mean", "norm.running_var"})
    info.params.push_back({p, {info.out.c}, false});
  return info;
}

Status infer_shapes(Graph& graph) {
  constexpr std::int64_t kMaxElements = std::int64_t{1} << 28;
  if (graph.nodes.size() < 2) return make_error(ErrorCode::kBadFile, "the network has no layers");
  std::set<std::string> names;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    Node& n = graph.nodes[id];
    if (n.name.empty()) return make_error(ErrorCode::kBadFile, "layer {} has no name", id);
    if (!names.insert(n.name).second)
      return make_error(ErrorCode::kBadFile, "two layers are named {}", n.name);
    if ((n.kind() == OpKind::kInput) != (id == 0))
      return make_error(ErrorCode::kBadFile, "{}: the input must be the first layer, and only it",
                        n.name);
    for (const int in : n.inputs)
      if (in < 0 || in >= static_cast<int>(id))
        return make_error(ErrorCode::kBadFile, "{}: reads layer {}, which is not before it", n.name,
                          in);
    NBQ_ASSIGN(const LayerInfo info, describe(graph, static_cast<int>(id)));
    if (info.out.size() > kMaxElements)
      return make_error(ErrorCode::kBadFile, "{}: {} activations, more than {}", n.name,
                        info.out.size(), kMaxElements);
    n.shape = info.out;
  }
  const auto readers = graph.consumers();
  for (std::size_t id = 0; id + 1 < graph.nodes.size(); ++id)
    if (readers[id].empty())
      return make_error(ErrorCode::kBadFile, "{}: nothing reads its output", graph.nodes[id].name);
  return ok_status();
}

std::int64_t total_macs(const Graph& graph) {
  std::int64_t macs = 0;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id)
    if (const auto info = describe(graph, static_cast<int>(id)); info.ok()) macs += info->macs;
  return macs;
}

std::int64_t total_params(const Graph& graph) {
  std::int64_t count = 0;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id)
    if (const auto info = describe(graph, static_cast<int>(id)); info.ok())
      for (const ParamSpec& p : info->params) {
        std::int64_t n = 1;
        for (const std::int64_t d : p.dims) n *= d;
        if (p.learnt) count += n;
      }
  return count;
}

}  // namespace nbq
