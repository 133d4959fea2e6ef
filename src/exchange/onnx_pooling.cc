#include "exchange/onnx_readers.h"

namespace nbq::exchange {
namespace {

constexpr int kMaxWindow = 4096;

/// One axis of a window.
struct WindowAxis {
  int in, kernel, stride, dilation;
  int before = 0, after = 0;
  std::int64_t span() const { return std::int64_t{dilation} * (kernel - 1) + 1; }
  /// auto_pad: as much as makes ceil(in / stride) outputs.
  void pad_same(bool upper) {
    const std::int64_t outputs = (std::int64_t{in} + stride - 1) / stride;
    const std::int64_t all = std::max<std::int64_t>(0, (outputs - 1) * stride + span() - in);
    before = static_cast<int>(upper ? all / 2 : (all + 1) / 2);
    after = static_cast<int>(all) - before;
  }
  /// ceil_mode: the last window may hang over; the padding that makes room for it, or 0.
  int overhang() const {
    const std::int64_t rest = (std::int64_t{in} + before + after - span()) % stride;
    const std::int64_t outputs = (std::int64_t{in} + before + after - span()) / stride + 1;
    // A window that begins beyond the map and its padding in front is not counted.
    return rest <= 0 || outputs * stride >= std::int64_t{in} + before
               ? 0
               : static_cast<int>(stride - rest);
  }
};

Result<std::vector<int>> ints(NodeContext& n, const char* name, std::size_t count, int fallback,
                              int lo) {
  std::vector<std::int64_t> given(count, fallback);
  n.attributes.get(name, given);
  if (given.size() != count)
    return n.unsupported("{} has {} numbers, a window over rows and columns has {}", name,
                         given.size(), count);
  std::vector<int> out;
  for (const std::int64_t v : given) {
    NBQ_ASSIGN(const int i, checked_int(n, v, lo, kMaxWindow, name));
    out.push_back(i);
  }
  return out;
}

Status pad_axes(NodeContext& n, WindowAxis& rows, WindowAxis& columns) {
  std::string how = "NOTSET";
  n.attributes.get("auto_pad", how);
  NBQ_ASSIGN(const std::vector<int> pads, ints(n, "pads", 4, 0, 0));
  if (how == "NOTSET") {
    rows.before = pads[0];
    columns.before = pads[1];
    rows.after = pads[2];
    columns.after = pads[3];
  } else if (how == "SAME_UPPER" || how == "SAME_LOWER") {
    rows.pad_same(how == "SAME_UPPER");
    columns.pad_same(how == "SAME_UPPER");
  } else if (how != "VALID") {
    return n.unsupported("auto_pad {} is not known", how);
  }
  return ok_status();
}

/// Whether a window of pooling hangs over the edge at its end.
struct Pooling {
  Window window;
  bool overhangs = false;
};
Result<Pooling> read_pooling(NodeContext& n, const Shape& in) {
  std::int64_t ceil_mode = 0;
  n.attributes.get("ceil_mode", ceil_mode);
  Pooling p;
  NBQ_ASSIGN(p.window, read_window(n, in, 0, 0));
  if (ceil_mode == 0) return p;
  Window& w = p.window;
  const int rows =
      WindowAxis{in.h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top, w.pad_bottom}.overhang();
  const int columns =
      WindowAxis{in.w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left, w.pad_right}.overhang();
  p.overhangs = rows + columns > 0;
  w.pad_bottom += rows;
  w.pad_right += columns;
  return p;
}

}  // namespace

Result<Window> read_window(NodeContext& n, const Shape& in, int kernel_h, int kernel_w) {
  if (kernel_h == 0 && !n.attributes.has("kernel_shape")) return n.bad("kernel_shape is missing");
  NBQ_ASSIGN(const std::vector<int> kernel, ints(n, "kernel_shape", 2, 1, 1));
  NBQ_ASSIGN(const std::vector<int> strides, ints(n, "strides", 2, 1, 1));
  NBQ_ASSIGN(const std::vector<int> dilations, ints(n, "dilations", 2, 1, 1));
  if (n.attributes.has("kernel_shape") && kernel_h != 0 &&
      (kernel[0] != kernel_h || kernel[1] != kernel_w))
    return n.bad("kernel_shape is {}x{}, the weights have {}x{}", kernel[0], kernel[1], kernel_h,
                 kernel_w);
  WindowAxis rows{in.h, kernel_h != 0 ? kernel_h : kernel[0], strides[0], dilations[0]};
  WindowAxis columns{in.w, kernel_w != 0 ? kernel_w : kernel[1], strides[1], dilations[1]};
  NBQ_TRY(pad_axes(n, rows, columns));
  return Window{rows.kernel,    columns.kernel, rows.stride,   columns.stride, rows.before,
                columns.before, rows.after,     columns.after, rows.dilation,  columns.dilation};
}

Status read_max_pool(NodeContext& n) {
  std::int64_t order = 0;
  n.attributes.get("storage_order", order);  // of the indices, which nothing reads
  NBQ_ASSIGN(const Value v, n.map(0));
  NBQ_ASSIGN(const Pooling p, read_pooling(n, n.shape(v)));
  NBQ_TRY(n.attributes.finish());
  return n.give(MaxPoolAttrs{p.window}, v);
}

Status read_average_pool(NodeContext& n) {
  std::int64_t counts_padding = 0;
  n.attributes.get("count_include_pad", counts_padding);
  NBQ_ASSIGN(const Value v, n.map(0));
  NBQ_ASSIGN(const Pooling p, read_pooling(n, n.shape(v)));
  NBQ_TRY(n.attributes.finish());
  const Window& w = p.window;
  const bool padded = w.pad_top + w.pad_left + w.pad_bottom + w.pad_right > 0;
  if (p.overhangs || (padded && counts_padding == 0))
    return n.unsupported(
        "windows at the edge divide by fewer elements; use count_include_pad = 1 and ceil_mode = "
        "0, "
        "or no padding");
  return n.give(AvgPoolAttrs{w}, v);
}

Status read_global_average_pool(NodeContext& n) {
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(const Value v, n.map(0));
  return n.give(GlobalAvgPoolAttrs{}, v);
}

Status read_global_max_pool(NodeContext& n) {
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(const Value v, n.map(0));
  MaxPoolAttrs a;
  a.window.kernel_h = n.shape(v).h;
  a.window.kernel_w = n.shape(v).w;
  return n.give(a, v);
}

Status read_reduce_mean(NodeContext& n) {
  std::int64_t keep = 1, noop = 0;
  n.attributes.get("keepdims", keep);
  n.attributes.get("noop_with_empty_axes", noop);
  NBQ_ASSIGN(const auto axes, n.list("axes", 1));
  NBQ_TRY(n.attributes.finish());
  NBQ_ASSIGN(Value v, n.activations(0));
  std::vector<bool> gone(v.axes.size(), !axes || axes->empty());
  for (const std::int64_t a : axes.value_or(std::vector<std::int64_t>{})) {
    NBQ_ASSIGN(const std::size_t axis, checked_axis(a, v.axes.size(), n.where()));
    gone[axis] = true;
  }
  Window over;
  Axes left;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    const Axis axis = v.axes[i];
    if (!gone[i] || keep != 0) left.push_back(axis);
    if (gone[i] && (axis == Axis::kBatch || axis == Axis::kC))
      return n.unsupported("averages over {}; only rows and columns of a map can be averaged",
                           axis == Axis::kC ? "channels" : "the batch");
    if (gone[i] && axis == Axis::kH) over.kernel_h = n.shape(v).h;
    if (gone[i] && axis == Axis::kW) over.kernel_w = n.shape(v).w;
  }
  v.axes = left;
  const bool whole = over.kernel_h == n.shape(v).h && over.kernel_w == n.shape(v).w;
  return whole ? n.give(GlobalAvgPoolAttrs{}, v) : n.give(AvgPoolAttrs{over}, v);
}

}  // namespace nbq::exchange
