#include <onnx/onnx_pb.h>

#include <algorithm>

#include "exchange/onnx_readers.h"

// Nodes that only turn, cut or pad tensors.
namespace nbq::exchange {
namespace {

using Ints = std::vector<std::int64_t>;

/// The axes of `v` that are no single element, without the batch.
Axes wide_axes(const NodeContext& n, const Value& v) {
  Axes wide;
  for (const Axis a : v.axes)
    if (a != Axis::kBatch && n.size(v, a) != 1) wide.push_back(a);
  return wide;
}

/// Batch first, and nothing turned: what a new shape may be laid over.
Status check_batch_first(const NodeContext& n, const Value& v) {
  if (v.axes.empty() || v.axes[0] != Axis::kBatch)
    return n.unsupported("the batch is not its first dimension");
  return ok_status();
}

/// [N, everything else], with the order of features noted where it is not ours.
Status give_flat(NodeContext& n, Value v) {
  NBQ_TRY(check_batch_first(n, v));
  if (v.axes == kFlatAxes) return n.give(std::move(v));
  const Axes wide = wide_axes(n, v);
  const Shape map = n.shape(v);
  v.axes = kFlatAxes;
  if (map.h * map.w == 1) return n.give(std::move(v));  // is flat already
  if (!std::is_sorted(wide.begin(), wide.end())) v.flat = FlatOrder{map, wide};
  return n.give(FlattenAttrs{}, std::move(v));
}

/// The value under other axes of the same order; only axes of one element come and go.
Status give_resized(NodeContext& n, Value v, const Ints& sizes) {
  const Axes wide = wide_axes(n, v);
  Axes spare;
  for (const Axis a : {Axis::kC, Axis::kH, Axis::kW})
    if (n.size(v, a) == 1) spare.push_back(a);
  Axes axes = {Axis::kBatch};
  std::size_t next_wide = 0, next_spare = 0;
  for (const std::int64_t s : sizes) {
    const bool is_wide = next_wide < wide.size() && s == n.size(v, wide[next_wide]) && s != 1;
    if (is_wide)
      axes.push_back(wide[next_wide++]);
    else if (s == 1 && next_spare < spare.size())
      axes.push_back(spare[next_spare++]);
    else
      return n.unsupported(
          "reshapes to [N, {}]; only flattening and adding or removing dimensions "
          "of one element are supported",
          fmt::join(sizes, ", "));
  }
  if (next_wide != wide.size() || (v.flat && axes != kFlatAxes))
    return n.unsupported("reshapes to [N, {}], which does not hold all elements in their order",
                         fmt::join(sizes, ", "));
  v.axes = axes;
  return n.give(std::move(v));
}

/// Target sizes without the batch, 0 and -1 resolved.
Result<Ints> target_sizes(const NodeContext& n, const Value& v, Ints target) {
  const std::int64_t features = n.shape(v).size();
  if (target.empty()) return n.bad("its target shape is empty");
  const std::int64_t batch = target[0];
  std::int64_t known = 1;
  int open = batch == -1 ? 1 : 0;
  for (std::size_t i = 1; i < target.size(); ++i) {
    if (target[i] == 0 && i < v.axes.size()) target[i] = n.size(v, v.axes[i]);
    if (target[i] == -1)
      ++open;
    else if (target[i] < 1 || known > features / target[i])
      return n.unsupported("reshapes to [{}], which mixes the images of a batch",
                           fmt::join(target, ", "));
    else
      known *= target[i];
  }
  // Of a fixed batch of 1 either size may be left open.
  const bool keeps = batch == 0 || batch == -1 || (n.state.batch != 0 && batch == n.state.batch);
  if (!keeps || open > 1 || features % known != 0 ||
      (known != features && (open == 0 || batch == -1)))
    return n.unsupported(
        "reshapes to [{}]; the first dimension must stay the batch and {} features be kept; export "
        "with a dynamic batch and a target of [0, -1]",
        fmt::join(target, ", "), features);
  for (std::int64_t& t : target)
    if (t == -1) t = features / known;
  target.erase(target.begin());
  return target;
}

/// Axes that Squeeze or Unsqueeze names, each in [0, rank).
Result<std::vector<bool>> named_axes(NodeContext& n, const Ints& axes, std::size_t rank) {
  std::vector<bool> named(rank, false);
  for (const std::int64_t a : axes) {
    NBQ_ASSIGN(const std::size_t axis, checked_axis(a, rank, n.where()));
    named[axis] = true;
  }
  return named;
}

int& of_axis(Axis axis, int& c, int& h, int& w) {
  return axis == Axis::kC ? c : axis == Axis::kH ? h : w;
}

}  // namespace

Status read_flatten(NodeContext& n) {
  std::int64_t axis = 1;
  n.attributes.get("axis", axis);
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(Value v, n.activations(0));
  const auto rank = static_cast<std::int64_t>(v.axes.size());
  if (axis != 1 && axis != 1 - rank)
    return n.unsupported("axis {}; only 1 keeps the images of a batch apart", axis);
  return give_flat(n, std::move(v));
}

Status read_reshape(NodeContext& n) {
  std::int64_t allow_zero = 0;
  n.attributes.get("allowzero", allow_zero);
  NBQ_ASSIGN(const auto target, n.list("shape", 1));
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(Value v, n.activations(0));
  NBQ_TRY(check_batch_first(n, v));
  if (!target || (allow_zero != 0 && std::count(target->begin(), target->end(), 0) != 0))
    return n.unsupported("its target shape is missing, or has a size of 0");
  NBQ_ASSIGN(const Ints sizes, target_sizes(n, v, *target));
  if (sizes.size() == 1) return give_flat(n, std::move(v));
  return give_resized(n, std::move(v), sizes);
}

Status read_squeeze(NodeContext& n) {
  NBQ_ASSIGN(const auto axes, n.list("axes", 1));
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(Value v, n.activations(0));
  NBQ_ASSIGN(const std::vector<bool> named, named_axes(n, axes.value_or(Ints{}), v.axes.size()));
  Axes left;
  for (std::size_t i = 0; i < v.axes.size(); ++i) {
    const bool single = v.axes[i] != Axis::kBatch && n.size(v, v.axes[i]) == 1;
    if (named[i] && !single)
      return n.unsupported("removes dimension {}, which is not a single element", i);
    if (!(named[i] || (!axes && single))) left.push_back(v.axes[i]);
  }
  if (v.flat && left != v.axes) return n.unsupported("of a flattened map");
  v.axes = left;
  return n.give(std::move(v));
}

Status read_unsqueeze(NodeContext& n) {
  NBQ_ASSIGN(const auto axes, n.list("axes", 1));
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(const Value v, n.activations(0));
  NBQ_TRY(check_batch_first(n, v));
  const std::size_t added = axes ? axes->size() : 0;
  if (v.axes.size() + added > kMapAxes.size())
    return n.unsupported("gives more than four dimensions");
  NBQ_ASSIGN(const std::vector<bool> named,
             named_axes(n, axes.value_or(Ints{}), v.axes.size() + added));
  if (named[0]) return n.unsupported("adds a dimension before the batch");
  Ints sizes;
  std::size_t from = 1;
  for (std::size_t i = 1; i < named.size(); ++i) {
    if (!named[i] && from >= v.axes.size()) return n.bad("names an axis twice");
    sizes.push_back(named[i] ? 1 : n.size(v, v.axes[from++]));
  }
  return give_resized(n, v, sizes);
}

Status read_transpose(NodeContext& n) {
  Ints perm;
  n.attributes.get("perm", perm);
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(Value v, n.activations(0));
  Ints sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<std::int64_t>(i)) return n.bad("its perm is no permutation");
  if (perm.size() != v.axes.size() || perm[0] != 0 || v.flat)
    return n.unsupported("a perm of [{}]; the batch must stay the first dimension",
                         fmt::join(perm, ", "));
  Axes turned;
  for (const std::int64_t p : perm) turned.push_back(v.axes[static_cast<std::size_t>(p)]);
  v.axes = turned;
  return n.give(std::move(v));
}

