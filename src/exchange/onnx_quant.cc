#include "exchange/onnx_quant.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>

#include "exchange/onnx_readers.h"

namespace nbq::exchange {
namespace {

struct Range {
  std::int64_t lo, hi;
};

Result<Range> range_of(const ConstTensor* zero, const std::string& where) {
  const int type = zero == nullptr ? int{onnx::TensorProto::UINT8} : zero->type;
  switch (type) {
    case onnx::TensorProto::INT8:
      return Range{-128, 127};
    case onnx::TensorProto::UINT8:
      return Range{0, 255};
    case onnx::TensorProto::INT16:
      return Range{-32768, 32767};
    case onnx::TensorProto::UINT16:
      return Range{0, 65535};
    default:
      return make_error(ErrorCode::kUnsupported,
                        "{}: a zero point of ONNX type {}; int8, uint8, int16 and uint16 are read",
                        where, type);
  }
}

enum class Rounding { kHalfEven, kHalfAway, kFloor };

Result<Rounding> rounding_of(const std::string& mode, const std::string& where) {
  if (mode == "ROUND" || mode == "HALF_EVEN") return Rounding::kHalfEven;
  if (mode == "HALF_UP") return Rounding::kHalfAway;  // so QONNX executes it
  if (mode == "FLOOR") return Rounding::kFloor;
  return make_error(ErrorCode::kUnsupported,
                    "{}: rounding_mode {}; ROUND, HALF_EVEN, HALF_UP and FLOOR are read", where,
                    mode);
}

double rounded(Rounding rounding, double v) {
  if (rounding == Rounding::kHalfEven) return std::nearbyint(v);
  return rounding == Rounding::kHalfAway ? std::round(v) : std::floor(v);
}

/// What a Quant node's bit width and attributes allow.
struct QuantNode {
  Range range;
  Rounding rounding;
};

Result<QuantNode> quant_node(AttributeReader& a, const ConstTensor& bitwidth) {
  std::int64_t is_signed = 1, narrow = 0;
  std::string mode = "ROUND";
  a.get("signed", is_signed);
  a.get("narrow", narrow);
  a.get("rounding_mode", mode);
  NBQ_TRY(a.finish());
  NBQ_ASSIGN(const Rounding rounding, rounding_of(mode, a.where()));
  const double bits = bitwidth.size() != 1 ? 0
                      : bitwidth.is_float  ? double{bitwidth.floats[0]}
                                           : static_cast<double>(bitwidth.ints[0]);
  if (!(bits >= 2 && bits <= 32) || bits != std::floor(bits))
    return make_error(ErrorCode::kUnsupported,
                      "{}: a bit width of {}; whole ones of 2..32 are read", a.where(), bits);
  const auto n = static_cast<int>(bits);
  const std::int64_t half = std::int64_t{1} << (n - 1);
  const Range range = is_signed != 0 ? Range{-half + (narrow != 0), half - 1}
                                     : Range{0, 2 * half - 1 - (narrow != 0)};
  return QuantNode{range, rounding};
}

/// Which element of a constant goes with element k of a tensor: one number for all, or as ONNX
/// broadcasts dimensions; an `axis` for lists of one dimension.
class Broadcast {
 public:
  static Result<Broadcast> make(const ConstTensor& small, const std::vector<std::int64_t>& dims,
                                std::optional<std::size_t> axis, const std::string& where) {
    std::vector<std::int64_t> own = small.dims;
    if (small.size() == 1) own.clear();
    if (axis && own.size() == 1)
      own.insert(own.end(), dims.size() - std::min(dims.size(), *axis + 1), 1);
    bool fits = own.size() <= dims.size();
    for (std::size_t i = 0; fits && i < own.size(); ++i)
      fits = own[i] == 1 || own[i] == dims[dims.size() - own.size() + i];
    if (!fits)
      return make_error(ErrorCode::kUnsupported,
                        "{}: a scale or zero point of dimensions [{}] for a tensor of [{}]", where,
                        fmt::join(small.dims, ", "), fmt::join(dims, ", "));
    own.insert(own.begin(), dims.size() - own.size(), 1);
    return Broadcast(std::move(own), dims);
  }
  std::size_t at(std::int64_t k) const {
    std::int64_t index = 0, step = 1;
    for (std::size_t i = dims_.size(); i-- > 0;) {
      index += own_[i] == 1 ? 0 : k % dims_[i] * step;
      step *= own_[i];
      k /= dims_[i];
    }
    return static_cast<std::size_t>(index);
  }

