#include "exchange/onnx_import.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>

#include "core/file.h"
#include "exchange/onnx_input.h"
#include "exchange/onnx_integer.h"
#include "exchange/onnx_passes.h"
#include "exchange/onnx_quant.h"
#include "exchange/onnx_readers.h"
#include "exchange/onnx_state.h"
#include "model/fold.h"

namespace nbq::exchange {
namespace {

constexpr std::int64_t kMinOpset = 9, kMaxOpset = 28;
constexpr int kMaxNodes = 1 << 14;

Status check_model(const onnx::ModelProto& model, std::int64_t& opset) {
  for (const auto& set : model.opset_import())
    if (set.domain().empty() || set.domain() == "ai.onnx") opset = set.version();
  if (!model.has_graph() || model.graph().node_size() == 0)
    return make_error(ErrorCode::kBadFile, "not an ONNX model: there is no graph in it");
  if (opset < kMinOpset || opset > kMaxOpset)
    return make_error(ErrorCode::kUnsupported,
                      "opset {}; {}..{} are read: export at one of them, or convert the model with "
                      "onnx.version_converter",
                      opset, kMinOpset, kMaxOpset);
  if (model.graph().node_size() > kMaxNodes)
    return make_error(ErrorCode::kUnsupported, "{} nodes, more than {}", model.graph().node_size(),
                      kMaxNodes);
  if (model.graph().output_size() != 1)
    return make_error(
        ErrorCode::kUnsupported,
        "{} outputs; cut the model to one (for example with onnx.utils.extract_model)",
        model.graph().output_size());
  if (model.graph().sparse_initializer_size() != 0)
    return make_error(ErrorCode::kUnsupported, "sparse initializers; store them densely");
  return ok_status();
}

/// Nodes that the output depends on, in the file's order.
std::vector<const onnx::NodeProto*> live_nodes(const onnx::GraphProto& g) {
  std::map<std::string, int> producer;
  for (int i = 0; i < g.node_size(); ++i)
    for (const std::string& out : g.node(i).output())
      if (!out.empty()) producer.emplace(out, i);
  std::vector<bool> live(static_cast<std::size_t>(g.node_size()), false);
  std::vector<const std::string*> pending = {&g.output(0).name()};
  while (!pending.empty()) {
    const auto it = producer.find(*pending.back());
    pending.pop_back();
    if (it == producer.end() || live[static_cast<std::size_t>(it->second)]) continue;
    live[static_cast<std::size_t>(it->second)] = true;
    for (const std::string& in : g.node(it->second).input()) pending.push_back(&in);
  }
  std::vector<const onnx::NodeProto*> nodes;
  for (int i = 0; i < g.node_size(); ++i)
    if (live[static_cast<std::size_t>(i)]) nodes.push_back(&g.node(i));
  return nodes;
}

Value constant_value(ConstTensor t) {
  Value v;
  v.constant = std::make_shared<const ConstTensor>(std::move(t));
  return v;
}

Status load_tensor(ImportState& s, const onnx::TensorProto& proto, const std::string& where,
                   const std::string& name) {
  std::string converted;
  NBQ_ASSIGN(ConstTensor t, decode_tensor(proto, s.folder, where, converted));
  if (!converted.empty())
    s.notes.push_back(fmt::format("{}: converted from {} to float", where, converted));
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) s.budget += 16 * t.size();
  s.values[name] = constant_value(std::move(t));
  return ok_status();
}

Status load_initializers(ImportState& s, const onnx::GraphProto& g) {
  for (const onnx::TensorProto& t : g.initializer())
    if (s.reads.contains(t.name()))
      NBQ_TRY(load_tensor(s, t, fmt::format("initializer {}", t.name()), t.name()));
  return ok_status();
}

Status read_constant(NodeContext& n) {
  AttributeReader& a = n.attributes;
  const std::string& name = n.output_name();
  if (const onnx::TensorProto* t = a.tensor("value")) {
    NBQ_TRY(a.finish());
    return load_tensor(n.state, *t, n.where(), name);
  }
  ConstTensor t;
  std::int64_t number = 0;
  float real = 0;
  t.is_float = a.has("value_float");
  a.get("value_float", real);
  a.get("value_int", number);
  const bool list = a.has("value_ints");
  a.get("value_ints", t.ints);
  NBQ_TRY(a.finish());
  if (t.is_float)
    t.floats = {real};
  else if (list)
    t.dims = {static_cast<std::int64_t>(t.ints.size())};
  else
    t.ints = {number};
  return n.give(constant_value(std::move(t)));
}

/// A node that reads nothing but constants.
Status read_constants(NodeContext& n) {
  const std::string& op = n.attributes.proto().op_type();
  std::vector<const ConstTensor*> in;
  for (std::size_t i = 0; i < n.input_count(); ++i) {
    in.push_back(nullptr);
    if (!n.has_input(i)) continue;
    NBQ_ASSIGN(const Value* v, n.input(i));
    if (op == "Identity") return n.give(*v);
    in.back() = v->constant.get();
  }
  if (!folds_constants(op))
    return n.unsupported(
        "is computed from constants only, and that not while importing; simplify "
        "the model first (for example with onnxsim)");
  NBQ_ASSIGN(ConstTensor t, fold_constants(op, FoldContext{n.attributes, in, n.state.budget}));
  NBQ_TRY(n.state.spend(t.size(), n.where()));
  return n.give(constant_value(std::move(t)));
}

Status read_node(ImportState& s, const onnx::NodeProto& proto) {
  NodeContext n(s, proto);
  if (proto.output_size() == 0) return n.bad("has no output");
  const bool quant = is_qonnx_quant(proto);
  if (!proto.domain().empty() && proto.domain() != "ai.onnx" && !quant)
    return n.unsupported(
        "an operator of {}; export with ONNX's own operators only, and QONNX's Quant",
        proto.domain());
  if (proto.op_type() == "Constant") return read_constant(n);
  bool constants = n.input_count() > 0;
  for (std::size_t i = 0; i < n.input_count(); ++i) {
    if (!n.has_input(i)) continue;
    NBQ_ASSIGN(const Value* v, n.input(i));
    constants = constants && v->is_constant();
  }
  if (constants) return read_constants(n);
  const ReaderFn read = quant ? read_quant : find_reader(proto.op_type());
  if (read == nullptr)
    return n.unsupported(
        "the operator has no layer here; replace it before exporting. Supported: {}",
        known_operators());
  return read(n);
}

/// The node of ours that gives the ONNX output.
Result<int> output_node(const ImportState& s) {
  const auto it = s.values.find(s.output);
  if (it == s.values.end())
    return make_error(ErrorCode::kBadFile, "output {}: no node gives it", s.output);
  const Value& v = it->second;
  if (v.is_constant())
    return make_error(ErrorCode::kUnsupported, "output {}: does not depend on the input", s.output);
  if (v.stored)
    return make_error(
        ErrorCode::kUnsupported,
        "output {}: integers of a QuantizeLinear; put a DequantizeLinear behind it, or "
        "cut the model before it",
        s.output);
  const Shape& shape = s.graph.nodes[static_cast<std::size_t>(v.id)].shape;
  Axes wide;
  for (const Axis a : v.axes)
    if (a == Axis::kBatch || (a == Axis::kC ? shape.c : a == Axis::kH ? shape.h : shape.w) != 1)
      wide.push_back(a);
  if (v.flat || !std::is_sorted(wide.begin(), wide.end()))
    return make_error(ErrorCode::kUnsupported,
                      "output {}: its dimensions are not batch, channels, rows, columns", s.output);
  return v.id;
}

bool is_quantised(const ImportState& s) {
  const auto& nodes = s.graph.nodes;
  return s.stored_image ||
         std::any_of(nodes.begin(), nodes.end(), [](const Node& n) { return n.act.quantised(); });
}

}  // namespace

