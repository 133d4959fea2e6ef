#include "exchange/c_plan.h"

#include <algorithm>
#include <limits>

#include "core/placement.h"

namespace nbq::exchange {

CLowering::CLowering(CPlan& into, const Graph& network, std::vector<CValue>& values, int id)
    : node(network.nodes[static_cast<std::size_t>(id)]),
      graph(network),
      plan_(into),
      values_(values),
      id_(static_cast<std::size_t>(id)),
      stage_(output_stage(network, id).value()) {}  // verify_integer() has seen it

const CValue& CLowering::operand(std::size_t i) const {
  return values_[static_cast<std::size_t>(node.inputs[i])];
}

int CLowering::operand_exp(std::size_t i) const {
  return graph.nodes[static_cast<std::size_t>(node.inputs[i])].act.exp;
}

void CLowering::allocate() {
  CValue& v = values_[id_];
  v.shape = node.shape;
  if (stage_.raw || id_ == 0)
    return;  // the image keeps the caller's bytes, which are pixel = x + 128
  v.wide = node.act.bits > 8;
  v.zero = node.act.is_signed ? (v.wide ? 32768 : 128) : 0;
  v.buffer = static_cast<int>(plan_.buffers.size());
  const int now = static_cast<int>(plan_.layers.size());
  // Even sizes, so that words lie on even addresses.
  plan_.buffers.push_back({(v.shape.c * v.plane_bytes() + 1) / 2 * 2, now, now, 0});
}

void CLowering::alias() {
  values_[id_] = operand(0);
  values_[id_].shape = node.shape;
}

// A shift by the sums' own width and more leaves 0 of any of them: so does one by just that width.
CLayer& CLowering::layer(int first, int count, std::vector<CPass> passes) {
  CLayer l;
  const int bits = node.po2.acc_bits;
  const int now = static_cast<int>(plan_.layers.size());
  l.name = node.name;
  l.raw = stage_.raw;
  l.to = values_[id_];
  l.first_channel = first;
  l.channels = count;
  l.lo = stage_.lo;
  l.hi = stage_.hi;
  l.zero = l.to.zero;
  for (int c = first; c < first + count && !l.raw; ++c)
    l.shifts.push_back(
        std::min(stage_.shifts[stage_.shifts.size() == 1 ? 0 : static_cast<std::size_t>(c)], bits));
  if (std::equal(l.shifts.begin() + !l.raw, l.shifts.end(), l.shifts.begin()))
    l.shifts.resize(std::min<std::size_t>(l.shifts.size(), 1));
  const bool by_32 = std::find(l.shifts.begin(), l.shifts.end(), 32) != l.shifts.end();
  l.sums64 = bits > 32 || by_32;
  for (const CPass& p : passes)
    if (p.from.buffer >= 0) plan_.buffers[static_cast<std::size_t>(p.from.buffer)].last_layer = now;
  if (l.to.buffer >= 0) plan_.buffers[static_cast<std::size_t>(l.to.buffer)].last_layer = now;
  l.passes = std::move(passes);
  plan_.layers.push_back(std::move(l));
  return plan_.layers.back();
}

CPass CLowering::window(std::size_t i, const Window& w) const {
  CPass p;
  p.from = operand(i);
  p.first_row = -w.pad_top;
  p.origin = p.first_row * p.from.row_bytes();
  p.row_step = w.stride_h;
  p.dilation = w.dilation_h;
  p.kernel_h = w.kernel_h;
  p.column_step = w.stride_w;
  p.channels = p.from.shape.c;
  p.group_outputs = node.shape.c;
  for (int kx = 0; kx < w.kernel_w; ++kx) {
    const ColumnRange r = tap_columns(w, kx, p.from.shape.w, node.shape.w);
    if (r.first >= r.last)
      p.columns.push_back({});
    else
      p.columns.push_back(
          {std::int64_t{r.first} * w.stride_w + std::int64_t{kx} * w.dilation_w - w.pad_left,
           r.first, r.last - r.first});
  }
  return p;
}

CPass CLowering::copy(std::size_t i, int shift) const {
  CPass p = window(i, Window{});
  p.channels = p.group_outputs = 1;
  p.next_group = p.from.plane_bytes();
  p.shift = shift;
  return p;
}

CPass CLowering::weighted(const Window& w, int groups) const {
  CPass p = window(0, w);
  p.channels /= groups;
  p.group_outputs /= groups;
  p.next_group = p.channels * p.from.plane_bytes();
  p.bits = node.po2.bits;
  p.codes = pack_codes(Po2Format{p.bits}, node.po2.codes);
  return p;
}

namespace {

using LowerFn = void (*)(CLowering&);
LowerFn lower_c(OpKind kind) {
  static constexpr LowerFn kRows[] = {
#define NBQ_OP(Kind, folder, name) lower_c_##folder,
#include "ops.def"
  };
  return kRows[static_cast<int>(kind)];
}

/// A last layer of activations: one that copies them to the logits.
void give_activations(CPlan& plan, const CValue& last) {
  CLayer l;
  l.name = "logits";
  l.raw = true;
  l.channels = last.shape.c;
  l.to.shape = last.shape;
  CPass p;
  p.from = last;
  p.columns = {{0, 0, last.shape.w}};
  p.next_group = last.plane_bytes();
  l.passes.push_back(std::move(p));
  if (last.buffer >= 0)
    plan.buffers[static_cast<std::size_t>(last.buffer)].last_layer =
        static_cast<int>(plan.layers.size());
  plan.layers.push_back(std::move(l));
}

/// Offsets of rows far outside of a map are computed, too, if not used.
Status check_offsets(const CLayer& l) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
  for (const CPass& p : l.passes) {
    const std::int64_t rows = std::abs(std::int64_t{p.first_row}) +
                              std::int64_t{l.to.shape.h} * p.row_step +
                              std::int64_t{p.kernel_h} * p.dilation;
    const std::int64_t map = p.from.shape.c * p.from.plane_bytes();
    if (rows > kMax || rows * p.from.row_bytes() > kMax - 2 * map)
      return make_error(ErrorCode::kUnsupported,
                        "{}: a map of {}x{}x{} is too large for the C code's 32-bit offsets",
                        l.name, p.from.shape.c, p.from.shape.h, p.from.shape.w);
  }
  return ok_status();
}

Status place(CPlan& plan) {
  std::vector<Block> blocks;
  for (const CBuffer& b : plan.buffers) blocks.push_back({b.bytes, b.first_layer, b.last_layer});
  plan.arena_bytes = place_blocks(blocks);
  if (plan.arena_bytes > std::numeric_limits<std::int32_t>::max())
    return make_error(ErrorCode::kUnsupported,
                      "activations of {} bytes are too large for the C code's 32-bit offsets",
                      plan.arena_bytes);
  for (std::size_t i = 0; i < blocks.size(); ++i) plan.buffers[i].offset = blocks[i].offset;
  return ok_status();
}

}  // namespace

Result<CPlan> plan_c(const Graph& integer) {
  NBQ_TRY(verify_integer(integer));
  Graph graph = integer;
  NBQ_TRY(infer_shapes(graph));
  CPlan plan;
  std::vector<CValue> values(graph.nodes.size());
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    CLowering l(plan, graph, values, static_cast<int>(id));
    lower_c(l.node.kind())(l);
  }
  const Node& last = graph.output();
  if (last.act.quantised()) {
    give_activations(plan, values.back());
    plan.logit_exp = last.act.exp;
  } else {
    plan.logit_exp = output_stage(graph, static_cast<int>(graph.nodes.size()) - 1).value().exps[0];
  }
  plan.logits64 = plan.layers.back().sums64;
  for (const CLayer& l : plan.layers) NBQ_TRY(check_offsets(l));
  NBQ_TRY(place(plan));
  return plan;
}

}  // namespace nbq::exchange
