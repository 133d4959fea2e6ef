#include "exchange/onnx_constants.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "exchange/onnx_quant.h"

namespace nbq::exchange {
namespace {

using Dims = std::vector<std::int64_t>;

Error no_such(const FoldContext& c, const char* what) {
  return make_error(ErrorCode::kUnsupported,
                    "{}: {} while constants are computed; simplify the model first (for example "
                    "with onnxsim)",
                    c.attributes.where(), what);
}

Result<const ConstTensor*> input(const FoldContext& c, std::size_t i) {
  if (i >= c.in.size() || c.in[i] == nullptr)
    return make_error(ErrorCode::kBadFile, "{}: input {} is missing", c.attributes.where(), i);
  return c.in[i];
}
Result<Dims> int_input(const FoldContext& c, std::size_t i) {
  NBQ_ASSIGN(const ConstTensor* t, input(c, i));
  if (t->is_float) return no_such(c, "integers are needed where it has floats");
  return t->ints;
}
/// A list that is an attribute in old opsets and an input in newer ones; empty: absent.
Result<Dims> list(const FoldContext& c, const char* attribute, std::size_t i) {
  Dims v;
  c.attributes.get(attribute, v);
  if (i < c.in.size() && c.in[i] != nullptr) return int_input(c, i);
  return v;
}

/// A result of these dims whose element k is element from(k) of `t`.
template <class From>
Result<ConstTensor> gather(const FoldContext& c, const ConstTensor& t, Dims dims, From from) {
  NBQ_TRY(c.attributes.finish());
  const std::int64_t count = element_count(dims);
  if (count < 0 || count > c.max_elements) return no_such(c, "its result is too large");
  ConstTensor out{std::move(dims), t.is_float, {}, {}};
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int64_t at = from(k);
    if (at < 0 || at >= t.size()) return no_such(c, "its sizes do not fit");
    if (t.is_float)
      out.floats.push_back(t.floats[static_cast<std::size_t>(at)]);
    else
      out.ints.push_back(t.ints[static_cast<std::size_t>(at)]);
  }
  return out;
}
Result<ConstTensor> reshaped(const FoldContext& c, const ConstTensor& t, Dims dims) {
  return gather(c, t, std::move(dims), [](std::int64_t k) { return k; });
}

/// Elements behind an axis.
std::int64_t inner(const Dims& d, std::size_t axis) {
  return std::accumulate(d.begin() + static_cast<std::ptrdiff_t>(axis) + 1, d.end(),
                         std::int64_t{1}, std::multiplies<>());
}

Result<ConstTensor> fold_reshape(const FoldContext& c) {
  c.attributes.skip("allowzero");
  NBQ_ASSIGN(const ConstTensor* t, input(c, 0));
  NBQ_ASSIGN(Dims d, int_input(c, 1));
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  for (std::size_t i = 0; i < d.size(); ++i) {
    if (d[i] == 0 && i < t->dims.size()) d[i] = t->dims[i];
    if (d[i] == -1)
      open = &d[i];
    else if (d[i] <= 0 || d[i] > (1 << 28) || (known *= d[i]) > (1 << 28))
      return no_such(c, "its target shape is out of range");
  }
  if (open != nullptr) *open = t->size() / known;
  if (element_count(d) != t->size()) return no_such(c, "its target shape does not fit");
  return reshaped(c, *t, std::move(d));
}

Result<ConstTensor> fold_unsqueeze(const FoldContext& c) {
  NBQ_ASSIGN(const ConstTensor* t, input(c, 0));
  NBQ_ASSIGN(Dims axes, list(c, "axes", 1));
  const std::size_t rank = t->dims.size() + axes.size();
  for (std::int64_t& a : axes) {
    NBQ_ASSIGN(const std::size_t axis, checked_axis(a, rank, c.attributes.where()));
    a = static_cast<std::int64_t>(axis);
  }
  std::sort(axes.begin(), axes.end());
  Dims d = t->dims;
  for (const std::int64_t a : axes)
    d.insert(d.begin() + std::min(a, static_cast<std::int64_t>(d.size())), 1);
  return reshaped(c, *t, std::move(d));
}

Result<ConstTensor> fold_squeeze(const FoldContext& c) {
  NBQ_ASSIGN(const ConstTensor* t, input(c, 0));
  NBQ_ASSIGN(const Dims axes, list(c, "axes", 1));
  std::vector<bool> drop(t->dims.size(), false);
  for (const std::int64_t a : axes) {
    NBQ_ASSIGN(const std::size_t axis, checked_axis(a, t->dims.size(), c.attributes.where()));
    drop[axis] = true;
  }
  Dims d;
  for (std::size_t i = 0; i < drop.size(); ++i)
    if (!(drop[i] || (axes.empty() && t->dims[i] == 1))) d.push_back(t->dims[i]);
  return reshaped(c, *t, std::move(d));
}

Result<ConstTensor> fold_transpose(const FoldContext& c) {
  NBQ_ASSIGN(const ConstTensor* t, input(c, 0));
  Dims perm(t->dims.size());
  std::iota(perm.rbegin(), perm.rend(), 0);
  c.attributes.get("perm", perm);
  Dims sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<std::int64_t>(i) || sorted.size() != t->dims.size())
      return no_such(c, "its perm is no permutation");
  Dims d, strides;
  for (const std::int64_t p : perm) {
    d.push_back(t->dims[static_cast<std::size_t>(p)]);
    strides.push_back(inner(t->dims, static_cast<std::size_t>(p)));
  }
  return gather(c, *t, d, [&](std::int64_t k) {
    std::int64_t at = 0;
    for (std::size_t i = d.size(); i-- > 0; k /= d[i]) at += k % d[i] * strides[i];
    return at;
  });
}

