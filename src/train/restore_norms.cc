#include <algorithm>
#include <cmath>

#include "train/evaluate.h"

namespace nbq {
namespace {

constexpr std::size_t kBatch = 64;

/// Mean and variance of each channel of the nodes that are asked for.
struct ChannelSums {
  at::Tensor sum, squares;  // float64
  std::int64_t count = 0;

  void add(const at::Tensor& value) {
    const at::Tensor v = value.to(at::kDouble);
    const at::Tensor s = v.sum({0, 2, 3}).cpu(), q = v.square().sum({0, 2, 3}).cpu();
    sum = sum.defined() ? sum + s : s;
    squares = squares.defined() ? squares + q : q;
    count += v.numel() / v.size(1);
  }
};

/// Convolutions that no batch norm follows, but for one that gives the logits.
std::vector<bool> lacking_norm(const Graph& g) {
  const auto readers = g.consumers();
  std::vector<bool> lacks(g.nodes.size(), false);
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    if (g.nodes[id].kind() != OpKind::kConv2d || readers[id].empty()) continue;
    lacks[id] = std::none_of(readers[id].begin(), readers[id].end(), [&](int r) {
      const OpKind k = g.nodes[static_cast<std::size_t>(r)].kind();
      return k == OpKind::kBatchNorm || k == OpKind::kGlobalAvgPool;
    });
  }
  return lacks;
}

/// The norm that changes nothing in evaluation: gamma = sigma, beta = mean.
Node identity_norm(const Node& conv, const ChannelSums& seen) {
  Node n;
  n.name = conv.name + ".norm";
  n.attrs = BatchNormAttrs{};
  n.shape = conv.shape;
  const double eps = static_cast<double>(BatchNormAttrs{}.eps);
  for (const char* name : {"weight", "bias", "running_mean", "running_var"})
    n.state[name] = {{conv.shape.c}, {}};
  for (std::int64_t c = 0; c < conv.shape.c; ++c) {
    const double count = static_cast<double>(std::max<std::int64_t>(seen.count, 1));
    const double mean = seen.sum[c].item<double>() / count;
    const double var = std::max(0.0, seen.squares[c].item<double>() / count - mean * mean);
    n.state["weight"].data.push_back(static_cast<float>(std::sqrt(var + eps)));
    n.state["running_var"].data.push_back(static_cast<float>(var));
    n.state["bias"].data.push_back(static_cast<float>(mean));
    n.state["running_mean"].data.push_back(static_cast<float>(mean));
  }
  return n;
}

}  // namespace

Result<Graph> restore_norms(const Graph& graph, const ImageSource& source, std::size_t n,
                            std::span<const std::size_t> images) {
  if (graph.stage != Stage::kFloat)
    return make_error(ErrorCode::kInvalidArgument, "only a float network gets batch norms back");
  const std::vector<bool> lacks = lacking_norm(graph);
  std::vector<ChannelSums> seen(graph.nodes.size());
  NBQ_TRY(observe_images(graph, source, n, images, kBatch, [&](int id, const at::Tensor& value) {
    if (lacks[static_cast<std::size_t>(id)]) seen[static_cast<std::size_t>(id)].add(value);
  }));
  Graph out = graph;
  out.nodes.clear();
  std::vector<int> now;  // id in `out` of each old node's output
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    Node node = graph.nodes[id];
    for (int& in : node.inputs) in = now[static_cast<std::size_t>(in)];
    out.nodes.push_back(std::move(node));
    now.push_back(static_cast<int>(out.nodes.size()) - 1);
    if (!lacks[id]) continue;
    Node norm = identity_norm(graph.nodes[id], seen[id]);
    norm.inputs = {now.back()};
    out.nodes.push_back(std::move(norm));
    now.back() = static_cast<int>(out.nodes.size()) - 1;
  }
  NBQ_TRY(infer_shapes(out));
  return out;
}

}  // namespace nbq
