#include "train/initial.h"

#include <cmath>
#include <numbers>

#include "data/random.h"

namespace nbq {
namespace {

constexpr std::uint64_t kStreamWeights = 32;

/// In (0, 1].
double uniform(std::uint64_t bits) { return (static_cast<double>(bits >> 11) + 1) * 0x1p-53; }

/// Box-Muller: the same on every machine up to the last bits of log and cos.
float normal(std::uint64_t seed, std::uint64_t node, std::uint64_t i) {
  const double a = uniform(random_bits(seed, kStreamWeights, node, 2 * i));
  const double b = uniform(random_bits(seed, kStreamWeights, node, 2 * i + 1));
  return static_cast<float>(std::sqrt(-2 * std::log(a)) * std::cos(2 * std::numbers::pi * b));
}

double deviation(const Node& n, const std::vector<std::int64_t>& dims) {
  if (n.kind() == OpKind::kLinear) return std::sqrt(1.0 / static_cast<double>(dims[1]));
  const auto& a = std::get<Conv2dAttrs>(n.attrs);
  const double fan_out = static_cast<double>(dims[0] * dims[2] * dims[3]) / a.groups;
  return std::sqrt(2.0 / fan_out);
}

}  // namespace

Status initialise(Graph& graph, std::uint64_t seed) {
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    Node& n = graph.nodes[id];
    NBQ_ASSIGN(const LayerInfo info, describe(graph, static_cast<int>(id)));
    n.state.clear();
    for (const ParamSpec& p : info.params) {
      std::int64_t count = 1;
      for (const std::int64_t d : p.dims) count *= d;
      FloatTensor t{p.dims, std::vector<float>(static_cast<std::size_t>(count), 0.0f)};
      if (p.name == "running_var" || (p.name == "weight" && n.kind() == OpKind::kBatchNorm)) {
        for (float& v : t.data) v = 1;
      } else if (p.name == "weight") {
        const auto sigma = static_cast<float>(deviation(n, p.dims));
        for (std::size_t i = 0; i < t.data.size(); ++i) t.data[i] = sigma * normal(seed, id, i);
      }
      n.state[p.name] = std::move(t);
    }
  }
  return ok_status();
}

}  // namespace nbq
