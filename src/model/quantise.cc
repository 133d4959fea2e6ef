#include "model/quantise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/fixed_point.h"
#include "model/fold.h"
#include "model/op_table.h"

namespace nbq {
namespace {

/// `*` matches any run of characters. Goes back only to the last star: no pattern takes long.
bool glob_match(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

/// Relu can be the clamp of these layers' output stage.
bool takes_relu(OpKind k) {
  return k == OpKind::kConv2d || k == OpKind::kLinear || k == OpKind::kBatchNorm ||
         k == OpKind::kAdd || k == OpKind::kAvgPool || k == OpKind::kGlobalAvgPool ||
         k == OpKind::kConcat;
}

bool has_po2(OpKind k) { return is_matrix(k) || k == OpKind::kBatchNorm; }

Status fit_weights(Node& n, const Node& operand, const QuantSpec& spec, const Quantizer& q,
                   bool last) {
  Node folded = n;
  fold_norm(folded);
  const auto& w = folded.state.at("weight");
  const auto channels = static_cast<std::size_t>(n.shape.c);
  const bool norm = n.kind() == OpKind::kBatchNorm;
  // A batch norm on its own is +-2^s: one level, its own exponent.
  n.po2.bits = norm ? 2 : spec.weight_bits_of(n.name);
  const ScaleGranularity g = norm   ? ScaleGranularity::kPerChannel
                             : last ? ScaleGranularity::kPerLayer
                                    : spec.granularity;
  const Quantizer* own = &q;
  if (norm) {
    NBQ_ASSIGN(own, find_quantizer("nearest"));
  }
  auto exps = own->fit(Po2Format{n.po2.bits}, g, WeightView{w.data, channels});
  if (!exps.ok()) return make_error(exps.error().code, "{}: {}", n.name, exps.error().message);
  n.po2.exps = std::move(*exps);
  if (n.act.quantised())  // channels of (nearly) no weight would ask for absurd shifts
    for (int& s : n.po2.exps) s = std::max(s, least_weight_exp(n, operand));
  return ok_status();
}

std::int32_t relu_high(const ActFormat& f, float max) {
  if (max <= 0) return f.hi;
  return static_cast<std::int32_t>(
      std::min<double>(f.hi, std::floor(std::ldexp(static_cast<double>(max), -f.exp) + 0.5)));
}

}  // namespace

int QuantSpec::weight_bits_of(const std::string& layer) const {
  int bits = weight_bits;
  for (const Layer& l : layers)
    if (l.weight_bits != 0 && glob_match(l.match, layer)) bits = l.weight_bits;
  return bits;
}

int QuantSpec::act_bits_of(const std::string& layer) const {
  int bits = act_bits;
  for (const Layer& l : layers)
    if (l.act_bits != 0 && glob_match(l.match, layer)) bits = l.act_bits;
  return bits;
}

Status check_spec(const QuantSpec& spec, const Graph& graph) {
  const auto check = [](const std::string& where, int w, int a) -> Status {
    if (w < kMinWeightBits || w > kMaxWeightBits)
      return make_error(ErrorCode::kInvalidArgument, "{}: weight_bits is {}, allowed are {}..{}",
                        where, w, kMinWeightBits, kMaxWeightBits);
    if (a < 2 || a > 16)
      return make_error(ErrorCode::kInvalidArgument, "{}: act_bits is {}, allowed are 2..16", where,
                        a);
    return ok_status();
  };
  NBQ_TRY(check("quant", spec.weight_bits, spec.act_bits));
  NBQ_TRY(find_quantizer(spec.quantizer));
  for (const QuantSpec::Layer& l : spec.layers) {
    NBQ_TRY(check("quant.layer " + l.match, l.weight_bits == 0 ? spec.weight_bits : l.weight_bits,
                  l.act_bits == 0 ? spec.act_bits : l.act_bits));
    if (std::none_of(graph.nodes.begin(), graph.nodes.end(),
                     [&](const Node& n) { return glob_match(l.match, n.name); }))
      return make_error(ErrorCode::kInvalidArgument, "quant.layer: no layer is named {}", l.match);
  }
  return ok_status();
}

int best_act_exp(std::span<const float> sample, int bits, bool is_signed) {
  float m = 0;
  for (const float v : sample) m = std::max(m, is_signed ? std::fabs(v) : v);
  if (m <= 0) return -(bits - 1);
  // At `top` nothing is clipped; finer exponents clip outliers for a smaller rounding error.
  const int top = std::ilogb(m) + 1 - (is_signed ? bits - 1 : bits);
  int best = top;
  double least = std::numeric_limits<double>::infinity();
  for (int exp = top; exp >= top - 4; --exp) {
    const ActFormat f = ActFormat::make(bits, is_signed, exp);
    double error = 0;
    for (const float v : sample) {
      const double x = std::max<double>(v, is_signed ? v : 0.0);
      const double q = std::clamp<double>(std::floor(std::ldexp(x, -exp) + 0.5), f.lo, f.hi);
      const double d = x - std::ldexp(q, exp);
      error += d * d;
    }
    if (error < least) {
      least = error;
      best = exp;
    }
  }
  return best;
}

std::int64_t integer_bias(float bias, int exp) {
  return static_cast<std::int64_t>(std::floor(std::ldexp(static_cast<double>(bias), -exp) + 0.5));
}

namespace {

/// The relu that becomes the clamp of node `id`'s output stage, or -1: its only reader.
int fusable_relu(const Graph& g, const std::vector<std::vector<int>>& readers, std::size_t id) {
  if (readers[id].size() != 1 || !takes_relu(g.nodes[id].kind())) return -1;
  const int next = readers[id][0];
  return g.nodes[static_cast<std::size_t>(next)].kind() == OpKind::kRelu ? next : -1;
}

/// Sums and selections of unsigned operands stay unsigned.
bool stays_unsigned(const Graph& g, const Node& n) {
  if (has_po2(n.kind())) return false;
  return std::all_of(n.inputs.begin(), n.inputs.end(),
                     [&](int in) { return !g.nodes[static_cast<std::size_t>(in)].act.is_signed; });
}

/// Format of node `id`; `relu` is the node whose clamp it takes (itself for a relu), or -1.
ActFormat choose_format(const Graph& g, std::size_t id, int relu, const QuantSpec& spec,
                        const ActSamples& samples) {
  const Node& n = g.nodes[id];
  const std::size_t seen = relu >= 0 ? static_cast<std::size_t>(relu) : id;
  const bool is_signed = relu < 0 && !stays_unsigned(g, n);
  const int bits = spec.act_bits_of(n.name);
  ActFormat f = ActFormat::make(bits, is_signed, best_act_exp(samples[seen], bits, is_signed));
  if (relu >= 0) f.hi = relu_high(f, std::get<ReluAttrs>(g.nodes[seen].attrs).max);
  return f;
}

}  // namespace

Result<Graph> quantise(const Graph& folded, const QuantSpec& spec, const ActSamples& samples) {
  NBQ_CHECK(folded.stage == Stage::kFloat && samples.size() == folded.nodes.size());
  NBQ_TRY(check_spec(spec, folded));
  NBQ_TRY(check_state(folded));
  NBQ_ASSIGN(const Quantizer* quantizer, find_quantizer(spec.quantizer));
  Graph g = folded;
  g.stage = Stage::kQuantised;
  g.quantizer = spec.quantizer;
  const auto readers = folded.consumers();
  std::vector<int> fused;
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    Node& n = g.nodes[id];
    const bool last = id + 1 == g.nodes.size();
    const Node* operand =
        n.inputs.empty() ? nullptr : &g.nodes[static_cast<std::size_t>(n.inputs[0])];
    const int relu = fusable_relu(folded, readers, id);
    if (relu >= 0) fused.push_back(relu);
    const bool is_fused =
        std::find(fused.begin(), fused.end(), static_cast<int>(id)) != fused.end();
    if (n.kind() == OpKind::kInput) {
      n.act = ActFormat::make(8, true, -7);
    } else if (keeps_format(n.kind()) || is_fused) {
      n.act = operand->act;
    } else if (!(last && gives_logits(n.kind()))) {
      n.act = choose_format(g, id, n.kind() == OpKind::kRelu ? static_cast<int>(id) : relu, spec,
                            samples);
    }
    if (has_po2(n.kind())) NBQ_TRY(fit_weights(n, *operand, spec, *quantizer, last));
  }
  std::sort(fused.rbegin(), fused.rend());
  for (const int id : fused) bypass(g, id);
  NBQ_TRY(infer_shapes(g));
  for (std::size_t id = 0; id < g.nodes.size(); ++id)
    NBQ_TRY(output_stage(g, static_cast<int>(id)));
  return g;
}

Status refit_weights(Graph& g, const QuantSpec& spec) {
  NBQ_CHECK(g.stage == Stage::kQuantised);
  NBQ_TRY(check_spec(spec, g));
  NBQ_ASSIGN(const Quantizer* quantizer, find_quantizer(spec.quantizer));
  g.quantizer = spec.quantizer;
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    Node& n = g.nodes[id];
    if (!has_po2(n.kind())) continue;
    const Node& operand = g.nodes[static_cast<std::size_t>(n.inputs[0])];
    NBQ_TRY(fit_weights(n, operand, spec, *quantizer, id + 1 == g.nodes.size()));
    NBQ_TRY(output_stage(g, static_cast<int>(id)));
  }
  return ok_status();
}

