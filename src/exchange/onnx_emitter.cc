#include "exchange/onnx_emitter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "model/op_table.h"
#include "model/quantise.h"

namespace nbq::exchange {
namespace {

float power(int exp) { return std::ldexp(1.0f, exp); }

/// All that 8 bits hold; the format's own bits in kFloat, where nothing else limits it.
ActFormat container(const ActFormat& f, bool qdq) {
  return ActFormat::make(qdq ? 8 : f.bits, f.is_signed, f.exp);
}

}  // namespace

const Node& LayerEmitter::operand(std::size_t i) const {
  return net.graph.nodes[static_cast<std::size_t>(node.inputs[i])];
}

std::string LayerEmitter::map(std::size_t i) const {
  const OnnxValue& v = net.values[static_cast<std::size_t>(node.inputs[i])];
  if (!v.flat) return v.name;
  const std::string axes =
      writer().constant(node.name + "/axes", {2}, std::vector<std::int64_t>{2, 3});
  return writer().node("Unsqueeze", {v.name, axes}, node.name + "/map").output();
}

std::string LayerEmitter::flat(std::size_t i) const {
  const OnnxValue& v = net.values[static_cast<std::size_t>(node.inputs[i])];
  if (v.flat) return v.name;
  return writer().node("Flatten", {v.name}, node.name + "/flat").attr("axis", 1).output();
}

std::vector<OnnxValue> LayerEmitter::alike() const {
  const bool all_flat = std::all_of(node.inputs.begin(), node.inputs.end(), [&](int in) {
    return net.values[static_cast<std::size_t>(in)].flat;
  });
  std::vector<OnnxValue> out;
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    out.push_back(all_flat ? OnnxValue{flat(i), true} : OnnxValue{map(i), false});
  return out;
}

Status LayerEmitter::check_codes() const {
  const Po2Format f{node.po2.bits};
  for (std::size_t i = 0; i < node.po2.codes.size(); ++i)
    if (const int v = node.po2.codes[i].value(f); v < -128 || v > 127)
      return make_error(ErrorCode::kUnsupported,
                        "{}: weight {} is {} units, int8 ends at 127; use at most 4 weight bits, "
                        "or export to onnx-float",
                        node.name, i, v);
  return ok_status();
}

std::string LayerEmitter::dequantised(const std::string& codes, const std::vector<float>& scales,
                                      const std::string& zero) const {
  const std::string scale =
      writer().constant(codes + "/scale", {static_cast<std::int64_t>(scales.size())}, scales);
  std::vector<std::string> inputs{codes, scale};
  if (!zero.empty()) inputs.push_back(zero);
  return writer().node("DequantizeLinear", inputs, codes + "/real").attr("axis", 0).output();
}

Result<std::string> LayerEmitter::weights(const Ints& dims) const {
  const Po2Format f{node.po2.bits};
  const std::string name = node.name + "/weight";
  const std::size_t count = node.po2.codes.size();
  const std::size_t channels = node.po2.exps.size();
  std::vector<float> scales;
  for (const int s : node.po2.exps) scales.push_back(power(s));
  if (!qdq()) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i)
      values[i] = static_cast<float>(node.po2.codes[i].value(f)) * scales[i / (count / channels)];
    const std::string real = writer().constant(name, dims, values);
    if (!qonnx()) return real;
    // Levels of up to 2^(K-1) take K + 1 bits; with narrow = 1, K bits end below.
    return quant(real, scales, dims.size(), f.max_k() + 1, true, true, "ROUND",
                 name + "/quantised");
  }
  NBQ_TRY(check_codes());
  std::vector<std::int8_t> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = static_cast<std::int8_t>(node.po2.codes[i].value(f));
  const std::string codes = writer().constant(name, dims, values);
  const std::string zero =
      writer().constant(codes + "/zero", {dims[0]}, std::vector<std::int8_t>(channels, 0));
  return dequantised(codes, scales, zero);
}

Status LayerEmitter::check_bias(std::size_t c, float value, int exp) const {
  if (static_cast<double>(value) == std::ldexp(static_cast<double>(node.po2.bias[c]), exp))
    return ok_status();
  return make_error(ErrorCode::kUnsupported,
                    "{}: the bias of channel {} needs more than float32's 24 bits; export to "
                    "onnx-float or c",
                    node.name, c);
}

Result<std::string> LayerEmitter::bias() const {
  const auto& bias = node.po2.bias;
  if (bias.empty()) return std::string();
  const Ints dims{static_cast<std::int64_t>(bias.size())};
  const std::string name = node.name + "/bias";
  std::vector<float> scales, values;
  std::vector<std::int32_t> integers;
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const int exp = node.po2.exps[c] + operand(0).act.exp;
    scales.push_back(power(exp));
    values.push_back(static_cast<float>(std::ldexp(static_cast<double>(bias[c]), exp)));
    integers.push_back(static_cast<std::int32_t>(bias[c]));
    if (qonnx()) NBQ_TRY(check_bias(c, values.back(), exp));
    if (qdq() && integers.back() != bias[c])
      return make_error(ErrorCode::kUnsupported,
                        "{}: the bias of channel {} needs more than 32 bits; export to onnx-float",
                        node.name, c);
  }
  if (!qdq()) return writer().constant(name, dims, values);
  return dequantised(writer().constant(name, dims, integers), scales, {});
}