 private:
  Broadcast(std::vector<std::int64_t> own, std::vector<std::int64_t> dims)
      : own_(std::move(own)), dims_(std::move(dims)) {}
  std::vector<std::int64_t> own_, dims_;
};

Result<const ConstTensor*> operand(const FoldContext& c, std::size_t i, bool is_float) {
  if (i >= c.in.size() || c.in[i] == nullptr || c.in[i]->is_float != is_float)
    return make_error(ErrorCode::kBadFile, "{}: input {} must hold {}", c.attributes.where(), i,
                      is_float ? "floats" : "integers");
  return c.in[i];
}

/// What a linear quantizer's inputs and attributes say.
struct Linear {
  const ConstTensor* x;
  const ConstTensor* scale;
  const ConstTensor* zero;  ///< or nullptr
  Broadcast scales, zeros;
};

Result<Linear> linear(const FoldContext& c, bool from_float) {
  NBQ_ASSIGN(const ConstTensor* x, operand(c, 0, from_float));
  NBQ_ASSIGN(const ConstTensor* scale, operand(c, 1, true));
  const ConstTensor* zero = nullptr;
  if (c.in.size() > 2 && c.in[2] != nullptr) {
    NBQ_ASSIGN(zero, operand(c, 2, false));
  }
  std::int64_t axis = 1;
  c.attributes.get("axis", axis);
  c.attributes.skip("saturate");
  NBQ_TRY(c.attributes.finish());
  if (x->size() > c.max_elements)
    return make_error(ErrorCode::kBadFile, "{}: its result is too large", c.attributes.where());
  std::optional<std::size_t> at;
  if (scale->size() > 1) {
    NBQ_ASSIGN(at, checked_axis(axis, x->dims.size(), c.attributes.where()));
  }
  NBQ_ASSIGN(Broadcast scales, Broadcast::make(*scale, x->dims, at, c.attributes.where()));
  NBQ_ASSIGN(Broadcast zeros,
             Broadcast::make(zero != nullptr ? *zero : ConstTensor{{}, false, {}, {0}}, x->dims, at,
                             c.attributes.where()));
  return Linear{x, scale, zero, std::move(scales), std::move(zeros)};
}

/// One number that the model gives as a constant.
Result<double> single(NodeContext& n, std::size_t i, const char* what) {
  NBQ_ASSIGN(const Value* v, n.input(i));
  if (!v->is_constant() || v->constant->size() != 1)
    return n.unsupported("the {} of activations must be one constant number", what);
  return v->constant->is_float ? double{v->constant->floats[0]}
                               : static_cast<double>(v->constant->ints[0]);
}

Result<int> scale_exponent(NodeContext& n) {
  NBQ_ASSIGN(const double scale, single(n, 1, "scale"));
  const std::optional<int> exp = power_of_two(scale);
  if (!exp)
    return n.unsupported(
        "a scale of {}, which is no power of two: the network is not exact here; export it without "
        "quantizers and learn it with nbq train",
        scale);
  return *exp;
}

/// Integers [lo, hi] less the zero point.
Result<ActFormat> format_of(NodeContext& n, const Range& range, double zero, int exp) {
  const double lo = static_cast<double>(range.lo) - zero, hi = static_cast<double>(range.hi) - zero;
  if (zero != std::floor(zero) || !(lo <= 0 && hi >= 0))
    return n.unsupported("a zero point of {} outside of {}..{}", zero, range.lo, range.hi);
  ActFormat f{2, lo < 0, exp, 0, 0};
  while (f.bits <= 16 && (static_cast<double>(ActFormat::make(f.bits, f.is_signed, exp).lo) > lo ||
                          static_cast<double>(ActFormat::make(f.bits, f.is_signed, exp).hi) < hi))
    ++f.bits;
  if (f.bits > 16)
    return n.unsupported("integers of {}..{}; activations have at most 16 bits", lo, hi);
  f.lo = static_cast<std::int32_t>(lo);
  f.hi = static_cast<std::int32_t>(hi);
  return f;
}

}  // namespace

std::optional<int> power_of_two(double v) {
  int exp = 0;
  if (!(v > 0) || !std::isfinite(v) || std::frexp(v, &exp) != 0.5) return std::nullopt;
  return exp - 1;
}

bool is_qonnx_quant(const onnx::NodeProto& p) {
  constexpr const char* kDomains[] = {"qonnx.custom_op.general", "onnx.brevitas",
                                      "finn.custom_op.general"};
  return (p.op_type() == "Quant" || p.op_type() == "IntQuant") &&
         std::find(std::begin(kDomains), std::end(kDomains), p.domain()) != std::end(kDomains);
}

Result<ConstTensor> fold_dequantize_linear(const FoldContext& c) {
  NBQ_ASSIGN(const Linear l, linear(c, false));
  ConstTensor out{l.x->dims, true, {}, {}};
  for (std::int64_t k = 0; k < l.x->size(); ++k) {
    const std::int64_t zero = l.zero != nullptr ? l.zero->ints[l.zeros.at(k)] : 0;
    const std::int64_t stored = l.x->ints[static_cast<std::size_t>(k)];
    const float scale = l.scale->floats[l.scales.at(k)];
    constexpr std::int64_t kMax = std::int64_t{1} << 40;
    if (std::clamp(stored, -kMax, kMax) != stored || std::clamp(zero, -kMax, kMax) != zero)
      return make_error(ErrorCode::kUnsupported, "{}: element {} is too large",
                        c.attributes.where(), k);
    const double exact = static_cast<double>(stored - zero) * double{scale};
    out.floats.push_back(static_cast<float>(exact));
    // With other scales the product is rounded anyway.
    if (power_of_two(scale) && double{out.floats.back()} != exact)
      return make_error(ErrorCode::kUnsupported,
                        "{}: element {} is {} times {}, more than float's 24 bits hold",
                        c.attributes.where(), k, stored - zero, scale);
  }
  return out;
}

Result<ConstTensor> fold_quantize_linear(const FoldContext& c) {
  NBQ_ASSIGN(const Linear l, linear(c, true));
  NBQ_ASSIGN(const Range range, range_of(l.zero, c.attributes.where()));
  ConstTensor out{l.x->dims, false, {}, {}};
  for (std::int64_t k = 0; k < l.x->size(); ++k) {
    const double zero = l.zero != nullptr ? static_cast<double>(l.zero->ints[l.zeros.at(k)]) : 0;
    const double q = std::nearbyint(double{l.x->floats[static_cast<std::size_t>(k)]} /
                                    double{l.scale->floats[l.scales.at(k)]}) +
                     zero;
    if (std::isnan(q))
      return make_error(ErrorCode::kBadFile, "{}: element {} is no number", c.attributes.where(),
                        k);
    out.ints.push_back(static_cast<std::int64_t>(
        std::clamp(q, static_cast<double>(range.lo), static_cast<double>(range.hi))));
  }
  return out;
}

Result<ConstTensor> fold_quant(const FoldContext& c) {
  const std::string where = c.attributes.where();
  NBQ_ASSIGN(const ConstTensor* x, operand(c, 0, true));
  NBQ_ASSIGN(const ConstTensor* scale, operand(c, 1, true));
  NBQ_ASSIGN(const ConstTensor* zero, operand(c, 2, true));
  NBQ_ASSIGN(const ConstTensor* bits, operand(c, 3, true));
  NBQ_ASSIGN(const QuantNode q, quant_node(c.attributes, *bits));
  NBQ_ASSIGN(const Broadcast scales, Broadcast::make(*scale, x->dims, {}, where));
  NBQ_ASSIGN(const Broadcast zeros, Broadcast::make(*zero, x->dims, {}, where));
  if (x->size() > c.max_elements)
    return make_error(ErrorCode::kBadFile, "{}: its result is too large", where);
  ConstTensor out{x->dims, true, {}, {}};
  for (std::int64_t k = 0; k < x->size(); ++k) {
    const double unit = scale->floats[scales.at(k)], offset = zero->floats[zeros.at(k)];
    const double v = std::clamp(x->floats[static_cast<std::size_t>(k)] / unit + offset,
                                static_cast<double>(q.range.lo), static_cast<double>(q.range.hi));
    out.floats.push_back(static_cast<float>((rounded(q.rounding, v) - offset) * unit));
  }
  return out;
}

Status give_marker(NodeContext& n, Value v, const Marker& marker, const ActFormat& act) {
  NBQ_ASSIGN(v.id, n.add(ConcatAttrs{}, v));
  Node& node = n.state.graph.nodes.back();
  node.act = act;
  n.state.markers[node.name] = marker;
  return n.give(std::move(v));
}

Error unsupported_clip(const std::string& where, double low, double high) {
  return make_error(ErrorCode::kUnsupported,
                    "{}: clips to {}..{}; only from 0 up to something positive, as ReLU6 does, or "
                    "around 0 with a quantizer behind it",
                    where, low, high);
}

Status read_quantize_linear(NodeContext& n) {
  for (const char* unused : {"axis", "saturate"}) n.attributes.skip(unused);
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(Value v, n.activations(0));
  NBQ_ASSIGN(const int exp, scale_exponent(n));
  double zero = 0;
  const ConstTensor* stored = nullptr;
  if (n.has_input(2)) {
    NBQ_ASSIGN(zero, single(n, 2, "zero point"));
    NBQ_ASSIGN(const Value* given, n.input(2));
    stored = given->constant.get();
  }
  NBQ_ASSIGN(const Range range, range_of(stored, n.where()));
  NBQ_ASSIGN(const ActFormat act, format_of(n, range, zero, exp));
  n.state.rounds_to_even = true;
  v.stored = StoredIntegers{exp, static_cast<std::int64_t>(zero)};
  return give_marker(n, std::move(v), {}, act);
}

Status read_dequantize_linear(NodeContext& n) {
  n.attributes.skip("axis");
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(const Value* given, n.input(0));
  Value v = *given;
  if (v.is_constant() || !v.stored)
    return n.unsupported("reads neither constants nor what a QuantizeLinear gives");
  NBQ_ASSIGN(const double scale, single(n, 1, "scale"));
  double zero = 0;
  if (n.has_input(2)) {
    NBQ_ASSIGN(zero, single(n, 2, "zero point"));
  }
  if (scale != std::ldexp(1.0, v.stored->exp) || zero != static_cast<double>(v.stored->zero))
    return n.unsupported("scale {} and zero point {}, where its integers {} {} and {}", scale, zero,
                         v.stored->pixels ? "are pixels, which means" : "were made with",
                         std::ldexp(1.0, v.stored->exp), v.stored->zero);
  v.stored.reset();
  return n.give(std::move(v));
}

Status read_quant(NodeContext& n) {
  NBQ_ASSIGN(const Value v, n.activations(0));
  NBQ_ASSIGN(const int exp, scale_exponent(n));
  NBQ_ASSIGN(const double zero, single(n, 2, "zero point"));
  NBQ_ASSIGN(const Value* bits, n.input(3));
  if (!bits->is_constant()) return n.unsupported("its bit width is computed from the image");
  NBQ_ASSIGN(const QuantNode q, quant_node(n.attributes, *bits->constant));
  NBQ_ASSIGN(const ActFormat act, format_of(n, q.range, zero, exp));
  // Halves away from zero are halves up where nothing is negative.
  n.state.rounds_to_even |=
      q.rounding == Rounding::kHalfEven || (q.rounding == Rounding::kHalfAway && act.lo < 0);
  return give_marker(n, v, {{}, q.rounding == Rounding::kFloor}, act);
}

}  // namespace nbq::exchange