Status read_cast(NodeContext& n) {
  std::int64_t to = 0;
  n.attributes.get("to", to);
  n.attributes.skip("saturate");
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(Value v, n.activations(0));
  using onnx::TensorProto;
  if (to != TensorProto::FLOAT && to != TensorProto::DOUBLE && to != TensorProto::FLOAT16)
    return n.unsupported("activations become ONNX type {}; only floating types are supported", to);
  return n.give(std::move(v));
}

Status read_identity(NodeContext& n) {
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(Value v, n.activations(0));
  return n.give(std::move(v));
}

Status read_dropout(NodeContext& n) {
  for (const char* ignored : {"ratio", "seed"}) n.attributes.skip(ignored);
  if (n.has_input(2)) {
    NBQ_ASSIGN(const Ints training, n.integers(2));
    if (training != Ints{0}) return n.unsupported("in training mode; export for inference");
  }
  return read_identity(n);
}

Status read_shape(NodeContext& n) {
  std::int64_t start = 0, end = std::int64_t{1} << 40;
  n.attributes.get("start", start);
  n.attributes.get("end", end);
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(const Value v, n.activations(0));
  Ints sizes;  // an open batch is 0, which Reshape takes for "as it was"
  for (const Axis a : v.axes) sizes.push_back(n.size(v, a));
  const auto rank = static_cast<std::int64_t>(sizes.size());
  NBQ_ASSIGN(const SliceRange r, slice_range(start, end, 1, rank, n.where()));
  auto t = std::make_shared<ConstTensor>();
  t->ints.assign(sizes.begin() + r.start, sizes.begin() + r.start + r.count);
  t->dims = {r.count};
  Value out;
  out.constant = std::move(t);
  return n.give(std::move(out));
}

