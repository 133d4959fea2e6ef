#include <cmath>
#include <limits>

#include "exchange/onnx_quant.h"
#include "exchange/onnx_readers.h"

namespace nbq::exchange {
namespace {

using Params = std::map<std::string, FloatTensor>;

/// `t` as one number for each channel of `v`, broadcast as ONNX does; for flattened maps in our
/// order of features.
Result<std::vector<float>> per_channel(const NodeContext& n, const ConstTensor& t, const Value& v) {
  const std::int64_t channels = n.shape(v).c;
  NBQ_TRY(n.state.spend(channels, n.where()));
  if (t.size() == 1) return std::vector<float>(static_cast<std::size_t>(channels), t.floats[0]);
  bool fits = t.dims.size() <= v.axes.size() && t.size() == channels;
  for (std::size_t i = 0; fits && i < t.dims.size(); ++i)
    fits = t.dims[i] == 1 || v.axes[v.axes.size() - t.dims.size() + i] == Axis::kC;
  if (!fits)
    return n.unsupported("a constant of dimensions [{}]; only one number, or one a channel ({})",
                         fmt::join(t.dims, ", "), channels);
  std::vector<float> out = t.floats;
  if (v.flat)
    for (std::int64_t i = 0; i < channels; ++i)
      out[static_cast<std::size_t>(v.flat->feature(i))] = t.floats[static_cast<std::size_t>(i)];
  return out;
}

/// weight [out, in] from what ONNX stores, times `scale`; columns in our order of features.
Result<FloatTensor> linear_weight(const NodeContext& n, const ConstTensor& t, bool out_first,
                                  float scale, const Value& v) {
  if (t.dims.size() != 2)
    return n.unsupported("weights of {} dimensions, 2 are needed", t.dims.size());
  const std::int64_t out = t.dims[out_first ? 0 : 1], in = t.dims[out_first ? 1 : 0];
  if (in != n.shape(v).c)
    return n.bad("weights of dimensions [{}] for {} features", fmt::join(t.dims, ", "),
                 n.shape(v).c);
  NBQ_TRY(n.state.spend(t.size(), n.where()));
  FloatTensor w{{out, in}, std::vector<float>(t.floats.size())};
  for (std::int64_t i = 0; i < in; ++i) {
    const std::int64_t column = v.flat ? v.flat->feature(i) : i;
    for (std::int64_t o = 0; o < out; ++o)
      w.data[static_cast<std::size_t>(o * in + column)] =
          scale * t.floats[static_cast<std::size_t>(out_first ? o * in + i : i * out + o)];
  }
  return w;
}

/// One number a channel: later nodes may add to it or fold it before the whole network is verified.
Result<FloatTensor> channel_parameter(const NodeContext& n, std::size_t input,
                                      std::int64_t channels) {
  NBQ_ASSIGN(const ConstTensor* t, n.weights(input));
  if (t->dims != std::vector<std::int64_t>{channels})
    return n.bad("input {} has dimensions [{}], {} channels need [{}]", input,
                 fmt::join(t->dims, ", "), channels, channels);
  return n.parameter(*t, t->dims);
}

Status give_linear(NodeContext& n, const Value& v, FloatTensor weight, Params params) {
  NBQ_ASSIGN(const int out, checked_int(n, weight.dims[0], 1, 1 << 20, "the number of outputs"));
  const LinearAttrs attrs{out, params.contains("bias")};
  params["weight"] = std::move(weight);
  NBQ_ASSIGN(const int id, n.add(attrs, {v.id}, std::move(params)));
  return n.give(Value{nullptr, id, kFlatAxes, {}});
}

/// Adds a constant to the bias of the convolution or linear layer before it, where nothing else
/// reads that; false: there is no such layer.
bool take_into_bias(const NodeContext& n, std::size_t input, const Value& v,
                    const std::vector<float>& offset) {
  Node& layer = n.state.graph.nodes[static_cast<std::size_t>(v.id)];
  bool* flag = nullptr;
  if (auto* conv = std::get_if<Conv2dAttrs>(&layer.attrs)) flag = &conv->bias;
  if (auto* linear = std::get_if<LinearAttrs>(&layer.attrs)) flag = &linear->bias;
  if (flag == nullptr || !n.reads_alone(input)) return false;
  FloatTensor& bias = layer.state["bias"];
  if (!*flag) bias = {{layer.shape.c}, std::vector<float>(offset.size(), 0.0f)};
  *flag = true;
  for (std::size_t c = 0; c < offset.size(); ++c) bias.data[c] += offset[c];
  return true;
}

/// scale * x + offset, one a channel: a batch norm with mean 0 and variance 1.
Status give_affine(NodeContext& n, const Value& v, std::vector<float> scale,
                   std::vector<float> offset) {
  const std::vector<std::int64_t> dims = {n.shape(v).c};
  const BatchNormAttrs attrs;
  Params params;
  params["running_mean"] = {dims, std::vector<float>(scale.size(), 0.0f)};
  params["running_var"] = {dims, std::vector<float>(scale.size(), 1 - attrs.eps)};
  params["weight"] = {dims, std::move(scale)};
  params["bias"] = {dims, std::move(offset)};
  return n.give(attrs, v, std::move(params));
}

/// Which of two inputs is the constant one, or -1.
Result<int> constant_operand(const NodeContext& n) {
  if (n.input_count() != 2) return n.unsupported("{} inputs, 2 are needed", n.input_count());
  NBQ_ASSIGN(const Value* a, n.input(0));
  NBQ_ASSIGN(const Value* b, n.input(1));
  return a->is_constant() ? 0 : b->is_constant() ? 1 : -1;
}

/// x (+, *) constant, as scale and offset that `affine` makes of each number of the constant.
struct ScaleOffset {
  float scale, offset;
};
Status read_affine(NodeContext& n, bool commutes, ScaleOffset (*affine)(float)) {
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(const int constant, constant_operand(n));
  if (constant < 0 || (constant == 0 && !commutes))
    return n.unsupported("only {} a constant per channel has a layer here",
                         commutes ? "with" : "by");
  const std::size_t operand = constant == 0 ? 1 : 0;
  NBQ_ASSIGN(const Value v, n.activations(operand));
  NBQ_ASSIGN(const ConstTensor* t, n.weights(static_cast<std::size_t>(constant)));
  NBQ_ASSIGN(const std::vector<float> numbers, per_channel(n, *t, v));
  std::vector<float> scale, offset;
  bool only_offset = true;
  for (const float x : numbers) {
    const ScaleOffset so = affine(x);
    scale.push_back(so.scale);
    offset.push_back(so.offset);
    only_offset = only_offset && so.scale == 1;
  }
  if (only_offset && take_into_bias(n, operand, v, offset)) return n.give(v);
  return give_affine(n, v, std::move(scale), std::move(offset));
}

Status check_equal_layout(const NodeContext& n, const Value& a, const Value& b) {
  const bool equal_flat =
      a.flat.has_value() == b.flat.has_value() &&
      (!a.flat || (a.flat->map == b.flat->map && a.flat->order == b.flat->order));
  if (a.axes != b.axes || !equal_flat)
    return n.unsupported("its operands have their dimensions in different orders");
  return ok_status();
}

}  // namespace

Status read_conv(NodeContext& n) {
  NBQ_ASSIGN(const Value v, n.map(0));
  NBQ_ASSIGN(const ConstTensor* w, n.weights(1));
  if (w->dims.size() != 4)
    return n.unsupported("weights of {} dimensions; only two-dimensional convolutions are read",
                         w->dims.size());
  std::int64_t groups = 1;
  n.attributes.get("group", groups);
  Conv2dAttrs a;
  NBQ_ASSIGN(const int kernel_h, checked_int(n, w->dims[2], 1, 4096, "the kernel"));
  NBQ_ASSIGN(const int kernel_w, checked_int(n, w->dims[3], 1, 4096, "the kernel"));
  NBQ_ASSIGN(a.window, read_window(n, n.shape(v), kernel_h, kernel_w));
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(a.groups, checked_int(n, groups, 1, 1 << 16, "group"));
  NBQ_ASSIGN(a.out_channels, checked_int(n, w->dims[0], 1, 1 << 16, "the number of channels"));
  Params params;
  NBQ_ASSIGN(params["weight"], n.parameter(*w, w->dims));
  a.bias = n.has_input(2);
  if (a.bias) {
    NBQ_ASSIGN(params["bias"], channel_parameter(n, 2, a.out_channels));
  }
  return n.give(a, v, std::move(params));
}

Status read_gemm(NodeContext& n) {
  std::int64_t trans_a = 0, trans_b = 0;
  float alpha = 1, beta = 1;
  n.attributes.get("transA", trans_a);
  n.attributes.get("transB", trans_b);
  n.attributes.get("alpha", alpha);
  n.attributes.get("beta", beta);
  NBQ_TRY(n.attributes.finish());
  if (trans_a != 0) return n.unsupported("transA = 1 would mix the images of a batch");
  NBQ_ASSIGN(const Value v, n.flat(0));
  NBQ_ASSIGN(const ConstTensor* w, n.weights(1));
  NBQ_ASSIGN(FloatTensor weight, linear_weight(n, *w, trans_b != 0, alpha, v));
  Params params;
  if (n.has_input(2)) {
    NBQ_ASSIGN(const ConstTensor* c, n.weights(2));
    const std::int64_t out = weight.dims[0];
    const bool row = c->size() == out && !c->dims.empty() && c->dims.back() == out;
    if (!row && c->size() != 1)
      return n.unsupported("C of dimensions [{}]; only one number a column is a bias",
                           fmt::join(c->dims, ", "));
    FloatTensor bias{{out}, {}};
    for (std::int64_t o = 0; o < out; ++o)
      bias.data.push_back(beta * c->floats[row ? static_cast<std::size_t>(o) : 0]);
    params["bias"] = std::move(bias);
  }
  return give_linear(n, v, std::move(weight), std::move(params));
}

Status read_matmul(NodeContext& n) {
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(const Value v, n.flat(0));
  NBQ_ASSIGN(const ConstTensor* w, n.weights(1));
  NBQ_ASSIGN(FloatTensor weight, linear_weight(n, *w, false, 1, v));
  return give_linear(n, v, std::move(weight), {});
}

Status read_batch_norm(NodeContext& n) {
  float epsilon = 1e-5f, momentum = 0.9f;
  std::int64_t training = 0;
  n.attributes.get("epsilon", epsilon);
  n.attributes.get("momentum", momentum);
  n.attributes.get("training_mode", training);
  NBQ_TRY(n.attributes.finish());
  if (training != 0) return n.unsupported("training_mode = 1; export the model for inference");
  NBQ_ASSIGN(const Value v, n.activations(0));
  if (v.axes.size() < 2 || v.axes[1] != Axis::kC || v.flat)
    return n.unsupported("its channels are not the second dimension");
  Params params;
  const char* const names[] = {"weight", "bias", "running_mean", "running_var"};
  for (std::size_t i = 0; i < 4; ++i) {
    NBQ_ASSIGN(params[names[i]], channel_parameter(n, i + 1, n.shape(v).c));
  }
  // ONNX's momentum is the weight of the old statistics, ours of the new ones.
  return n.give(BatchNormAttrs{epsilon, 1 - momentum}, v, std::move(params));
}

Status read_relu(NodeContext& n) {
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(const Value v, n.activations(0));
  return n.give(ReluAttrs{}, v);
}

Status read_clip(NodeContext& n) {
  float limits[] = {std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max()};
  n.attributes.get("min", limits[0]);
  n.attributes.get("max", limits[1]);
  NBQ_TRY(n.attributes.finish());
  for (std::size_t i = 0; i < 2; ++i)
    if (n.has_input(i + 1)) {
      NBQ_ASSIGN(const ConstTensor* t, n.weights(i + 1));
      if (t->size() != 1) return n.bad("limits must be single numbers");
      limits[i] = t->floats[0];
    }
  NBQ_ASSIGN(const Value v, n.activations(0));
  if (limits[0] != 0 || !(limits[1] > 0)) {
    if (!(limits[0] <= 0 && limits[1] >= 0))
      return unsupported_clip(n.where(), limits[0], limits[1]);
    return give_marker(n, v, {std::pair{double{limits[0]}, double{limits[1]}}, false}, {});
  }
  const bool open = limits[1] >= std::numeric_limits<float>::max();
  return n.give(ReluAttrs{open ? 0 : limits[1]}, v);
}

Status read_add(NodeContext& n) {
  NBQ_ASSIGN(const int constant, constant_operand(n));
  if (constant >= 0) return read_affine(n, true, [](float x) { return ScaleOffset{1, x}; });
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(Value a, n.activations(0));
  NBQ_ASSIGN(const Value b, n.activations(1));
  NBQ_TRY(check_equal_layout(n, a, b));
  NBQ_ASSIGN(a.id, n.add(AddAttrs{}, {a.id, b.id}, {}));
  return n.give(a);
}

// Of more than two one after the other.
Status read_sum(NodeContext& n) {
  if (n.input_count() == 2) return read_add(n);
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(Value sum, n.activations(0));
  for (std::size_t i = 1; i < n.input_count(); ++i) {
    NBQ_ASSIGN(const Value v, n.activations(i));
    NBQ_TRY(check_equal_layout(n, sum, v));
    NBQ_ASSIGN(sum.id, n.add(AddAttrs{}, {sum.id, v.id}, {}));
  }
  return n.give(sum);
}

Status read_sub(NodeContext& n) {
  return read_affine(n, false, [](float x) { return ScaleOffset{1, -x}; });
}
Status read_mul(NodeContext& n) {
  return read_affine(n, true, [](float x) { return ScaleOffset{x, 0}; });
}
Status read_div(NodeContext& n) {
  return read_affine(n, false, [](float x) { return ScaleOffset{1 / x, 0}; });
}

Status read_concat(NodeContext& n) {
  std::int64_t given = 1;
  n.attributes.get("axis", given);
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(Value first, n.activations(0));
  NBQ_ASSIGN(const std::size_t axis, checked_axis(given, first.axes.size(), n.where()));
  if (first.axes[axis] != Axis::kC || first.flat)
    return n.unsupported("joins along axis {}; only channels can be joined", given);
  std::vector<int> ids;
  for (std::size_t i = 0; i < n.input_count(); ++i) {
    NBQ_ASSIGN(const Value v, n.activations(i));
    NBQ_TRY(check_equal_layout(n, first, v));
    ids.push_back(v.id);
  }
  NBQ_ASSIGN(first.id, n.add(ConcatAttrs{}, std::move(ids), {}));
  return n.give(first);
}

Status read_softmax(NodeContext& n) {
  n.attributes.skip("axis");
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(const Value v, n.activations(0));
  if (n.output_name() != n.state.output)
    return n.unsupported("only as the last node, where it is left out");
  n.state.notes.push_back(
      fmt::format("{}: left out; the outputs are logits, whose largest is the same", n.where()));
  return n.give(v);
}

}  // namespace nbq::exchange