Result<Graph> deploy(const Graph& quantised) {
  NBQ_CHECK(quantised.stage == Stage::kQuantised);
  NBQ_TRY(check_state(quantised));
  NBQ_ASSIGN(const Quantizer* quantizer, find_quantizer(quantised.quantizer));
  NBQ_ASSIGN(const Quantizer* nearest, find_quantizer("nearest"));
  Graph g = fold_norms(quantised);
  g.stage = Stage::kInteger;
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    Node& n = g.nodes[id];
    if (n.po2.bits != 0) {
      const auto& w = n.state.at("weight").data;
      const auto channels = static_cast<std::size_t>(n.shape.c);
      const Quantizer& q = n.kind() == OpKind::kBatchNorm ? *nearest : *quantizer;
      n.po2.codes.resize(w.size());
      q.encode(Po2Format{n.po2.bits}, WeightView{w, channels}, n.po2.exps, n.po2.codes);
      const int in_exp = g.nodes[static_cast<std::size_t>(n.inputs[0])].act.exp;
      n.po2.bias.clear();
      if (const auto bias = n.state.find("bias"); bias != n.state.end())
        for (std::size_t c = 0; c < channels; ++c) {
          const double scaled =
              std::ldexp(static_cast<double>(bias->second.data[c]), -(n.po2.exps[c] + in_exp));
          if (!(std::fabs(scaled) < 1e14))
            return make_error(ErrorCode::kOverflow,
                              "{}: the bias of channel {} needs more than {} bits", n.name, c,
                              kMaxAccBits);
          n.po2.bias.push_back(integer_bias(bias->second.data[c], n.po2.exps[c] + in_exp));
        }
    }
    n.state.clear();
  }
  NBQ_ASSIGN(const std::vector<int> bits, prove_acc_bits(g));
  for (std::size_t id = 0; id < g.nodes.size(); ++id) g.nodes[id].po2.acc_bits = bits[id];
  NBQ_TRY(verify_integer(g));
  return g;
}

}  // namespace nbq
