// One function for each row of spec/ops.def: the layer as passes over rows.
#include "exchange/c_plan.h"

namespace nbq::exchange {
namespace {

void weighted_layer(CLowering& l, const Window& w, int groups) {
  l.allocate();
  l.layer(0, l.node.shape.c, {l.weighted(w, groups)}).bias = l.node.po2.bias;
}

/// Each channel by itself.
CPass by_channel(CPass p) {
  p.channels = p.group_outputs = 1;
  p.next_group = p.from.plane_bytes();
  return p;
}

void average(CLowering& l, const Window& w) {
  l.allocate();
  CLayer& layer = l.layer(0, l.node.shape.c, {by_channel(l.window(0, w))});
  const Po2Reciprocal r = po2_reciprocal(w.kernel_h * w.kernel_w);
  if (r.terms.size() > 1) layer.terms = r.terms;  // a single term is + 2^0
}

void copy_layer(CLowering& l) {
  l.allocate();
  l.layer(0, l.node.shape.c, {l.copy(0, 0)});
}

}  // namespace

void lower_c_input(CLowering& l) { l.allocate(); }

void lower_c_conv2d(CLowering& l) {
  const auto& a = std::get<Conv2dAttrs>(l.node.attrs);
  weighted_layer(l, a.window, a.groups);
}

void lower_c_linear(CLowering& l) { weighted_layer(l, Window{}, 1); }

void lower_c_batch_norm(CLowering& l) { weighted_layer(l, Window{}, l.node.shape.c); }

// The clamp does the work.
void lower_c_relu(CLowering& l) { copy_layer(l); }

// Maxima are of the integers as they are stored, which are in the same order, 0 the least.
void lower_c_max_pool(CLowering& l) {
  l.allocate();
  CPass p = by_channel(l.window(0, std::get<MaxPoolAttrs>(l.node.attrs).window));
  p.maximum = true;
  CLayer& layer = l.layer(0, l.node.shape.c, {std::move(p)});
  layer.lo += layer.zero;
  layer.hi += layer.zero;
  layer.zero = 0;
}

void lower_c_avg_pool(CLowering& l) { average(l, std::get<AvgPoolAttrs>(l.node.attrs).window); }

void lower_c_global_avg_pool(CLowering& l) {
  Window whole;
  whole.kernel_h = l.operand(0).shape.h;
  whole.kernel_w = l.operand(0).shape.w;
  average(l, whole);
}

// Both operands go left onto the finer scale, exactly.
void lower_c_add(CLowering& l) {
  l.allocate();
  const int exp = l.stage().exps[0];
  l.layer(0, l.node.shape.c,
          {l.copy(0, l.operand_exp(0) - exp), l.copy(1, l.operand_exp(1) - exp)});
}

void lower_c_concat(CLowering& l) {
  l.allocate();
  int to = 0;
  for (std::size_t i = 0; i < l.node.inputs.size(); ++i) {
    const int channels = l.operand(i).shape.c;
    l.layer(to, channels, {l.copy(i, 0)});
    to += channels;
  }
}

void lower_c_flatten(CLowering& l) { l.alias(); }

void lower_c_pad(CLowering& l) {
  const auto& a = std::get<PadAttrs>(l.node.attrs);
  l.allocate();
  const int channels = l.operand(0).shape.c;
  if (a.before_c > 0) l.layer(0, a.before_c, {});
  Window w;
  w.pad_top = a.top;
  w.pad_left = a.left;
  l.layer(a.before_c, channels, {by_channel(l.window(0, w))});
  if (a.after_c > 0) l.layer(a.before_c + channels, a.after_c, {});
}

void lower_c_slice(CLowering& l) {
  const auto& a = std::get<SliceAttrs>(l.node.attrs);
  l.allocate();
  Window w;
  w.stride_h = a.step_h;
  w.stride_w = a.step_w;
  w.pad_top = -a.start_h;
  w.pad_left = -a.start_w;
  CPass p = by_channel(l.window(0, w));
  p.origin += a.start_c * p.from.plane_bytes();
  p.next_group *= a.step_c;
  l.layer(0, a.size_c, {std::move(p)});
}

}  // namespace nbq::exchange
