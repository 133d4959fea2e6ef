#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "data/dataset.h"
#include "model/quantise.h"

namespace nbq {

/// The network with one layer at `bits`, the others as in the base.
struct BitsEffect {
  int bits = 0;
  double loss = 0;      ///< mean cross entropy
  double accuracy = 0;  ///< percent
};

struct LayerSensitivity {
  std::string layer;
  std::int64_t weights = 0, macs = 0;
  int base_bits = 0;
  std::vector<BitsEffect> at;
};

/// How much each layer's weight bits matter: the base is a quantised network, measured in integers.
struct Sensitivity {
  std::string name;
  std::size_t images = 0;
  double loss = 0, accuracy = 0;                                 ///< of the base
  double float_loss = std::numeric_limits<double>::quiet_NaN();  ///< when it came from a float one
  double float_accuracy = std::numeric_limits<double>::quiet_NaN();
  std::int64_t other_code_bits = 0;      ///< codes of layers whose bits are fixed (batch norm)
  std::vector<LayerSensitivity> layers;  ///< convolutions and linear layers, in their order
};

/// Called after each measurement.
using SensitivityProgress = std::function<void(std::size_t done, std::size_t total)>;

/// Quantises the network after training, at `base`, with the first 256 of `images` to choose the
/// activations' formats, and measures each layer with weights at each of `bits` over all of
/// `images` (indices into source; of the training split, as bits are chosen by this). Nothing is
/// learnt. Errors kInvalidArgument: not a float graph, no images, bits outside 1..5; those of
/// fold(), quantise(), ImageSource::load().
Result<Sensitivity> measure_sensitivity(const Graph& float_graph, const QuantSpec& base,
                                        std::span<const int> bits, const ImageSource& source,
                                        std::span<const std::size_t> images,
                                        const SensitivityProgress& progress = {});

/// The same of a network that has been learning: the base are its locked scales; only the layer
/// that is measured gets new ones.
Result<Sensitivity> measure_sensitivity(const Graph& quantised, std::span<const int> bits,
                                        const ImageSource& source,
                                        std::span<const std::size_t> images,
                                        const SensitivityProgress& progress = {});

/// `n` training images to measure with, of those that are not set aside for validation: a random
/// choice that depends on the seed only. Errors as split_indices().
Result<std::vector<std::size_t>> sensitivity_images(std::size_t size, double validation,
                                                    std::uint64_t seed, std::size_t n);

/// {"name", "images", "loss", "accuracy", "float_loss", "float_accuracy", "layers": [{"layer",
/// "weights", "macs", "base_bits", "at": [{"bits", "loss", "accuracy", "loss_rise",
/// "accuracy_fall"}]}]}: what `nbq report` draws.
std::string sensitivity_json(const Sensitivity& sensitivity);

/// `spec` with a [[quant.layer]] for each measured layer: bits that raise the loss least, the rises
/// taken to add up, with all weight codes together in `budget_bytes`. Layers whose weight_bits
/// `spec` has an exception for keep them. Errors as allocate_bits(), with the least budget
/// possible.
Result<QuantSpec> fit_budget(const Sensitivity& sensitivity, QuantSpec spec,
                             std::int64_t budget_bytes);

/// What fit_budget() would refuse on this network whatever is measured: a budget too small, bits
/// that the quantizer does not define.
Status check_budget(const Graph& float_graph, const QuantSpec& spec, std::span<const int> bits,
                    std::int64_t budget_bytes);

}  // namespace nbq
