#include "exchange/onnx_integer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/fixed_point.h"
#include "exchange/onnx_passes.h"
#include "exchange/onnx_po2.h"
#include "exchange/onnx_quant.h"
#include "model/op_table.h"
#include "model/quantise.h"

namespace nbq::exchange {
namespace {

using Bounds = std::pair<double, double>;
constexpr double kOpen = std::numeric_limits<double>::infinity();

/// Gives clamps and roundings to the layers that they follow. Nodes in topological order; `same`
/// leads from a node that went to the one that stands for it.
class Rounder {
 public:
  explicit Rounder(ImportState& s) : s_(s), g_(s.graph), readers_(g_.consumers()) {
    for (std::size_t id = 0; id < g_.nodes.size(); ++id) {
      same_.push_back(static_cast<int>(id));
      bounds_.emplace_back(-kOpen, kOpen);
    }
  }

  /// The node that stands for the last one.
  Result<int> run() {
    for (std::size_t id = 1; id < g_.nodes.size(); ++id) {
      for (int& in : node(static_cast<int>(id)).inputs) in = resolve(in);
      NBQ_TRY(visit(static_cast<int>(id)));
    }
    return resolve(static_cast<int>(g_.nodes.size()) - 1);
  }

  Status check_clamps() const {
    for (std::size_t id = 0; id < g_.nodes.size(); ++id)
      if (same_[id] == static_cast<int>(id) && !g_.nodes[id].act.quantised() &&
          bounds_[id] != Bounds(-kOpen, kOpen))
        return make_error(ErrorCode::kUnsupported,
                          "{}: clamps without a quantizer behind it; only rounded activations are "
                          "clamped in an integer network",
                          g_.nodes[id].name);
    return ok_status();
  }

 private:
  Node& node(int id) { return g_.nodes[static_cast<std::size_t>(id)]; }
  std::vector<int>& readers(int id) { return readers_[static_cast<std::size_t>(id)]; }
  Bounds& bounds(int id) { return bounds_[static_cast<std::size_t>(id)]; }
  const Marker* marker(int id) {
    const auto it = s_.markers.find(node(id).name);
    return it == s_.markers.end() ? nullptr : &it->second;
  }

  int resolve(int id) const {
    while (same_[static_cast<std::size_t>(id)] != id) id = same_[static_cast<std::size_t>(id)];
    return id;
  }

  void stand_for(int gone, int by) {
    same_[static_cast<std::size_t>(gone)] = by;
    std::vector<int> rest = readers(gone);
    for (const int r : readers(by))
      if (r != gone) rest.push_back(r);
    readers(by) = std::move(rest);
  }

  /// The clamp of a node, if that is all it does.
  std::optional<Bounds> clamp_of(int id) {
    if (const auto* relu = std::get_if<ReluAttrs>(&node(id).attrs))
      return Bounds(0, relu->max > 0 ? double{relu->max} : kOpen);
    const Marker* m = marker(id);
    return m != nullptr && m->clamp ? std::optional<Bounds>(*m->clamp) : std::nullopt;
  }

  Status visit(int id) {
    const Marker* m = marker(id);
    if (const std::optional<Bounds> clamp = clamp_of(id)) {
      const int from = node(id).inputs[0];
      const bool into = !node(from).act.quantised() && readers(from).size() == 1 && from != 0;
      Bounds& b = bounds(into ? from : id);
      b = {std::max(b.first, clamp->first), std::min(b.second, clamp->second)};
      if (into) stand_for(id, from);
    } else if (m != nullptr) {
      return merge(id, *m);
    } else if (keeps_format(node(id).kind())) {
      node(id).act = node(node(id).inputs[0]).act;
    }
    return ok_status();
  }

  /// A rounding marker.
  Status merge(int id, const Marker& m) {
    const int from = node(id).inputs[0];
    const ActFormat act = node(id).act;
    if (const ActFormat& have = node(from).act; have.quantised()) {
      if (have.exp == act.exp && have.lo >= act.lo && have.hi <= act.hi) {
        stand_for(id, from);  // which rounds alike already
      } else if (m.floor) {
        return make_error(ErrorCode::kUnsupported,
                          "{}: rounds down what is rounded already; only to the nearest",
                          node(id).name);
      }
      return ok_status();
    }
    for (const int r : readers(from)) {
      const Marker* other = marker(r);
      if (other == nullptr || other->clamp || other->floor != m.floor || !(node(r).act == act))
        return make_error(ErrorCode::kUnsupported,
                          "{}: its output is read rounded by {} and otherwise by {}; every reader "
                          "must read it rounded alike",
                          node(from).name, node(id).name, node(r).name);
    }
    node(id).act = ActFormat{};
    stand_for(id, from);
    return round(from, act, m.floor);
  }