// A bound that the 8-bit type has by itself is left out.
OnnxValue LayerEmitter::clamp(const OnnxValue& sums) const {
  const ActFormat& f = node.act;
  const ActFormat full = container(f, qdq());
  const bool can_be_negative =
      node.po2.bits != 0 || std::any_of(node.inputs.begin(), node.inputs.end(), [&](int in) {
        return net.graph.nodes[static_cast<std::size_t>(in)].act.lo < 0;
      });
  const bool low = f.lo == 0 ? can_be_negative : f.lo > full.lo;
  const bool high = f.hi < full.hi;
  if (high || (low && f.lo != 0)) {
    const std::vector<float> lo{std::ldexp(static_cast<float>(f.lo), f.exp)};
    const std::vector<float> hi{std::ldexp(static_cast<float>(f.hi), f.exp)};
    const std::string min = writer().constant(node.name + "/min", {}, lo);
    const std::string max = writer().constant(node.name + "/max", {}, hi);
    return {writer().node("Clip", {sums.name, min, max}, node.name + "/clip").output(), sums.flat};
  }
  if (!low) return sums;
  return {writer().node("Relu", {sums.name}, node.name + "/relu").output(), sums.flat};
}

std::string LayerEmitter::zero_point(bool is_signed, int value) const {
  const std::string name = node.name + "/zero";
  if (is_signed)
    return writer().constant(name, {}, std::vector<std::int8_t>{static_cast<std::int8_t>(value)});
  return writer().constant(name, {}, std::vector<std::uint8_t>{static_cast<std::uint8_t>(value)});
}

OnnxValue LayerEmitter::round_to(const ActFormat& format, const OnnxValue& value) const {
  const std::string scale =
      writer().constant(node.name + "/scale", {}, std::vector<float>{power(format.exp)});
  const bool shifted = format.is_signed && net.options.all_uint8;
  const std::string zero = zero_point(format.is_signed && !shifted, shifted ? 128 : 0);
  const std::string integers =
      writer().node("QuantizeLinear", {value.name, scale, zero}, node.name + "/quantised").output();
  const std::string real =
      writer().node("DequantizeLinear", {integers, scale, zero}, node.name + "/out").output();
  return {real, value.flat};
}

std::string LayerEmitter::quant(const std::string& value, const std::vector<float>& scales,
                                std::size_t rank, int bits, bool is_signed, bool narrow,
                                const char* rounding, const std::string& output) const {
  Ints dims;
  if (scales.size() > 1) {
    dims.assign(rank, 1);
    dims[0] = static_cast<std::int64_t>(scales.size());
  }
  const auto scalar = [&](const char* what, float v) {
    return writer().constant(output + what, {}, std::vector<float>{v});
  };
  const std::string scale = writer().constant(output + "/scale", dims, scales);
  const std::vector<std::string> inputs{value, scale, scalar("/zero", 0.0f),
                                        scalar("/bits", static_cast<float>(bits))};
  return writer()
      .node("Quant", inputs, output)
      .domain(kQonnxDomain)
      .attr("signed", std::int64_t{is_signed})
      .attr("narrow", std::int64_t{narrow})
      .text_attr("rounding_mode", rounding)
      .output();
}

/// Readers may add the half to the bias: that must be exact, too.
Status LayerEmitter::check_half() const {
  const double half = std::ldexp(0.5, node.act.exp);
  for (std::size_t c = 0; c < node.po2.bias.size(); ++c) {
    const double sum = half + std::ldexp(static_cast<double>(node.po2.bias[c]),
                                         node.po2.exps[c] + operand(0).act.exp);
    if (double{static_cast<float>(sum)} != sum)
      return make_error(ErrorCode::kUnsupported,
                        "{}: the bias of channel {} and half a unit of the output need more than "
                        "float32's 24 bits; export to onnx-float or c",
                        node.name, c);
  }
  return ok_status();
}

// Quant's HALF_UP rounds halves away from zero, which is nbq's rounding where nothing is negative;
// elsewhere that is half a unit more, rounded down.
Result<OnnxValue> LayerEmitter::finish_qonnx(const OnnxValue& sums) const {
  const ActFormat& f = node.act;
  NBQ_ASSIGN(const OutputStage stage,
             output_stage(net.graph, static_cast<int>(&node - net.graph.nodes.data())));
  const bool exact =
      std::all_of(stage.shifts.begin(), stage.shifts.end(), [](int r) { return r <= 0; });
  const char* rounding = exact ? "ROUND" : f.lo == 0 ? "HALF_UP" : "FLOOR";
  OnnxValue v = sums;
  if (!exact && f.lo != 0) {
    NBQ_TRY(check_half());
    const std::string half =
        writer().constant(node.name + "/half", {}, std::vector<float>{power(f.exp - 1)});
    v.name = writer().node("Add", {v.name, half}, node.name + "/shifted").output();
  }
  v = clamp(v);
  v.name = quant(v.name, {power(f.exp)}, 0, f.bits, f.is_signed, false, rounding,
                 node.name + "/quantised");
  return v;
}

Result<OnnxValue> LayerEmitter::finish(const OnnxValue& sums) const {
  const ActFormat& f = node.act;
  if (!f.quantised()) return sums;  // the logits
  if (qonnx() && keeps_format(node.kind())) return sums;
  if (qonnx()) return finish_qonnx(sums);
  if (qdq() && f.bits > 8)
    return make_error(ErrorCode::kUnsupported,
                      "{}: {}-bit activations, onnx-qdq holds 8; export with --act-bits 8, or to "
                      "onnx-float",
                      node.name, f.bits);
  const OnnxValue clamped = keeps_format(node.kind()) ? sums : clamp(sums);
  return qdq() ? round_to(f, clamped) : clamped;
}

}  // namespace nbq::exchange
