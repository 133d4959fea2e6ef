#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "model/allocate.h"
#include "train/sensitivity.h"

namespace nbq {
namespace {

/// An exception of the spec says how many bits the layer has.
bool is_fixed(const QuantSpec& spec, const std::string& layer) {
  QuantSpec other = spec;
  other.weight_bits = spec.weight_bits == kMinWeightBits ? kMaxWeightBits : kMinWeightBits;
  return other.weight_bits_of(layer) == spec.weight_bits_of(layer);
}

LayerOptions options_of(const Sensitivity& s, const LayerSensitivity& l, const QuantSpec& spec) {
  LayerOptions out{l.layer, {}};
  if (is_fixed(spec, l.layer)) {
    const int bits = spec.weight_bits_of(l.layer);
    out.options.push_back({bits, 0, l.weights * bits});
  } else {
    for (const BitsEffect& e : l.at)
      out.options.push_back({e.bits, e.loss - s.loss, l.weights * e.bits});
  }
  return out;
}

nlohmann::ordered_json number(double v) {
  return std::isfinite(v) ? nlohmann::ordered_json(v) : nlohmann::ordered_json(nullptr);
}

}  // namespace

Result<QuantSpec> fit_budget(const Sensitivity& s, QuantSpec spec, std::int64_t budget_bytes) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 46;
  if (budget_bytes < 1 || budget_bytes > kMostBytes)
    return make_error(ErrorCode::kInvalidArgument, "a budget of {} bytes is out of range",
                      budget_bytes);
  std::vector<LayerOptions> layers;
  std::vector<bool> fixed;
  std::int64_t least = s.other_code_bits;
  for (const LayerSensitivity& l : s.layers) {
    fixed.push_back(is_fixed(spec, l.layer));
    const LayerOptions& made = layers.emplace_back(options_of(s, l, spec));
    std::int64_t cheapest = std::numeric_limits<std::int64_t>::max();
    for (const BitsOption& o : made.options) cheapest = std::min(cheapest, o.cost);
    if (!made.options.empty()) least += cheapest;
  }
  if (least > budget_bytes * 8)
    return make_error(ErrorCode::kInvalidArgument,
                      "{}: its weight codes can't be brought into {} bytes: they take {} with the "
                      "fewest bits everywhere",
                      s.name.empty() ? "the network" : s.name, budget_bytes, (least + 7) / 8);
  NBQ_ASSIGN(const auto choice, allocate_bits(layers, budget_bytes * 8 - s.other_code_bits));
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (!fixed[i]) spec.layers.push_back({layers[i].layer, layers[i].options[choice[i]].bits, 0});
  return spec;
}

std::string sensitivity_json(const Sensitivity& s) {
  nlohmann::ordered_json j{{"name", s.name},
                           {"images", s.images},
                           {"loss", number(s.loss)},
                           {"accuracy", s.accuracy},
                           {"float_loss", number(s.float_loss)},
                           {"float_accuracy", number(s.float_accuracy)},
                           {"layers", nlohmann::ordered_json::array()}};
  for (const LayerSensitivity& l : s.layers) {
    auto at = nlohmann::ordered_json::array();
    for (const BitsEffect& e : l.at)
      at.push_back({{"bits", e.bits},
                    {"loss", number(e.loss)},
                    {"accuracy", e.accuracy},
                    {"loss_rise", number(e.loss - s.loss)},
                    {"accuracy_fall", s.accuracy - e.accuracy}});
    j["layers"].push_back({{"layer", l.layer},
                           {"weights", l.weights},
                           {"macs", l.macs},
                           {"base_bits", l.base_bits},
                           {"at", at}});
  }
  return j.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace nbq
