#include "train/sensitivity.h"

#include <algorithm>
#include <cmath>

#include "data/loader.h"
#include "model/fold.h"
#include "model/op_table.h"
#include "train/evaluate.h"

namespace nbq {
namespace {

constexpr std::size_t kCalibrationImages = 256;

Result<EvalResult> evaluate_some(const Graph& graph, const ImageSource& source,
                                 std::span<const std::size_t> images) {
  return guard_torch([&] { return evaluate_images(graph, source, images); });
}

/// `spec` for all weights at `bits`.
QuantSpec uniform(QuantSpec spec, int bits) {
  spec.weight_bits = bits;
  for (QuantSpec::Layer& l : spec.layers) l.weight_bits = 0;
  return spec;
}

/// How the graph's exponents were chosen, as far as it tells: a scale a channel if any layer but
/// the last, whose logits share one, has different ones.
QuantSpec spec_of(const Graph& g) {
  QuantSpec spec;
  spec.quantizer = g.quantizer;
  const bool differ = std::any_of(g.nodes.begin(), g.nodes.end() - 1, [](const Node& n) {
    return is_matrix(n.kind()) && std::adjacent_find(n.po2.exps.begin(), n.po2.exps.end(),
                                                     std::not_equal_to<>()) != n.po2.exps.end();
  });
  spec.granularity = differ ? ScaleGranularity::kPerChannel : ScaleGranularity::kPerLayer;
  return spec;
}

/// The layers, without measurements.
Result<Sensitivity> layers_of(const Graph& base) {
  Sensitivity s;
  s.name = base.name;
  for (std::size_t id = 0; id < base.nodes.size(); ++id) {
    const Node& n = base.nodes[id];
    if (n.po2.bits == 0) continue;
    const auto weights = static_cast<std::int64_t>(n.state.at("weight").data.size());
    if (!is_matrix(n.kind())) {
      s.other_code_bits += weights * n.po2.bits;
      continue;
    }
    NBQ_ASSIGN(const LayerInfo info, describe(base, static_cast<int>(id)));
    s.layers.push_back({n.name, weights, info.macs, n.po2.bits, {}});
  }
  return s;
}

/// Measures every layer of `base` at every one of `bits`, whose scales `spec` says how to choose.
Result<Sensitivity> measure(const Graph& base, const QuantSpec& spec, std::span<const int> bits,
                            const ImageSource& source, std::span<const std::size_t> images,
                            const SensitivityProgress& progress) {
  if (images.empty()) return make_error(ErrorCode::kInvalidArgument, "no images to measure with");
  NBQ_ASSIGN(Sensitivity s, layers_of(base));
  NBQ_ASSIGN(const EvalResult whole, evaluate_some(base, source, images));
  s.images = whole.images;
  s.loss = whole.loss;
  s.accuracy = whole.accuracy;
  std::size_t done = 0;
  for (const int n : bits) {
    Graph wide = base;  // gives each layer's scales at n bits
    NBQ_TRY(refit_weights(wide, uniform(spec, n)));
    auto layer = s.layers.begin();
    Graph one = base;
    for (std::size_t id = 0; id < base.nodes.size(); ++id) {
      if (!is_matrix(base.nodes[id].kind())) continue;
      EvalResult r = whole;
      if (base.nodes[id].po2.bits != n) {
        one.nodes[id].po2 = wide.nodes[id].po2;
        NBQ_ASSIGN(r, evaluate_some(one, source, images));
        one.nodes[id].po2 = base.nodes[id].po2;
      }
      layer++->at.push_back({n, r.loss, r.accuracy});
      if (progress) progress(++done, bits.size() * s.layers.size());
    }
  }
  return s;
}

}  // namespace

Result<Sensitivity> measure_sensitivity(const Graph& float_graph, const QuantSpec& base,
                                        std::span<const int> bits, const ImageSource& source,
                                        std::span<const std::size_t> images,
                                        const SensitivityProgress& progress) {
  if (float_graph.stage != Stage::kFloat)
    return make_error(ErrorCode::kInvalidArgument, "{}: not a float network", float_graph.name);
  if (images.empty()) return make_error(ErrorCode::kInvalidArgument, "no images to measure with");
  NBQ_ASSIGN(const EvalResult as_float, evaluate_some(float_graph, source, images));
  NBQ_ASSIGN(const Graph folded, fold(float_graph));
  NBQ_ASSIGN(const ActSamples samples, calibrate(folded, source, kCalibrationImages, images));
  NBQ_ASSIGN(const Graph quantised, quantise(folded, base, samples));
  NBQ_ASSIGN(Sensitivity s, measure(quantised, base, bits, source, images, progress));
  s.float_loss = as_float.loss;
  s.float_accuracy = as_float.accuracy;
  return s;
}

Result<Sensitivity> measure_sensitivity(const Graph& quantised, std::span<const int> bits,
                                        const ImageSource& source,
                                        std::span<const std::size_t> images,
                                        const SensitivityProgress& progress) {
  if (quantised.stage != Stage::kQuantised)
    return make_error(ErrorCode::kInvalidArgument,
                      "{}: has no float weights to quantise otherwise; give the float.nbq or "
                      "quantised.nbq that it came from",
                      quantised.name);
  return measure(quantised, spec_of(quantised), bits, source, images, progress);
}

Result<std::vector<std::size_t>> sensitivity_images(std::size_t size, double validation,
                                                    std::uint64_t seed, std::size_t n) {
  NBQ_ASSIGN(const IndexSplit split, split_indices(size, validation, seed));
  auto order = epoch_order(split.train, seed, ~std::uint64_t{1});
  order.resize(std::min(n, order.size()));
  return order;
}

Status check_budget(const Graph& float_graph, const QuantSpec& spec, std::span<const int> bits,
                    std::int64_t budget_bytes) {
  NBQ_ASSIGN(const Graph folded, fold(float_graph));
  NBQ_ASSIGN(Graph g, quantise(folded, spec, ActSamples(folded.nodes.size(), {1.0f})));
  for (const int n : bits) NBQ_TRY(refit_weights(g, uniform(spec, n)));
  NBQ_ASSIGN(Sensitivity s, layers_of(g));
  for (LayerSensitivity& l : s.layers)
    for (const int n : bits) l.at.push_back({n, 0, 0});
  const auto fitted = fit_budget(s, spec, budget_bytes);
  return fitted.ok() ? ok_status() : Status(fitted.error());
}

}  // namespace nbq