  /// A clamp in units of the format. Errors: bounds between two integers.
  Result<ActFormat> clamped(int id, ActFormat act) {
    const double lo = std::ldexp(bounds(id).first, -act.exp);
    const double hi = std::ldexp(bounds(id).second, -act.exp);
    for (const double v : {lo, hi})
      if (std::abs(v) < 65536 && v != std::floor(v) && v > act.lo && v < act.hi)
        return make_error(ErrorCode::kUnsupported,
                          "{}: clamps at {} times its unit 2^{}, not at a whole number",
                          node(id).name, v, act.exp);
    act.lo = static_cast<std::int32_t>(std::clamp<double>(std::ceil(lo), act.lo, 0));
    act.hi = static_cast<std::int32_t>(std::clamp<double>(std::floor(hi), 0, act.hi));
    return act;
  }

  /// Node `id`'s output is rounded to `act`. Maxima, copies and zeros commute with that: the node
  /// that they begin at is rounded, and they keep its format.
  Status round(int id, ActFormat act, bool floor) {
    std::vector<int> copies;
    for (;; id = node(id).inputs[0]) {
      NBQ_ASSIGN(act, clamped(id, act));
      bounds(id) = {-kOpen, kOpen};
      const Node& n = node(id);
      if (id == 0 || !keeps_format(n.kind())) break;
      if (readers(n.inputs[0]).size() != 1)
        return make_error(ErrorCode::kUnsupported,
                          "{}: its output is read by others than {}, which is rounded; round it "
                          "itself",
                          node(n.inputs[0]).name, n.name);
      copies.push_back(id);
    }
    NBQ_TRY(id == 0 ? round_image(act, floor) : round_layer(id, act, floor));
    for (auto copy = copies.rbegin(); copy != copies.rend(); ++copy) {
      int& from = node(*copy).inputs[0];
      from = resolve(from);
      node(*copy).act = node(from).act;
    }
    return ok_status();
  }

  Status round_layer(int id, const ActFormat& act, bool floor) {
    node(id).act = act;
    return floor ? take_half(id) : ok_status();
  }

  Status round_image(const ActFormat& act, bool floor) {
    const ActFormat image = ActFormat::make(8, true, -7);
    if (!(act == image) || floor)
      return make_error(ErrorCode::kUnsupported,
                        "{}: is rounded to {}..{} times 2^{}; the image of an integer network is "
                        "(byte - 128) / 128, 8 bits signed",
                        node(0).name, act.lo, act.hi, act.exp);
    node(0).act = image;
    return ok_status();
  }

  /// Rounding down is rounding half up of half a unit less: exporters add that half before.
  Status take_half(int id) {
    Node& n = node(id);
    const double half = std::ldexp(0.5, n.act.exp);
    auto bias = n.state.find("bias");
    if (bias == n.state.end())
      return make_error(ErrorCode::kUnsupported,
                        "{}: is rounded down; only after half a unit is added, or a bias", n.name);
    for (float& b : bias->second.data) b = static_cast<float>(double{b} - half);
    if (n.kind() == OpKind::kBatchNorm) drop_identity(id);
    return ok_status();
  }

  /// A batch norm that changes nothing hands its format to its operand, or copies.
  void drop_identity(int id) {
    Node& n = node(id);
    const auto all = [&](const char* name, float v) {
      const std::vector<float>& d = n.state.at(name).data;
      return std::all_of(d.begin(), d.end(), [v](float x) { return x == v; });
    };
    const float one = 1 - std::get<BatchNormAttrs>(n.attrs).eps;
    if (!all("weight", 1) || !all("bias", 0) || !all("running_mean", 0) || !all("running_var", one))
      return;
    n.attrs = ConcatAttrs{};
    n.state.clear();
    const int from = n.inputs[0];
    Node& source = node(from);
    if (source.act.quantised() || readers(from).size() != 1 || from == 0 ||
        keeps_format(source.kind()) || bounds(from) != Bounds(-kOpen, kOpen))
      return;
    source.act = n.act;
    stand_for(id, from);
  }

