// One function for each row of spec/ops.def: the layer as ONNX operators.
#include "exchange/onnx_emitter.h"

namespace nbq::exchange {
namespace {

Ints pads_of(const Window& w) { return {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right}; }

WrittenNode& set_window(WrittenNode& n, const Window& w) {
  return n.attr("kernel_shape", Ints{w.kernel_h, w.kernel_w})
      .attr("strides", Ints{w.stride_h, w.stride_w})
      .attr("pads", pads_of(w));
}

/// A convolution of the layer's weights over its one operand.
Result<OnnxValue> emit_conv(LayerEmitter& l, const Window& w, int groups) {
  const Shape& in = l.operand(0).shape;
  NBQ_ASSIGN(const std::string weights,
             l.weights({l.node.shape.c, in.c / groups, w.kernel_h, w.kernel_w}));
  NBQ_ASSIGN(const std::string bias, l.bias());
  std::vector<std::string> inputs{l.map(0), weights};
  if (!bias.empty()) inputs.push_back(bias);
  WrittenNode n = l.writer().node("Conv", inputs, l.node.name);
  set_window(n, w).attr("dilations", Ints{w.dilation_h, w.dilation_w}).attr("group", groups);
  return l.finish({n.output(), false});
}

/// A list that is an operator's input since opset 13 or before.
std::string list(LayerEmitter& l, const char* what, const Ints& values) {
  return l.writer().constant(l.node.name + "/" + what, {static_cast<std::int64_t>(values.size())},
                             values);
}

}  // namespace

Result<OnnxValue> emit_onnx_input(LayerEmitter& l) {
  OnnxWriter& out = l.writer();
  const Shape& s = l.node.shape;
  const std::string name = "image";
  const bool pixels = l.net.options.input == OnnxInput::kUint8;
  out.input(name, pixels ? onnx::TensorProto::UINT8 : onnx::TensorProto::FLOAT,
            {-1, s.c, s.h, s.w});
  if (!pixels && l.qonnx())
    return OnnxValue{l.quant(name, {1.0f / 128}, 0, 8, true, false, "ROUND", l.node.name + "/out"),
                     false};
  if (!pixels) return l.qdq() ? l.round_to(l.node.act, {name, false}) : OnnxValue{name, false};
  const std::string scale =
      out.constant(l.node.name + "/scale", {}, std::vector<float>{1.0f / 128});
  return OnnxValue{
      out.node("DequantizeLinear", {name, scale, l.zero_point(false, 128)}, l.node.name + "/out")
          .output(),
      false};
}

Result<OnnxValue> emit_onnx_conv2d(LayerEmitter& l) {
  const auto& a = std::get<Conv2dAttrs>(l.node.attrs);
  return emit_conv(l, a.window, a.groups);
}

Result<OnnxValue> emit_onnx_linear(LayerEmitter& l) {
  NBQ_ASSIGN(const std::string weights, l.weights({l.node.shape.c, l.operand(0).shape.c}));
  NBQ_ASSIGN(const std::string bias, l.bias());
  std::vector<std::string> inputs{l.flat(0), weights};
  if (!bias.empty()) inputs.push_back(bias);
  return l.finish({l.writer().node("Gemm", inputs, l.node.name).attr("transB", 1).output(), true});
}

// One weight a channel: a depthwise convolution of 1x1, for which engines have integer kernels.
Result<OnnxValue> emit_onnx_batch_norm(LayerEmitter& l) {
  return emit_conv(l, Window{}, l.node.shape.c);
}

// The clamp does the work.
Result<OnnxValue> emit_onnx_relu(LayerEmitter& l) { return l.finish(l.alike()[0]); }

Result<OnnxValue> emit_onnx_max_pool(LayerEmitter& l) {
  WrittenNode n = l.writer().node("MaxPool", {l.map(0)}, l.node.name);
  set_window(n, std::get<MaxPoolAttrs>(l.node.attrs).window);
  return l.finish({n.output(), false});
}

// Opset 13's AveragePool has no dilation.
Result<OnnxValue> emit_onnx_avg_pool(LayerEmitter& l) {
  const Window& w = std::get<AvgPoolAttrs>(l.node.attrs).window;
  if (w.dilation_h != 1 || w.dilation_w != 1)
    return make_error(ErrorCode::kUnsupported,
                      "{}: an average pool with dilation; ONNX (opset 13) has none", l.node.name);
  WrittenNode n = l.writer().node("AveragePool", {l.map(0)}, l.node.name);
  set_window(n, w).attr("count_include_pad", 1);
  return l.finish({n.output(), false});
}

Result<OnnxValue> emit_onnx_global_avg_pool(LayerEmitter& l) {
  return l.finish({l.writer().node("GlobalAveragePool", {l.map(0)}, l.node.name).output(), false});
}

Result<OnnxValue> emit_onnx_add(LayerEmitter& l) {
  const std::vector<OnnxValue> in = l.alike();
  return l.finish(
      {l.writer().node("Add", {in[0].name, in[1].name}, l.node.name).output(), in[0].flat});
}

Result<OnnxValue> emit_onnx_concat(LayerEmitter& l) {
  const std::vector<OnnxValue> in = l.alike();
  std::vector<std::string> names;
  for (const OnnxValue& v : in) names.push_back(v.name);
  return l.finish(
      {l.writer().node("Concat", names, l.node.name).attr("axis", 1).output(), in[0].flat});
}

Result<OnnxValue> emit_onnx_flatten(LayerEmitter& l) { return l.finish({l.flat(0), true}); }

Result<OnnxValue> emit_onnx_pad(LayerEmitter& l) {
  const auto& a = std::get<PadAttrs>(l.node.attrs);
  const std::string pads =
      list(l, "pads", {0, a.before_c, a.top, a.left, 0, a.after_c, a.bottom, a.right});
  return l.finish({l.writer().node("Pad", {l.map(0), pads}, l.node.name).output(), false});
}

Result<OnnxValue> emit_onnx_slice(LayerEmitter& l) {
  const auto& a = std::get<SliceAttrs>(l.node.attrs);
  const auto end = [](int start, int size, int step) { return start + (size - 1) * step + 1; };
  const std::string starts = list(l, "starts", {a.start_c, a.start_h, a.start_w});
  const std::string ends =
      list(l, "ends",
           {end(a.start_c, a.size_c, a.step_c), end(a.start_h, a.size_h, a.step_h),
            end(a.start_w, a.size_w, a.step_w)});
  const std::string axes = list(l, "axes", {1, 2, 3});
  const std::string steps = list(l, "steps", {a.step_c, a.step_h, a.step_w});
  return l.finish(
      {l.writer().node("Slice", {l.map(0), starts, ends, axes, steps}, l.node.name).output(),
       false});
}

}  // namespace nbq::exchange
