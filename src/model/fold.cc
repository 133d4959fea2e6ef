#include "model/fold.h"

#include <algorithm>
#include <cmath>

#include "model/op_table.h"

namespace nbq {
namespace {

std::int64_t element_count(const std::vector<std::int64_t>& dims) {
  std::int64_t n = 1;
  for (const std::int64_t d : dims) n *= d;
  return n;
}

void ensure_bias(Node& n) {
  bool& flag = n.kind() == OpKind::kConv2d ? std::get<Conv2dAttrs>(n.attrs).bias
                                           : std::get<LinearAttrs>(n.attrs).bias;
  if (flag) return;
  flag = true;
  n.state["bias"] = {{n.shape.c}, std::vector<float>(static_cast<std::size_t>(n.shape.c), 0.0f)};
}

/// y = scale x + offset per channel.
struct Affine {
  std::vector<float> scale, offset;
};

/// gamma / sigma and beta - mean * gamma / sigma.
Affine affine_of(const BatchNormAttrs& attrs, const FloatTensor& gamma, const FloatTensor& beta,
                 const FloatTensor& mean, const FloatTensor& var) {
  Affine a;
  for (std::size_t c = 0; c < gamma.data.size(); ++c) {
    const double g = gamma.data[c] / std::sqrt(static_cast<double>(var.data[c]) + attrs.eps);
    a.scale.push_back(static_cast<float>(g));
    a.offset.push_back(static_cast<float>(beta.data[c] - mean.data[c] * g));
  }
  return a;
}

/// The affine map from x = (pixel - 128) / 128, which integers give, to (pixel/255 - mean) / std.
Affine input_affine(const InputAttrs& in) {
  Affine a;
  for (std::size_t c = 0; c < in.mean.size(); ++c) {
    a.scale.push_back(128.0f / 255.0f / in.std[c]);
    a.offset.push_back((128.0f / 255.0f - in.mean[c]) / in.std[c]);
  }
  return a;
}

/// y = W (scale x + offset): W's columns are scaled, W offset goes into the bias. `in` is what the
/// layer reads: the image, or the flattened image, whose channels are runs of h * w.
void scale_inputs(Node& n, const Affine& a, const Shape& in) {
  auto& w = n.state["weight"].data;
  auto& b = n.state["bias"].data;
  const auto out = static_cast<std::size_t>(n.shape.c);
  const std::size_t per = w.size() / out;
  const auto* conv = std::get_if<Conv2dAttrs>(&n.attrs);
  const auto groups = static_cast<std::size_t>(conv != nullptr ? conv->groups : 1);
  const std::size_t per_group = static_cast<std::size_t>(in.c) / groups;
  const std::size_t taps = per / per_group;
  const std::size_t run = static_cast<std::size_t>(in.c) / a.scale.size();
  for (std::size_t o = 0; o < out; ++o)
    for (std::size_t i = 0; i < per; ++i) {
      const std::size_t read = o / (out / groups) * per_group + i / taps;
      float& weight = w[o * per + i];
      b[o] += weight * a.offset[read / run];
      weight *= a.scale[read / run];
    }
}

Status fold_input(Graph& g) {
  auto& attrs = std::get<InputAttrs>(g.nodes[0].attrs);
  if (attrs.mean.empty()) return ok_status();
  const Affine a = input_affine(attrs);
  // Layers that read the image, looking through flatten.
  const auto readers = g.consumers();
  std::vector<int> pending = readers[0];
  for (std::size_t i = 0; i < pending.size(); ++i) {
    Node& n = g.nodes[static_cast<std::size_t>(pending[i])];
    if (n.kind() == OpKind::kFlatten) {
      const auto& next = readers[static_cast<std::size_t>(pending[i])];
      pending.insert(pending.end(), next.begin(), next.end());
    } else if (is_matrix(n.kind())) {
      scale_inputs(n, a, g.input_shapes(pending[i])[0]);
    } else {
      return make_error(
          ErrorCode::kUnsupported,
          "{}: a {} reads the image, whose mean and std can only be folded into a conv2d "
          "or linear layer",
          n.name, op_name(n.kind()));
    }
  }
  attrs.mean.clear();
  attrs.std.clear();
  return ok_status();
}

/// The convolution or linear layer takes up the batch norm that alone reads it. Its own bias moves
/// into the mean.
void take_up(Node& layer, const Node& norm) {
  fold_norm(layer);  // of two norms in a row only the last goes on learning
  layer.norm = std::get<BatchNormAttrs>(norm.attrs);
  FloatTensor mean = norm.state.at("running_mean");
  const auto& own = layer.state.at("bias").data;
  for (std::size_t c = 0; c < own.size(); ++c) mean.data[c] -= own[c];
  layer.state["bias"] = norm.state.at("bias");
  layer.state["norm.weight"] = norm.state.at("weight");
  layer.state["norm.running_mean"] = std::move(mean);
  layer.state["norm.running_var"] = norm.state.at("running_var");
}

/// A batch norm that no layer can take up becomes gamma / sigma and an offset.
void make_affine(Node& n) {
  const auto& attrs = std::get<BatchNormAttrs>(n.attrs);
  const Affine a = affine_of(attrs, n.state.at("weight"), n.state.at("bias"),
                             n.state.at("running_mean"), n.state.at("running_var"));
  n.state["weight"].data = a.scale;
  n.state["bias"].data = a.offset;
  for (float& v : n.state["running_mean"].data) v = 0;
  for (float& v : n.state["running_var"].data) v = 1 - attrs.eps;
}

/// Layers through which a positive factor of each channel passes unchanged.
bool passes_factors(const Node& n) {
  if (const auto* relu = std::get_if<ReluAttrs>(&n.attrs)) return relu->max <= 0;
  return n.kind() == OpKind::kMaxPool || n.kind() == OpKind::kAvgPool ||
         n.kind() == OpKind::kGlobalAvgPool || n.kind() == OpKind::kFlatten;
}

/// The convolutions and linear layers that alone read node `id`, directly or through layers that
/// pass factors on; empty when anything else does.
std::vector<int> matrices_after(const Graph& g, int id) {
  const auto readers = g.consumers();
  std::vector<int> found, pending = {id};
  for (std::size_t i = 0; i < pending.size(); ++i) {
    const auto& next = readers[static_cast<std::size_t>(pending[i])];
    if (next.empty()) return {};  // the network's output
    for (const int r : next) {
      const Node& n = g.nodes[static_cast<std::size_t>(r)];
      if (is_matrix(n.kind()))
        found.push_back(r);
      else if (passes_factors(n))
        pending.push_back(r);
      else
        return {};
    }
  }
  return found;
}

/// Deployed, the affine `id` has gains of +-2^s. What a gain lacks of the nearest power of two, at
/// most a factor of sqrt 2, goes into the layers after it, where nothing is lost.
void leave_powers_of_two(Graph& g, int id) {
  const std::vector<int> after = matrices_after(g, id);
  if (after.empty()) return;
  Node& n = g.nodes[static_cast<std::size_t>(id)];
  Affine rest;
  for (std::size_t c = 0; c < n.state["weight"].data.size(); ++c) {
    float& gain = n.state["weight"].data[c];
    const float size = std::fabs(gain);
    const bool has_gain = std::isnormal(size);
    const float power = has_gain ? std::exp2(std::round(std::log2(size))) : size;
    rest.scale.push_back(has_gain ? size / power : 1.0f);
    rest.offset.push_back(0);
    gain = std::copysign(power, gain);
    n.state["bias"].data[c] /= rest.scale.back();
  }
  for (const int r : after)
    scale_inputs(g.nodes[static_cast<std::size_t>(r)], rest, g.input_shapes(r)[0]);
}

}  // namespace

void bypass(Graph& g, int id) {
  const int source = g.nodes[static_cast<std::size_t>(id)].inputs[0];
  g.nodes.erase(g.nodes.begin() + id);
  for (Node& n : g.nodes)
    for (int& in : n.inputs) {
      if (in == id) in = source;
      if (in > id) --in;
    }
}

Status check_state(const Graph& graph) {
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    const Node& n = graph.nodes[id];
    NBQ_ASSIGN(const LayerInfo info, describe(graph, static_cast<int>(id)));
    for (const auto& [name, tensor] : n.state)
      if (std::none_of(info.params.begin(), info.params.end(),
                       [&key = name](const ParamSpec& p) { return p.name == key; }))
        return make_error(ErrorCode::kBadFile, "{}: a {} has no parameter {}", n.name,
                          op_name(n.kind()), name);
    for (const ParamSpec& p : info.params) {
      const auto it = n.state.find(p.name);
      if (it == n.state.end())
        return make_error(ErrorCode::kBadFile, "{}: parameter {} is missing", n.name, p.name);
      if (it->second.dims != p.dims ||
          static_cast<std::int64_t>(it->second.data.size()) != element_count(p.dims))
        return make_error(ErrorCode::kBadFile, "{}: parameter {} has shape [{}], expected [{}]",
                          n.name, p.name, fmt::join(it->second.dims, ", "),
                          fmt::join(p.dims, ", "));
      for (std::size_t i = 0; i < it->second.data.size(); ++i)
        if (!std::isfinite(it->second.data[i]))
          return make_error(ErrorCode::kBadFile, "{}: {}[{}] is not a finite number", n.name,
                            p.name, i);
      if (p.name.ends_with("running_var"))
        for (const float v : it->second.data)
          if (v < 0)
            return make_error(ErrorCode::kBadFile, "{}: {} has a negative entry", n.name, p.name);
    }
  }
  return ok_status();
}