Result<ConstTensor> fold_gather(const FoldContext& c) {
  std::int64_t given = 0;
  c.attributes.get("axis", given);
  NBQ_ASSIGN(const ConstTensor* t, input(c, 0));
  NBQ_ASSIGN(const ConstTensor* where, input(c, 1));
  NBQ_ASSIGN(const Dims index, int_input(c, 1));
  NBQ_ASSIGN(const std::size_t axis, checked_axis(given, t->dims.size(), c.attributes.where()));
  const std::int64_t size = t->dims[axis], in = inner(t->dims, axis);
  for (const std::int64_t i : index)
    if (i < -size || i >= size) return no_such(c, "its index is outside");
  Dims d = t->dims;
  d.erase(d.begin() + static_cast<std::ptrdiff_t>(axis));
  d.insert(d.begin() + static_cast<std::ptrdiff_t>(axis), where->dims.begin(), where->dims.end());
  const auto count = static_cast<std::int64_t>(index.size());
  return gather(c, *t, std::move(d), [&](std::int64_t k) {
    const std::int64_t i = index[static_cast<std::size_t>(k / in % count)];
    return (k / in / count * size + (i < 0 ? i + size : i)) * in + k % in;
  });
}

Result<ConstTensor> fold_slice(const FoldContext& c) {
  NBQ_ASSIGN(const ConstTensor* t, input(c, 0));
  NBQ_ASSIGN(const Dims starts, list(c, "starts", 1));
  NBQ_ASSIGN(const Dims ends, list(c, "ends", 2));
  NBQ_ASSIGN(Dims axes, list(c, "axes", 3));
  NBQ_ASSIGN(Dims steps, list(c, "steps", 4));
  if (axes.empty())
    for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  steps.resize(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size())
    return no_such(c, "its lists differ in length");
  Dims d = t->dims, first(d.size(), 0), step(d.size(), 1);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    NBQ_ASSIGN(const std::size_t axis, checked_axis(axes[i], d.size(), c.attributes.where()));
    // Exporters turn lists round with a step of -1.
    if (steps[i] == -1 && starts[i] == -1 && ends[i] < -t->dims[axis]) {
      first[axis] = t->dims[axis] - 1;
      step[axis] = -1;
      continue;
    }
    NBQ_ASSIGN(const SliceRange r,
               slice_range(starts[i], ends[i], steps[i], t->dims[axis], c.attributes.where()));
    d[axis] = r.count;
    first[axis] = r.start;
    step[axis] = r.step;
  }
  return gather(c, *t, d, [&](std::int64_t k) {
    std::int64_t at = 0;
    for (std::size_t i = d.size(); i-- > 0; k /= d[i])
      at += (first[i] + k % d[i] * step[i]) * inner(t->dims, i);
    return at;
  });
}