Status read_pad(NodeContext& n) {
  std::string mode = "constant";
  float value = 0;
  n.attributes.get("mode", mode);
  n.attributes.get("value", value);
  NBQ_ASSIGN(const auto pads, n.list("pads", 1));
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(const Value v, n.activations(0));
  if (n.has_input(2)) {
    NBQ_ASSIGN(const ConstTensor* t, n.weights(2));
    if (t->size() != 1) return n.bad("its value must be a single number");
    value = t->floats[0];
  }
  if (mode != "constant" || value != 0)
    return n.unsupported("pads with {} ({}); only with zeros", mode, value);
  Ints axes;
  for (std::size_t i = 0; i < v.axes.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (n.has_input(3)) {
    NBQ_ASSIGN(axes, n.integers(3));
  }
  if (!pads || pads->size() != 2 * axes.size() || v.flat)
    return n.unsupported("its pads do not fit the {} dimensions of its input", axes.size());
  PadAttrs a;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    NBQ_ASSIGN(const std::size_t axis, checked_axis(axes[i], v.axes.size(), n.where()));
    const int most = v.axes[axis] == Axis::kBatch ? 0 : 1 << 14;
    NBQ_ASSIGN(of_axis(v.axes[axis], a.before_c, a.top, a.left),
               checked_int(n, (*pads)[i], 0, most, "padding"));
    NBQ_ASSIGN(of_axis(v.axes[axis], a.after_c, a.bottom, a.right),
               checked_int(n, (*pads)[i + axes.size()], 0, most, "padding"));
  }
  const bool nothing = a.before_c + a.after_c + a.top + a.bottom + a.left + a.right == 0;
  return nothing ? n.give(v) : n.give(a, v);
}

Status read_slice(NodeContext& n) {
  NBQ_ASSIGN(const auto starts, n.list("starts", 1));
  NBQ_ASSIGN(const auto ends, n.list("ends", 2));
  NBQ_ASSIGN(auto axes, n.list("axes", 3));
  NBQ_ASSIGN(auto steps, n.list("steps", 4));
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(const Value v, n.activations(0));
  if (!starts || !ends) return n.bad("starts or ends are missing");
  if (!axes)
    for (std::size_t i = 0; i < starts->size(); ++i)
      axes.emplace(axes.value_or(Ints{})).push_back(static_cast<std::int64_t>(i));
  if (!steps) steps = Ints(starts->size(), 1);
  if (ends->size() != starts->size() || axes.value_or(Ints{}).size() != starts->size() ||
      steps->size() != starts->size() || v.flat)
    return n.unsupported("its starts, ends, axes and steps do not fit each other and its input");
  const Shape& in = n.shape(v);
  SliceAttrs a;
  a.size_c = in.c;
  a.size_h = in.h;
  a.size_w = in.w;
  for (std::size_t i = 0; i < starts->size(); ++i) {
    NBQ_ASSIGN(const std::size_t at, checked_axis((*axes)[i], v.axes.size(), n.where()));
    const Axis axis = v.axes[at];
    const std::int64_t size = axis == Axis::kBatch ? 1 << 30 : n.size(v, axis);
    NBQ_ASSIGN(const SliceRange r,
               slice_range((*starts)[i], (*ends)[i], (*steps)[i], size, n.where()));
    if (axis == Axis::kBatch) {
      if (r.start != 0 || r.step != 1 || r.count < std::max<std::int64_t>(n.state.batch, 1))
        return n.unsupported("cuts the batch");
      continue;
    }
    of_axis(axis, a.start_c, a.start_h, a.start_w) = static_cast<int>(r.start);
    of_axis(axis, a.size_c, a.size_h, a.size_w) = static_cast<int>(r.count);
    of_axis(axis, a.step_c, a.step_h, a.step_w) = static_cast<int>(r.count > 1 ? r.step : 1);
  }
  const bool all = a.size_c == in.c && a.size_h == in.h && a.size_w == in.w;
  return all ? n.give(v) : n.give(a, v);
}

}  // namespace nbq::exchange