Result<Graph> absorb_norms(const Graph& graph) {
  NBQ_CHECK(graph.stage == Stage::kFloat);
  NBQ_TRY(check_state(graph));
  Graph g = graph;
  for (Node& n : g.nodes)
    if (is_matrix(n.kind())) ensure_bias(n);
  NBQ_TRY(fold_input(g));
  for (int id = 1; id < static_cast<int>(g.nodes.size());) {
    Node& n = g.nodes[static_cast<std::size_t>(id)];
    const int source = n.inputs[0];
    Node& producer = g.nodes[static_cast<std::size_t>(source)];
    if (n.kind() != OpKind::kBatchNorm) {
      ++id;
    } else if (is_matrix(producer.kind()) &&
               g.consumers()[static_cast<std::size_t>(source)].size() == 1) {
      take_up(producer, n);
      bypass(g, id);
    } else {
      make_affine(n);
      ++id;
    }
  }
  NBQ_TRY(infer_shapes(g));
  for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id)
    if (g.nodes[static_cast<std::size_t>(id)].kind() == OpKind::kBatchNorm)
      leave_powers_of_two(g, id);
  return g;
}

void fold_norm(Node& n) {
  if (!n.norm) return;
  const Affine a = affine_of(*n.norm, n.state.at("norm.weight"), n.state.at("bias"),
                             n.state.at("norm.running_mean"), n.state.at("norm.running_var"));
  auto& w = n.state["weight"].data;
  const std::size_t per = w.size() / a.scale.size();
  for (std::size_t i = 0; i < w.size(); ++i) w[i] *= a.scale[i / per];
  n.state["bias"].data = a.offset;
  for (const char* name : {"norm.weight", "norm.running_mean", "norm.running_var"})
    n.state.erase(name);
  n.norm.reset();
}

Graph fold_norms(Graph graph) {
  for (Node& n : graph.nodes) fold_norm(n);
  return graph;
}

Result<Graph> fold(const Graph& graph) {
  NBQ_ASSIGN(Graph absorbed, absorb_norms(graph));
  return fold_norms(std::move(absorbed));
}

}  // namespace nbq
