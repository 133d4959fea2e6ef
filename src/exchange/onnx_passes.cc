#include "exchange/onnx_passes.h"

#include <algorithm>

namespace nbq::exchange {
namespace {

/// Node `id`'s first operand, if it is of kind T and nothing else reads it.
template <class T>
const T* sole_operand(const Graph& g, const std::vector<std::vector<int>>& readers, const Node& n) {
  if (n.inputs.size() != 1) return nullptr;
  const auto from = static_cast<std::size_t>(n.inputs[0]);
  return readers[from].size() == 1 ? std::get_if<T>(&g.nodes[from].attrs) : nullptr;
}

/// The windows that zeros around the map can go into.
Window* padded_window(const Graph& g, Node& n, const PadAttrs& pad, int source) {
  if (auto* conv = std::get_if<Conv2dAttrs>(&n.attrs)) return &conv->window;
  if (auto* pool = std::get_if<AvgPoolAttrs>(&n.attrs)) return &pool->window;
  auto* pool = std::get_if<MaxPoolAttrs>(&n.attrs);
  if (pool == nullptr || g.nodes[static_cast<std::size_t>(source)].kind() != OpKind::kRelu)
    return nullptr;
  const Window& w = pool->window;  // every window must keep touching the map
  const bool small = w.pad_top + pad.top < w.kernel_h && w.pad_bottom + pad.bottom < w.kernel_h &&
                     w.pad_left + pad.left < w.kernel_w && w.pad_right + pad.right < w.kernel_w;
  return small ? &pool->window : nullptr;
}

}  // namespace

void merge_slices(Graph& g) {
  const auto readers = g.consumers();
  for (Node& n : g.nodes) {
    auto* outer = std::get_if<SliceAttrs>(&n.attrs);
    const SliceAttrs* inner = outer == nullptr ? nullptr : sole_operand<SliceAttrs>(g, readers, n);
    if (inner == nullptr) continue;
    const auto compose = [](int& start, int& step, int in_start, int in_step) {
      start = in_start + start * in_step;
      step *= in_step;
    };
    compose(outer->start_c, outer->step_c, inner->start_c, inner->step_c);
    compose(outer->start_h, outer->step_h, inner->start_h, inner->step_h);
    compose(outer->start_w, outer->step_w, inner->start_w, inner->step_w);
    n.inputs = g.nodes[static_cast<std::size_t>(n.inputs[0])].inputs;
  }
}

void merge_pads(Graph& g) {
  const auto readers = g.consumers();
  for (Node& n : g.nodes) {
    const PadAttrs* pad = sole_operand<PadAttrs>(g, readers, n);
    if (pad == nullptr || pad->before_c + pad->after_c != 0) continue;
    const int source = g.nodes[static_cast<std::size_t>(n.inputs[0])].inputs[0];
    Window* w = padded_window(g, n, *pad, source);
    constexpr int kMaxPad = 4096;  // of a window (window_shape)
    if (w == nullptr || std::max({w->pad_top + pad->top, w->pad_bottom + pad->bottom,
                                  w->pad_left + pad->left, w->pad_right + pad->right}) > kMaxPad)
      continue;
    w->pad_top += pad->top;
    w->pad_bottom += pad->bottom;
    w->pad_left += pad->left;
    w->pad_right += pad->right;
    n.inputs = {source};
  }
}

void keep_ancestors(Graph& g, int output) {
  std::vector<bool> kept(g.nodes.size(), false);
  kept[static_cast<std::size_t>(output)] = true;
  for (std::size_t id = g.nodes.size(); id-- > 0;)
    if (kept[id])
      for (const int in : g.nodes[id].inputs) kept[static_cast<std::size_t>(in)] = true;
  std::vector<int> new_id(g.nodes.size(), -1);
  std::vector<Node> nodes;
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    if (!kept[id]) continue;
    new_id[id] = static_cast<int>(nodes.size());
    for (int& in : g.nodes[id].inputs) in = new_id[static_cast<std::size_t>(in)];
    nodes.push_back(std::move(g.nodes[id]));
  }
  g.nodes = std::move(nodes);
}

}  // namespace nbq::exchange