  ImportState& s_;
  Graph& g_;
  std::vector<std::vector<int>> readers_;
  std::vector<int> same_;
  std::vector<Bounds> bounds_;
};

/// A batch norm as one weight and one bias a channel.
void affine(const Node& n, std::vector<float>& weights, std::vector<double>& bias) {
  const double eps = std::get<BatchNormAttrs>(n.attrs).eps;
  const auto at = [&](const char* name, std::size_t c) { return double{n.state.at(name).data[c]}; };
  for (std::size_t c = 0; c < n.state.at("weight").data.size(); ++c) {
    // give_affine() writes a variance of 1 - eps, which float may round.
    const double variance = at("running_var", c) == double{1 - static_cast<float>(eps)}
                                ? 1
                                : at("running_var", c) + eps;
    const double scale = at("weight", c) / std::sqrt(variance);
    weights.push_back(static_cast<float>(scale));
    bias.push_back(at("bias", c) - at("running_mean", c) * scale);
  }
}

Status encode_weights(const Graph& g, Node& n) {
  if (n.state.empty()) return ok_status();
  RealWeights real;
  real.where = n.name;
  real.channels = n.shape.c;
  real.in_exp = g.nodes[static_cast<std::size_t>(n.inputs[0])].act.exp;
  real.logits = !n.act.quantised();
  real.out_exp = n.act.exp;
  std::vector<float> weights;
  if (n.kind() == OpKind::kBatchNorm) {
    affine(n, weights, real.bias);
  } else {
    weights = n.state.at("weight").data;
    if (const auto it = n.state.find("bias"); it != n.state.end())
      real.bias.assign(it->second.data.begin(), it->second.data.end());
  }
  real.weights = weights;
  NBQ_ASSIGN(n.po2, exact_codes(real));
  n.state.clear();
  return ok_status();
}

Status check_rounded(const Graph& g) {
  for (std::size_t id = 0; id + 1 < g.nodes.size(); ++id)
    if (const Node& n = g.nodes[id]; !n.act.quantised())
      return make_error(ErrorCode::kUnsupported,
                        "{}: its output is not rounded, as others are; put a quantizer behind it",
                        n.name);
  const Node& last = g.output();
  if (last.act.quantised() || gives_logits(last.kind())) return ok_status();
  return make_error(ErrorCode::kUnsupported,
                    "{}: a {} as the last layer must be rounded; put a quantizer behind it",
                    last.name, op_name(last.kind()));
}

void note_differences(ImportState& s) {
  if (s.rounds_to_even)
    s.notes.emplace_back(
        "an integer network: halves round up here, to even or away from zero in ONNX; only exact "
        "ties differ");
  for (const Node& n : s.graph.nodes) {
    int size = 1;
    if (const auto* pool = std::get_if<AvgPoolAttrs>(&n.attrs))
      size = pool->window.kernel_h * pool->window.kernel_w;
    else if (n.kind() == OpKind::kGlobalAvgPool)
      size = static_cast<int>(s.graph.nodes[static_cast<std::size_t>(n.inputs[0])].shape.size() /
                              n.shape.c);
    if ((size & (size - 1)) != 0)
      s.notes.push_back(
          fmt::format("{}: averages {} values; 1/{} becomes a sum of powers of two, {:.2g} % off",
                      n.name, size, size, 100 * std::abs(po2_reciprocal(size).relative_error)));
  }
}

}  // namespace

Result<Graph> make_integer(ImportState& s) {
  Graph& g = s.graph;
  if (!s.options.mean.empty())
    return make_error(
        ErrorCode::kInvalidArgument,
        "the network is quantised: its image is (byte - 128) / 128, without a mean and "
        "std");
  if (s.stored_image) g.nodes[0].act = ActFormat::make(8, true, -7);
  Rounder rounder(s);
  NBQ_ASSIGN(const int output, rounder.run());
  NBQ_TRY(rounder.check_clamps());
  keep_ancestors(g, output);
  NBQ_TRY(infer_shapes(g));
  note_differences(s);
  NBQ_TRY(check_rounded(g));
  for (Node& n : g.nodes) NBQ_TRY(encode_weights(g, n));
  g.stage = Stage::kInteger;
  NBQ_ASSIGN(const std::vector<int> bits, prove_integer(g));
  for (std::size_t id = 0; id < g.nodes.size(); ++id) g.nodes[id].po2.acc_bits = bits[id];
  return std::move(g);
}

}  // namespace nbq::exchange
