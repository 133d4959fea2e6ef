#include "model/fold.h"

#include <algorithm>
#include <cmath>

namespace nbq {
namespace {

bool has_weight(const Node& n) {
  return n.kind() == OpKind::kConv2d || n.kind() == OpKind::kLinear;
}

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

/// gamma / sigma and beta - mean * gamma / sigma.
struct Affine {
  std::vector<float> scale, offset;
};
Affine affine_of(const Node& bn) {
  const auto& gamma = bn.state.at("weight").data;
  const auto& beta = bn.state.at("bias").data;
  const auto& mean = bn.state.at("running_mean").data;
  const auto& var = bn.state.at("running_var").data;
  const float eps = std::get<BatchNormAttrs>(bn.attrs).eps;
  Affine a;
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double g = gamma[c] / std::sqrt(static_cast<double>(var[c]) + eps);
    a.scale.push_back(static_cast<float>(g));
    a.offset.push_back(static_cast<float>(beta[c] - mean[c] * g));
  }
  return a;
}

void scale_outputs(Node& n, const Affine& a) {
  auto& w = n.state["weight"].data;
  auto& b = n.state["bias"].data;
  const std::size_t per = w.size() / a.scale.size();
  for (std::size_t c = 0; c < a.scale.size(); ++c) {
    for (std::size_t i = c * per; i < (c + 1) * per; ++i) w[i] *= a.scale[c];
    b[c] = b[c] * a.scale[c] + a.offset[c];
  }
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

/// The layers with weights that read node `id` through relus without an upper clip, pools and
/// flattening, which all pass a positive factor on; empty when anything else reads it too.
std::vector<int> scalable_readers(const Graph& g, int id) {
  const auto readers = g.consumers();
  std::vector<int> found, pending = readers[static_cast<std::size_t>(id)];
  for (std::size_t i = 0; i < pending.size(); ++i) {
    const Node& n = g.nodes[static_cast<std::size_t>(pending[i])];
    const auto* relu = std::get_if<ReluAttrs>(&n.attrs);
    if (has_weight(n)) {
      found.push_back(pending[i]);
    } else if ((relu != nullptr && relu->max == 0) || n.kind() == OpKind::kMaxPool ||
               n.kind() == OpKind::kAvgPool || n.kind() == OpKind::kGlobalAvgPool ||
               n.kind() == OpKind::kFlatten) {
      const auto& next = readers[static_cast<std::size_t>(pending[i])];
      if (next.empty()) return {};
      pending.insert(pending.end(), next.begin(), next.end());
    } else {
      return {};
    }
  }
  return found;
}

/// Deployed, a batch norm that stays is +-2^s a channel: what its scale has beside the power of two
/// goes into the weights of the layers that read it, where those are its only readers.
void move_mantissas(Graph& g, int id, Affine& a) {
  const std::vector<int> readers = scalable_readers(g, id);
  if (readers.empty()) return;
  Affine rest{std::vector<float>(a.scale.size(), 1), std::vector<float>(a.scale.size(), 0)};
  for (std::size_t c = 0; c < a.scale.size(); ++c) {
    if (!std::isnormal(a.scale[c])) continue;
    const float magnitude = std::fabs(a.scale[c]);
    rest.scale[c] = magnitude / std::exp2(std::round(std::log2(magnitude)));
    a.scale[c] /= rest.scale[c];
    a.offset[c] /= rest.scale[c];
  }
  for (const int reader : readers)
    scale_inputs(g.nodes[static_cast<std::size_t>(reader)], rest, g.input_shapes(reader)[0]);
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
    } else if (has_weight(n)) {
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
      if (p.name == "running_var")
        for (const float v : it->second.data)
          if (v < 0)
            return make_error(ErrorCode::kBadFile, "{}: running_var has a negative entry", n.name);
    }
  }
  return ok_status();
}

Result<Graph> fold(const Graph& graph) {
  NBQ_CHECK(graph.stage == Stage::kFloat);
  NBQ_TRY(check_state(graph));
  Graph g = graph;
  for (Node& n : g.nodes)
    if (has_weight(n)) ensure_bias(n);
  NBQ_TRY(fold_input(g));
  for (int id = 1; id < static_cast<int>(g.nodes.size());) {
    Node& n = g.nodes[static_cast<std::size_t>(id)];
    if (n.kind() != OpKind::kBatchNorm) {
      ++id;
      continue;
    }
    const int source = n.inputs[0];
    Affine a = affine_of(n);
    Node& producer = g.nodes[static_cast<std::size_t>(source)];
    if (has_weight(producer) && g.consumers()[static_cast<std::size_t>(source)].size() == 1) {
      scale_outputs(producer, a);
      bypass(g, id);
      continue;
    }
    move_mantissas(g, id, a);
    const float eps = std::get<BatchNormAttrs>(n.attrs).eps;
    n.state["weight"].data = a.scale;
    n.state["bias"].data = a.offset;
    for (float& v : n.state["running_mean"].data) v = 0;
    for (float& v : n.state["running_var"].data) v = 1 - eps;
    ++id;
  }
  NBQ_TRY(infer_shapes(g));
  return g;
}

}  // namespace nbq
