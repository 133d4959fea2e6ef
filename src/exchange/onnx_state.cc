#include "exchange/onnx_state.h"

#include <onnx/onnx_pb.h>

namespace nbq::exchange {

std::int64_t FlatOrder::feature(std::int64_t i) const {
  std::int64_t c = 0, h = 0, w = 0;
  for (std::size_t k = order.size(); k-- > 0;) {
    std::int64_t& at = order[k] == Axis::kC ? c : order[k] == Axis::kH ? h : w;
    const int size = order[k] == Axis::kC ? map.c : order[k] == Axis::kH ? map.h : map.w;
    at = i % size;
    i /= size;
  }
  return (c * map.h + h) * map.w + w;
}

Status ImportState::spend(std::int64_t numbers, const std::string& where) {
  budget -= numbers;
  if (budget < 0)
    return make_error(ErrorCode::kBadFile,
                      "{}: the model unfolds to far more numbers than its file holds", where);
  return ok_status();
}

Result<int> ImportState::add(const std::string& wanted_name, Attrs attrs, std::vector<int> inputs,
                             std::map<std::string, FloatTensor> params) {
  const int id = graph.add(unique_name(wanted_name), std::move(attrs), std::move(inputs));
  Node& n = graph.nodes.back();
  n.state = std::move(params);
  NBQ_ASSIGN(const LayerInfo info, describe(graph, id));
  if (info.out.size() > (1 << 28))
    return make_error(ErrorCode::kBadFile, "{}: more than 2^28 activations", n.name);
  n.shape = info.out;
  return id;
}

std::string ImportState::unique_name(const std::string& wanted) {
  const std::string base = wanted.substr(std::min(wanted.find_first_not_of('/'), wanted.size()));
  std::string name = base;
  for (int i = 2; name.empty() || !names.insert(name).second; ++i)
    name = fmt::format("{}{}", base.empty() ? "layer" : base + "_", i);
  return name;
}

const std::string& NodeContext::output_name() const { return attributes.proto().output(0); }

std::size_t NodeContext::input_count() const {
  int count = attributes.proto().input_size();
  while (count > 0 && attributes.proto().input(count - 1).empty()) --count;
  return static_cast<std::size_t>(count);
}

bool NodeContext::has_input(std::size_t i) const {
  return i < input_count() && !attributes.proto().input(static_cast<int>(i)).empty();
}

Result<const Value*> NodeContext::input(std::size_t i) const {
  if (!has_input(i)) return bad("input {} is missing", i);
  const std::string& name = attributes.proto().input(static_cast<int>(i));
  const auto it = state.values.find(name);
  if (it == state.values.end())
    return bad("reads {}, which neither an initializer nor a node before it gives", name);
  return &it->second;
}

Result<Value> NodeContext::activations(std::size_t i) const {
  NBQ_ASSIGN(const Value* v, input(i));
  if (v->is_constant())
    return unsupported("input {} is a constant where activations are expected", i);
  if (v->stored && v->stored->pixels)
    return unsupported(
        "reads uint8 pixels themselves; put a DequantizeLinear with scale 1/128 and zero point 128 "
        "behind the image, or export with a float input");
  if (v->stored)
    return unsupported(
        "reads quantised integers themselves; only DequantizeLinear may (QDQ form, not QOperator)");
  return *v;
}

Result<Value> NodeContext::map(std::size_t i) const {
  NBQ_ASSIGN(Value v, activations(i));
  if (v.axes != kMapAxes)
    return unsupported(
        "reads a tensor that is not batch x channels x rows x columns; export the model with "
        "channels first");
  return v;
}

Result<Value> NodeContext::flat(std::size_t i) const {
  NBQ_ASSIGN(Value v, activations(i));
  if (v.axes != kFlatAxes)
    return unsupported("reads a tensor that is not batch x features; flatten it first");
  return v;
}

Result<const ConstTensor*> NodeContext::weights(std::size_t i) const {
  NBQ_ASSIGN(const Value* v, input(i));
  if (!v->is_constant())
    return unsupported("input {} is computed from the image; only constants can be weights", i);
  if (!v->constant->is_float) return unsupported("input {} holds integers, floats are needed", i);
  return v->constant.get();
}

Result<std::vector<std::int64_t>> NodeContext::integers(std::size_t i) const {
  NBQ_ASSIGN(const Value* v, input(i));
  if (!v->is_constant() || v->constant->is_float)
    return unsupported(
        "input {} must be known integers; export with fixed sizes, or simplify the model (for "
        "example with onnxsim)",
        i);
  return v->constant->ints;
}

Result<std::optional<std::vector<std::int64_t>>> NodeContext::list(const char* attribute,
                                                                   std::size_t i) {
  std::optional<std::vector<std::int64_t>> found;
  if (attributes.has(attribute)) attributes.get(attribute, found.emplace());
  if (has_input(i)) {
    NBQ_ASSIGN(found, integers(i));
  }
  return found;
}

Result<FloatTensor> NodeContext::parameter(const ConstTensor& t,
                                           std::vector<std::int64_t> dims) const {
  NBQ_TRY(state.spend(t.size(), where()));
  return FloatTensor{std::move(dims), t.floats};
}

std::int64_t NodeContext::size(const Value& v, Axis axis) const {
  const Shape& s = shape(v);
  return axis == Axis::kBatch ? state.batch : axis == Axis::kC ? s.c : axis == Axis::kH ? s.h : s.w;
}

bool NodeContext::reads_alone(std::size_t i) const {
  const std::string& name = attributes.proto().input(static_cast<int>(i));
  const auto it = state.reads.find(name);
  return it != state.reads.end() && it->second == 1 && name != state.output;
}

Result<int> NodeContext::add(Attrs attrs, std::vector<int> inputs,
                             std::map<std::string, FloatTensor> params) {
  const std::string& name = attributes.proto().name();
  return state.add(name.empty() ? output_name() : name, std::move(attrs), std::move(inputs),
                   std::move(params));
}

Status NodeContext::give(Value v) {
  state.values[output_name()] = std::move(v);
  return ok_status();
}

Status NodeContext::give(Attrs attrs, Value input, std::map<std::string, FloatTensor> params) {
  NBQ_ASSIGN(input.id, add(std::move(attrs), {input.id}, std::move(params)));
  return give(std::move(input));
}

Result<int> checked_int(const NodeContext& n, std::int64_t v, std::int64_t lo, std::int64_t hi,
                        const char* what) {
  if (v < lo || v > hi) return n.bad("{} is {}, allowed are {}..{}", what, v, lo, hi);
  return static_cast<int>(v);
}

}  // namespace nbq::exchange