Result<ConstTensor> fold_concat(const FoldContext& c) {
  std::int64_t given = 0;
  c.attributes.get("axis", given);
  NBQ_TRY(c.attributes.finish());
  NBQ_ASSIGN(const ConstTensor* first, input(c, 0));
  NBQ_ASSIGN(const std::size_t axis, checked_axis(given, first->dims.size(), c.attributes.where()));
  if (axis != 0) return no_such(c, "it joins along another axis than the first");
  ConstTensor out{first->dims, first->is_float, {}, {}};
  out.dims[0] = 0;
  for (std::size_t i = 0; i < c.in.size(); ++i) {
    NBQ_ASSIGN(const ConstTensor* t, input(c, i));
    if (t->is_float != out.is_float || t->dims.size() != out.dims.size() ||
        !std::equal(t->dims.begin() + 1, t->dims.end(), out.dims.begin() + 1) ||
        t->size() + out.size() > c.max_elements)
      return no_such(c, "its inputs do not fit");
    out.dims[0] += t->dims[0];
    out.floats.insert(out.floats.end(), t->floats.begin(), t->floats.end());
    out.ints.insert(out.ints.end(), t->ints.begin(), t->ints.end());
  }
  return out;
}

Result<ConstTensor> fold_cast(const FoldContext& c) {
  std::int64_t to = 0;
  c.attributes.get("to", to);
  NBQ_ASSIGN(const ConstTensor* t, input(c, 0));
  const bool to_float = to == onnx::TensorProto::FLOAT || to == onnx::TensorProto::DOUBLE;
  if (!to_float && to != onnx::TensorProto::INT64 && to != onnx::TensorProto::INT32)
    return no_such(c, "the type it casts to is not known");
  NBQ_ASSIGN(ConstTensor out, reshaped(c, *t, t->dims));
  out.is_float = to_float;
  for (const float v : t->floats) {
    if (to_float) break;
    if (!(std::fabs(v) < 0x1p62f)) return no_such(c, "a number is too large for an integer");
    out.ints.push_back(static_cast<std::int64_t>(v));
  }
  for (const std::int64_t v : t->ints)
    if (to_float) out.floats.push_back(static_cast<float>(v));
  to_float ? out.ints.clear() : out.floats.clear();
  return out;
}

Result<ConstTensor> fold_constant_of_shape(const FoldContext& c) {
  NBQ_ASSIGN(const Dims d, int_input(c, 0));
  ConstTensor value{{1}, true, {0.0f}, {}};
  if (const onnx::TensorProto* t = c.attributes.tensor("value")) {
    std::string converted;
    NBQ_ASSIGN(value, decode_tensor(*t, {}, c.attributes.where(), converted));
  }
  return gather(c, value, d, [](std::int64_t) { return 0; });
}

