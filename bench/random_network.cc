#include "random_network.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "model/fold.h"
#include "model/op_table.h"

namespace nbq {
namespace {

constexpr std::size_t kSamples = 4096;  // of a node's values
using Sample = std::vector<float>;

/// Normal numbers from a table: tens of millions in a fraction of a second.
class Normals {
 public:
  explicit Normals(std::uint32_t seed) : random_(seed), table_(std::size_t{1} << 16) {
    std::normal_distribution<float> normal;
    for (float& v : table_) v = normal(random_);
  }
  float next() { return table_[random_() & 0xffff]; }
  std::size_t index(std::size_t count) { return random_() % count; }
  float uniform(float lo, float hi) {
    return std::uniform_real_distribution<float>(lo, hi)(random_);
  }

 private:
  std::mt19937 random_;
  Sample table_;
};

double mean_square(const Sample& x) {
  double sum = 0;
  for (const float v : x) sum += double{v} * v;
  return sum / static_cast<double>(x.size());
}

const FloatTensor* find(const Node& n, const char* name) {
  const auto t = n.state.find(name);
  return t == n.state.end() ? nullptr : &t->second;
}

/// A weighted sum of many values is about normal. Each number is of a channel drawn at random.
Sample sample_matrix(const Node& n, const Sample& in, Normals& random) {
  const std::vector<float>& w = n.state.at("weight").data;
  const FloatTensor* bias = find(n, "bias");
  const auto channels = static_cast<std::size_t>(n.shape.c);
  const double taps = static_cast<double>(w.size()) / static_cast<double>(channels);
  const auto sigma = static_cast<float>(std::sqrt(mean_square(w) * taps * mean_square(in)));
  Sample out(kSamples);
  for (float& v : out)
    v = sigma * random.next() + (bias == nullptr ? 0 : bias->data[random.index(channels)]);
  return out;
}

Sample sample_norm(const Node& n, const Sample& in, Normals& random) {
  Sample out(kSamples);
  for (float& v : out) {
    const std::size_t c = random.index(static_cast<std::size_t>(n.shape.c));
    const float variance = n.state.at("running_var").data[c];
    const float sigma = std::sqrt(variance + std::get<BatchNormAttrs>(n.attrs).eps);
    v = (in[random.index(kSamples)] - n.state.at("running_mean").data[c]) / sigma *
            n.state.at("weight").data[c] +
        n.state.at("bias").data[c];
  }
  return out;
}

Sample sample_max_pool(const Window& w, const Sample& in, Normals& random) {
  Sample out(kSamples);
  for (float& v : out) {
    v = in[random.index(kSamples)];
    for (int i = 1; i < w.kernel_h * w.kernel_w; ++i) v = std::max(v, in[random.index(kSamples)]);
  }
  return out;
}

Sample sample_concat(const Graph& g, const Node& n, const ActSamples& all, Normals& random) {
  Sample out(kSamples);
  for (float& v : out) {
    auto c = static_cast<int>(random.index(static_cast<std::size_t>(n.shape.c)));
    std::size_t i = 0;
    const auto operand = [&] { return static_cast<std::size_t>(n.inputs[i]); };
    for (; c >= g.nodes[operand()].shape.c; ++i) c -= g.nodes[operand()].shape.c;
    v = all[operand()][random.index(kSamples)];
  }
  return out;
}

/// Values of node `id` of a float graph, whose operands' are known.
Sample sample_node(const Graph& g, std::size_t id, const ActSamples& all, Normals& random) {
  const Node& n = g.nodes[id];
  if (n.kind() == OpKind::kInput) {
    Sample pixels(kSamples);
    for (float& v : pixels) v = random.uniform(-1, 1);
    return pixels;
  }
  const Sample& in = all[static_cast<std::size_t>(n.inputs[0])];
  if (is_matrix(n.kind())) return sample_matrix(n, in, random);
  if (n.kind() == OpKind::kBatchNorm) return sample_norm(n, in, random);
  if (n.kind() == OpKind::kConcat) return sample_concat(g, n, all, random);
  if (n.kind() == OpKind::kMaxPool)
    return sample_max_pool(std::get<MaxPoolAttrs>(n.attrs).window, in, random);
  Sample out = in;  // averages, too: channels differ in their means as single values do
  if (n.kind() == OpKind::kAdd)
    for (float& v : out) v += all[static_cast<std::size_t>(n.inputs[1])][random.index(kSamples)];
  if (n.kind() == OpKind::kRelu) {
    const float max = std::get<ReluAttrs>(n.attrs).max;
    for (float& v : out) v = max > 0 ? std::clamp(v, 0.0f, max) : std::max(v, 0.0f);
  }
  return out;
}

/// A parameter with as many numbers as its dims say. `in`: the values that reach the layer.
FloatTensor random_parameter(const ParamSpec& p, bool of_norm, const Sample& in, Normals& random) {
  std::size_t count = 1;
  for (const std::int64_t d : p.dims) count *= static_cast<std::size_t>(d);
  FloatTensor t{p.dims, Sample(count)};
  const double taps = static_cast<double>(count) / static_cast<double>(p.dims[0]);
  const auto he = static_cast<float>(std::sqrt(2 / taps));
  const auto variance = static_cast<float>(mean_square(in));
  for (float& v : t.data) {
    if (p.name == "running_var")
      v = variance;
    else if (p.name == "running_mean")
      v = 0;
    else if (p.name == "bias")
      v = 0.1f * random.next();
    else
      v = of_norm ? 1 + 0.1f * random.next() : he * random.next();
  }
  return t;
}

}  // namespace

Result<Graph> random_network(Graph g, const QuantSpec& spec, std::uint32_t seed) {
  Normals random(seed);
  ActSamples samples(g.nodes.size());
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    Node& n = g.nodes[id];
    NBQ_ASSIGN(const LayerInfo info, describe(g, static_cast<int>(id)));
    for (const ParamSpec& p : info.params)
      n.state[p.name] = random_parameter(p, n.kind() == OpKind::kBatchNorm,
                                         samples[static_cast<std::size_t>(n.inputs[0])], random);
    samples[id] = sample_node(g, id, samples, random);
  }
  NBQ_ASSIGN(const Graph folded, fold(g));
  samples.assign(folded.nodes.size(), {});
  for (std::size_t id = 0; id < folded.nodes.size(); ++id)
    samples[id] = sample_node(folded, id, samples, random);
  NBQ_ASSIGN(const Graph quantised, quantise(folded, spec, samples));
  return deploy(quantised);
}

}  // namespace nbq
