#include "infer/places.h"

#include <algorithm>

#include "infer/steps/shifts.h"

namespace nbq::infer {
namespace {

bool has_matrix(OpKind k) { return k == OpKind::kConv2d || k == OpKind::kLinear; }

/// Bits of weights that don't fit 8-bit products.
constexpr int kWordBits = 5;

/// What a convolution reads around its operand's map, in pixels.
struct Margin {
  int top, left, bottom, right;
};

Margin margin_of(const Node& conv, const Shape& in) {
  const Window& w = std::get<Conv2dAttrs>(conv.attrs).window;
  const auto behind = [](int out, int stride, int kernel, int dilation, int before, int size) {
    return std::max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - before - size);
  };
  return {w.pad_top, w.pad_left,
          behind(conv.shape.h, w.stride_h, w.kernel_h, w.dilation_h, w.pad_top, in.h),
          behind(conv.shape.w, w.stride_w, w.kernel_w, w.dilation_w, w.pad_left, in.w)};
}

}  // namespace

bool fits_kernels(const Node& node, const OutputStage& stage) {
  return node.po2.acc_bits <= kMaxKernelBits && shifts_fit(stage);
}

bool runs_in_kernels(const Node& node, const OutputStage& stage, const Shape& in) {
  if (!fits_kernels(node, stage)) return false;
  if (node.kind() != OpKind::kConv2d) return true;
  constexpr std::int64_t kTimes = 16, kSmall = 1 << 16;
  const Margin m = margin_of(node, in);
  const std::int64_t height = std::int64_t{m.top} + in.h + m.bottom;
  const std::int64_t width = std::int64_t{m.left} + in.w + m.right;
  return height * width <= kTimes * std::max({in.size(), node.shape.size(), kSmall}) / in.c;
}

Window weight_window(const Node& node, const Shape& in) {
  if (node.kind() == OpKind::kConv2d) return std::get<Conv2dAttrs>(node.attrs).window;
  Window w;
  w.kernel_h = in.h;
  w.kernel_w = in.w;
  return w;
}

Places::Places(const Graph& graph, const std::vector<OutputStage>& stages)
    : graph_(graph),
      stages_(stages),
      readers_(graph.consumers()),
      nodes_(graph.nodes.size()),
      homes_(graph.nodes.size()) {
  for (int id = 0; id < static_cast<int>(nodes_.size()); ++id) fuse(id);
  find_aliases();
  choose_widths();
  share_concatenations();
  make_buffers();
  add_margins();
}

/// An addition or relu goes into the output stage of the convolution before it, where nothing else
/// reads that and the other operand is there by then.
void Places::fuse(int id) {
  const Node& n = graph_.nodes[static_cast<std::size_t>(id)];
  if (n.kind() != OpKind::kAdd && n.kind() != OpKind::kRelu) return;
  const OutputStage& stage = stages_[static_cast<std::size_t>(id)];
  if (stage.raw || !fits_kernels(n, stage)) return;
  const int last = *std::max_element(n.inputs.begin(), n.inputs.end());
  const Node& producer = graph_.nodes[static_cast<std::size_t>(last)];
  if (!has_matrix(producer.kind()) || readers_[static_cast<std::size_t>(last)].size() != 1) return;
  if (std::count(n.inputs.begin(), n.inputs.end(), last) != 1) return;
  const OutputStage& own = stages_[static_cast<std::size_t>(last)];
  const Shape& operand = graph_.nodes[static_cast<std::size_t>(producer.inputs[0])].shape;
  if (own.raw || !runs_in_kernels(producer, own, operand)) return;
  nodes_[static_cast<std::size_t>(id)].fused_into = last;
  nodes_[static_cast<std::size_t>(last)].second = id;
}

void Places::find_aliases() {
  for (std::size_t id = 0; id < nodes_.size(); ++id) {
    const Node& n = graph_.nodes[id];
    if (n.kind() != OpKind::kFlatten || id + 1 == nodes_.size()) continue;
    const Shape& in = graph_.nodes[static_cast<std::size_t>(n.inputs[0])].shape;
    const auto& readers = readers_[id];
    nodes_[id].alias = in.h * in.w == 1 || std::all_of(readers.begin(), readers.end(), [&](int r) {
                         return graph_.nodes[static_cast<std::size_t>(r)].kind() == OpKind::kLinear;
                       });
  }
}

/// The node whose activations these are.
int Places::root(int id) const {
  while (nodes_[static_cast<std::size_t>(id)].alias)
    id = graph_.nodes[static_cast<std::size_t>(id)].inputs[0];
  return id;
}