/// Of equal sizes, or with one a single number.
template <class Op>
Result<ConstTensor> arithmetic(const FoldContext& c, Op op) {
  NBQ_ASSIGN(const ConstTensor* a, input(c, 0));
  NBQ_ASSIGN(const ConstTensor* b, input(c, 1));
  if (a->is_float != b->is_float || a->size() == 0 || b->size() == 0 ||
      (a->dims != b->dims && a->size() != 1 && b->size() != 1))
    return no_such(c, "its operands do not fit");
  const ConstTensor& larger = a->size() >= b->size() ? *a : *b;
  NBQ_ASSIGN(ConstTensor out, reshaped(c, larger, larger.dims));
  const auto pick = [](const auto& v, std::size_t i) { return v[v.size() == 1 ? 0 : i]; };
  for (std::size_t i = 0; i < out.floats.size(); ++i)
    out.floats[i] = static_cast<float>(op(double{pick(a->floats, i)}, double{pick(b->floats, i)}));
  for (std::size_t i = 0; i < out.ints.size(); ++i) {
    const std::int64_t x = pick(a->ints, i), y = pick(b->ints, i);
    // Sizes and indices: far below 2^31, which keeps every result in range.
    constexpr std::int64_t kMax = std::int64_t{1} << 31;
    const double exact = op(static_cast<double>(x), static_cast<double>(y));
    if (std::abs(x >> 1) > kMax / 2 || std::abs(y >> 1) > kMax / 2 || !std::isfinite(exact))
      return no_such(c, "an integer is too large");
    out.ints[i] = static_cast<std::int64_t>(exact);
  }
  return out;
}
Result<ConstTensor> fold_add(const FoldContext& c) { return arithmetic(c, std::plus<>()); }
Result<ConstTensor> fold_sub(const FoldContext& c) { return arithmetic(c, std::minus<>()); }
Result<ConstTensor> fold_mul(const FoldContext& c) { return arithmetic(c, std::multiplies<>()); }
Result<ConstTensor> fold_div(const FoldContext& c) { return arithmetic(c, std::divides<>()); }

struct Row {
  const char* op_type;
  Result<ConstTensor> (*fold)(const FoldContext&);
};
constexpr Row kRows[] = {{"Reshape", fold_reshape},
                         {"Unsqueeze", fold_unsqueeze},
                         {"Squeeze", fold_squeeze},
                         {"Transpose", fold_transpose},
                         {"Gather", fold_gather},
                         {"Slice", fold_slice},
                         {"Concat", fold_concat},
                         {"Cast", fold_cast},
                         {"Add", fold_add},
                         {"Sub", fold_sub},
                         {"Mul", fold_mul},
                         {"Div", fold_div},
                         {"ConstantOfShape", fold_constant_of_shape},
                         {"DequantizeLinear", fold_dequantize_linear},
                         {"QuantizeLinear", fold_quantize_linear},
                         {"IntQuant", fold_quant},
                         {"Quant", fold_quant}};

const Row* find_row(const std::string& op_type) {
  for (const Row& r : kRows)
    if (op_type == r.op_type) return &r;
  return nullptr;
}

}  // namespace

bool folds_constants(const std::string& op_type) { return find_row(op_type) != nullptr; }

Result<ConstTensor> fold_constants(const std::string& op_type, const FoldContext& context) {
  return find_row(op_type)->fold(context);
}

Result<SliceRange> slice_range(std::int64_t start, std::int64_t end, std::int64_t step,
                               std::int64_t size, const std::string& where) {
  if (step < 1)
    return make_error(ErrorCode::kUnsupported, "{}: a slice with a step of {}, only 1 and more",
                      where, step);
  const auto clamp = [size](std::int64_t v) {
    return std::clamp<std::int64_t>(v < 0 ? v + size : v, 0, size);
  };
  const std::int64_t first = clamp(start);
  const std::int64_t room = clamp(end) - first;
  return SliceRange{first, room <= 0 ? 0 : (room - 1) / step + 1, std::min(step, size + 1)};
}

Result<std::size_t> checked_axis(std::int64_t axis, std::size_t rank, const std::string& where) {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r)
    return make_error(ErrorCode::kBadFile, "{}: axis {} of {} dimensions", where, axis, rank);
  return static_cast<std::size_t>(axis < 0 ? axis + r : axis);
}

}  // namespace nbq::exchange
