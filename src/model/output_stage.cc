#include "core/fixed_point.h"
#include "model/op_table.h"
#include "model/quantise.h"

namespace nbq {

bool gives_logits(OpKind kind) {
  return kind == OpKind::kConv2d || kind == OpKind::kLinear || kind == OpKind::kAvgPool ||
         kind == OpKind::kGlobalAvgPool;
}

namespace {

Result<OutputStage> stage_of(const Node& n, const AccBound& bound) {
  OutputStage stage;
  stage.exps = bound.exps;
  stage.raw = !n.act.quantised();
  if (stage.raw) return stage;
  stage.lo = n.act.lo;
  stage.hi = n.act.hi;
  for (std::size_t c = 0; c < stage.exps.size(); ++c) {
    const int r = n.act.exp - stage.exps[c];
    if (r < -kMaxLeftShift || r > kMaxRightShift)
      return make_error(ErrorCode::kOverflow,
                        "{}: channel {} needs a requantisation shift of {}, allowed are {}..{}",
                        n.name, c, r, -kMaxLeftShift, kMaxRightShift);
    stage.shifts.push_back(r);
  }
  return stage;
}

Result<int> acc_bits_of(const Node& n, const AccBound& bound) {
  int widest = 1;
  for (std::size_t c = 0; c < bound.max_abs.size(); ++c) {
    const int need = signed_bits(bound.max_abs[c]);
    if (need > kMaxAccBits)
      return make_error(
          ErrorCode::kOverflow,
          "{}: the accumulator of channel {} could need {} bits, {} are allowed; use fewer "
          "weight or activation bits",
          n.name, c, need, kMaxAccBits);
    widest = std::max(widest, need);
  }
  return widest;
}

}  // namespace

Result<OutputStage> output_stage(const Graph& graph, int id) {
  NBQ_ASSIGN(const AccBound bound, acc_bound(graph, id));
  return stage_of(graph.nodes[static_cast<std::size_t>(id)], bound);
}

Result<std::vector<int>> prove_acc_bits(const Graph& graph) {
  std::vector<int> bits;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    NBQ_ASSIGN(const AccBound bound, acc_bound(graph, static_cast<int>(id)));
    NBQ_ASSIGN(const int need, acc_bits_of(graph.nodes[id], bound));
    bits.push_back(need);
  }
  return bits;
}