Result<Graph> read_graph(const onnx::ModelProto& model, ImportState& s) {
  const onnx::GraphProto& g = model.graph();
  const auto nodes = live_nodes(g);
  for (const onnx::NodeProto* n : nodes)
    for (const std::string& in : n->input())
      if (!in.empty()) ++s.reads[in];
  s.output = g.output(0).name();
  NBQ_TRY(load_initializers(s, g));
  NBQ_TRY(read_input(s, g, nodes));
  for (const onnx::NodeProto* n : nodes) NBQ_TRY(read_node(s, *n));
  NBQ_ASSIGN(const int output, output_node(s));
  keep_ancestors(s.graph, output);
  merge_slices(s.graph);
  merge_pads(s.graph);
  keep_ancestors(s.graph, static_cast<int>(s.graph.nodes.size()) - 1);
  NBQ_TRY(infer_shapes(s.graph));
  NBQ_TRY(check_state(s.graph));
  if (is_quantised(s)) return make_integer(s);
  for (const Node& n : s.graph.nodes)
    if (const auto m = s.markers.find(n.name); m != s.markers.end())
      return unsupported_clip(n.name, m->second.clamp->first, m->second.clamp->second);
  return std::move(s.graph);
}

}  // namespace nbq::exchange

namespace nbq {

Result<Graph> import_onnx_bytes(std::span<const std::uint8_t> bytes,
                                const std::filesystem::path& folder, const ImportOptions& options,
                                std::vector<std::string>* notes) {
  onnx::ModelProto model;
  if (bytes.size() > (std::size_t{1} << 31) - 1)
    return make_error(ErrorCode::kUnsupported,
                      "2 GiB or more; store the weights as external data beside the model");
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return make_error(ErrorCode::kBadFile, "truncated, or not an ONNX model");
  std::vector<std::string> unread;
  exchange::ImportState state(options, notes != nullptr ? *notes : unread);
  NBQ_TRY(exchange::check_model(model, state.opset));
  state.folder = folder;
  // Shared weights unfold, shapes are computed: some times the file, and something for small ones.
  state.budget = 16 * static_cast<std::int64_t>(bytes.size()) + (1 << 20);
  NBQ_ASSIGN(Graph graph, exchange::read_graph(model, state));
  graph.name = options.name;
  return graph;
}

Result<Graph> import_onnx(const std::filesystem::path& path, const ImportOptions& options,
                          std::vector<std::string>* notes) {
  NBQ_ASSIGN(const auto bytes, read_file(path));
  auto graph = import_onnx_bytes(bytes, path.parent_path(), options, notes);
  if (!graph.ok())
    return make_error(graph.error().code, "{}: {}", path.string(), graph.error().message);
  if (graph->name.empty()) graph->name = path.stem().string();
  return graph;
}

}  // namespace nbq