void Places::choose_widths() {
  const auto node = [&](int id) -> NodePlace& {
    return nodes_[static_cast<std::size_t>(root(id))];
  };
  for (std::size_t id = 0; id < nodes_.size(); ++id) {
    const Node& n = graph_.nodes[id];
    if (n.act.bits > 8) node(static_cast<int>(id)).wide = true;
    if (has_matrix(n.kind()) && n.po2.bits >= kWordBits) node(n.inputs[0]).wide = true;
  }
  // A maximum compares what is stored, so both its sides are stored alike.
  for (bool again = true; again;) {
    again = false;
    for (std::size_t id = 0; id < nodes_.size(); ++id) {
      const Node& n = graph_.nodes[id];
      if (n.kind() != OpKind::kMaxPool) continue;
      NodePlace &in = node(n.inputs[0]), &out = nodes_[id];
      if (in.wide == out.wide) continue;
      in.wide = out.wide = again = true;
    }
  }
}

/// Operands of a concatenation with its very format are written where they are wanted.
void Places::share_concatenations() {
  for (int id = static_cast<int>(nodes_.size()) - 1; id > 0; --id) {
    const Node& n = graph_.nodes[static_cast<std::size_t>(id)];
    if (n.kind() != OpKind::kConcat) continue;
    const NodePlace& place = nodes_[static_cast<std::size_t>(id)];
    int channel = 0;
    for (const int in : n.inputs) {
      const Node& operand = graph_.nodes[static_cast<std::size_t>(in)];
      const int first = channel;
      channel += operand.shape.c;
      const NodePlace& p = nodes_[static_cast<std::size_t>(in)];
      const ActFormat &a = operand.act, &b = n.act;
      const bool same = a.exp == b.exp && a.is_signed == b.is_signed && a.lo >= b.lo &&
                        a.hi <= b.hi && p.wide == place.wide &&
                        zero_of(a, p.wide) == zero_of(b, place.wide);
      const bool free = homes_[static_cast<std::size_t>(in)].concat < 0 && in != 0 && !p.alias &&
                        std::count(n.inputs.begin(), n.inputs.end(), in) == 1;
      if (!same || !free || first * (place.wide ? 2 : 1) % kStepBytes != 0) continue;
      homes_[static_cast<std::size_t>(in)] = part_of(id, first);
    }
  }
}

/// Where a part of a concatenation lies, which may be part of another one itself.
Places::Home Places::part_of(int concat, int first_channel) const {
  const Home& outer = homes_[static_cast<std::size_t>(concat)];
  return {outer.concat < 0 ? concat : outer.concat, outer.first_channel + first_channel};
}

// Other parts of the same outermost concatenation may be wanted of the same operand: those are
// copied.
bool Places::in_place(int concat, int operand, int first_channel) const {
  return homes_[static_cast<std::size_t>(operand)] == part_of(concat, first_channel);
}

void Places::make_buffers() {
  const auto needs_one = [&](std::size_t id) {
    return !nodes_[id].alias && nodes_[id].second < 0 && !stages_[id].raw;
  };
  // The outermost concatenation first: its operands lie in its buffer.
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    if (!needs_one(i)) continue;
    const Node& n = graph_.nodes[i];
    NodePlace& p = nodes_[i];
    p.view.shape = n.shape;
    const Home& home = homes_[i];
    if (home.concat >= 0) {
      p.view.buffer = nodes_[static_cast<std::size_t>(home.concat)].view.buffer;
      p.view.first_channel = home.first_channel;
      continue;
    }
    Buffer b;
    b.height = n.shape.h;
    b.width = n.shape.w;
    b.channels = n.shape.c;
    b.wide = p.wide;
    b.zero = zero_of(n.act, p.wide);
    p.view.buffer = static_cast<int>(buffers_.size());
    buffers_.push_back(b);
  }
  for (std::size_t id = 0; id < nodes_.size(); ++id)
    if (nodes_[id].alias)
      nodes_[id].view = nodes_[static_cast<std::size_t>(root(static_cast<int>(id)))].view;
}

void Places::add_margins() {
  for (std::size_t id = 0; id < nodes_.size(); ++id) {
    const Node& n = graph_.nodes[id];
    if (n.kind() != OpKind::kConv2d) continue;
    const View& in = nodes_[static_cast<std::size_t>(n.inputs[0])].view;
    if (!runs_in_kernels(n, stages_[id], in.shape)) continue;
    Buffer& b = buffers_[static_cast<std::size_t>(in.buffer)];
    const Margin m = margin_of(n, in.shape);
    b.top = std::max(b.top, m.top);
    b.left = std::max(b.left, m.left);
    b.bottom = std::max(b.bottom, m.bottom);
    b.right = std::max(b.right, m.right);
  }
}

}  // namespace nbq::infer