namespace {

bool carries_weights(OpKind k) {
  return k == OpKind::kConv2d || k == OpKind::kLinear || k == OpKind::kBatchNorm;
}

Status verify_act(const Graph& g, std::size_t id) {
  const Node& n = g.nodes[id];
  const ActFormat& a = n.act;
  if (!a.quantised()) {
    if (id + 1 != g.nodes.size())
      return make_error(ErrorCode::kBadFile, "{}: only the output may be left unquantised", n.name);
    if (!gives_logits(n.kind()))
      return make_error(ErrorCode::kBadFile, "{}: a {} has no accumulators to give as logits",
                        n.name, op_name(n.kind()));
    return ok_status();
  }
  if (n.kind() == OpKind::kRelu && a.lo != 0)
    return make_error(ErrorCode::kBadFile, "{}: a relu clamps at 0, not at {}", n.name, a.lo);
  if (a.bits < 2 || a.bits > 16)
    return make_error(ErrorCode::kBadFile, "{}: {} activation bits, allowed are 2..16", n.name,
                      a.bits);
  if (a.exp < -64 || a.exp > 64)
    return make_error(ErrorCode::kBadFile, "{}: activation exponent {} is outside -64..64", n.name,
                      a.exp);
  const ActFormat full = ActFormat::make(a.bits, a.is_signed, a.exp);
  if (a.lo < full.lo || a.hi > full.hi || a.lo > 0 || a.hi < 0)
    return make_error(ErrorCode::kBadFile, "{}: clamp to {}..{} does not fit {} {} bits", n.name,
                      a.lo, a.hi, a.bits, a.is_signed ? "signed" : "unsigned");
  return ok_status();
}

Status verify_po2(const Graph& g, std::size_t id) {
  const Node& n = g.nodes[id];
  const Po2Weights& p = n.po2;
  if (!carries_weights(n.kind())) {
    if (p.bits != 0 || !p.codes.empty() || !p.bias.empty() || !p.exps.empty())
      return make_error(ErrorCode::kBadFile, "{}: a {} has no weights", n.name, op_name(n.kind()));
    return ok_status();
  }
  NBQ_ASSIGN(const LayerInfo info, describe(g, static_cast<int>(id)));
  if (p.bits < kMinWeightBits || p.bits > kMaxWeightBits)
    return make_error(ErrorCode::kBadFile, "{}: {} weight bits, allowed are {}..{}", n.name, p.bits,
                      kMinWeightBits, kMaxWeightBits);
  std::int64_t count = 1;
  for (const std::int64_t d : info.params[0].dims) count *= d;
  if (static_cast<std::int64_t>(p.codes.size()) != count)
    return make_error(ErrorCode::kBadFile, "{}: {} weight codes, expected {}", n.name,
                      p.codes.size(), count);
  const auto channels = static_cast<std::size_t>(n.shape.c);
  if (p.exps.size() != channels || (!p.bias.empty() && p.bias.size() != channels))
    return make_error(ErrorCode::kBadFile, "{}: {} exponents and {} biases for {} channels", n.name,
                      p.exps.size(), p.bias.size(), channels);
  for (const int s : p.exps)
    if (s < -128 || s > 127)
      return make_error(ErrorCode::kBadFile, "{}: weight exponent {} is outside -128..127", n.name,
                        s);
  for (const std::int64_t b : p.bias)
    if (b >= (std::int64_t{1} << (kMaxAccBits - 1)) || b <= -(std::int64_t{1} << (kMaxAccBits - 1)))
      return make_error(ErrorCode::kOverflow, "{}: bias {} needs more than {} bits", n.name, b,
                        kMaxAccBits);
  if (const std::size_t bad = first_illegal(Po2Format{p.bits}, p.codes); bad != p.codes.size())
    return make_error(ErrorCode::kBadFile, "{}: weight code {} is illegal", n.name, bad);
  return ok_status();
}

/// The output stage, and that accumulators are real numbers that float holds. Gives their proved
/// width.
Result<int> verify_sums(const Graph& g, std::size_t id) {
  const Node& n = g.nodes[id];
  NBQ_ASSIGN(const AccBound bound, acc_bound(g, static_cast<int>(id)));
  NBQ_ASSIGN(const OutputStage stage, stage_of(n, bound));
  if (stage.raw)
    for (const int e : stage.exps)
      if (e != stage.exps[0])
        return make_error(ErrorCode::kBadFile, "{}: logits must share one exponent", n.name);
  NBQ_ASSIGN(const int proved, acc_bits_of(n, bound));
  // Executors in floating point hold accumulators as real numbers: float's range, with room.
  for (const int e : bound.exps)
    if (e < -120 || e + proved > 120)
      return make_error(ErrorCode::kBadFile, "{}: an accumulator exponent of {} is out of range",
                        n.name, e);
  return proved;
}

}  // namespace

Result<std::vector<int>> prove_integer(const Graph& graph) {
  if (graph.stage != Stage::kInteger)
    return make_error(
        ErrorCode::kInvalidArgument,
        "the model holds {} weights, an integer network is needed: nbq export it first",
        graph.stage == Stage::kFloat ? "float" : "not yet deployed");
  Graph shapes = graph;
  NBQ_TRY(infer_shapes(shapes));
  const ActFormat image = ActFormat::make(8, true, -7);
  if (!(shapes.input().act == image))
    return make_error(ErrorCode::kBadFile, "{}: the image must be 8 bits signed with exponent -7",
                      shapes.input().name);
  if (!shapes.input_attrs().mean.empty())
    return make_error(ErrorCode::kBadFile, "{}: an integer network's input has no mean and std",
                      shapes.input().name);
  std::vector<int> proved;
  for (std::size_t id = 0; id < shapes.nodes.size(); ++id) {
    const Node& n = shapes.nodes[id];
    if (!n.state.empty())
      return make_error(ErrorCode::kBadFile, "{}: an integer network has no float parameters",
                        n.name);
    NBQ_TRY(verify_act(shapes, id));
    NBQ_TRY(verify_po2(shapes, id));
    if (keeps_format(n.kind()) && n.act.quantised() &&
        !(n.act == shapes.nodes[static_cast<std::size_t>(n.inputs[0])].act))
      return make_error(ErrorCode::kBadFile, "{}: a {} keeps its operand's format", n.name,
                        op_name(n.kind()));
    NBQ_ASSIGN(const int bits, verify_sums(shapes, id));
    proved.push_back(bits);
  }
  return proved;
}

Status verify_integer(const Graph& graph) {
  NBQ_ASSIGN(const std::vector<int> proved, prove_integer(graph));
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    const Node& n = graph.nodes[id];
    if (n.po2.acc_bits != proved[id])
      return make_error(ErrorCode::kBadFile, "{}: states {} accumulator bits, the proof gives {}",
                        n.name, n.po2.acc_bits, proved[id]);
  }
  return ok_status();
}

}  // namespace nbq
