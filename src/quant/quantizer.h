#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "core/po2_code.h"
#include "core/result.h"

namespace nbq {

/// Weights of one layer, [channels][per_channel] row-major, float32.
struct WeightView {
  std::span<const float> data;
  std::size_t channels = 0;
  std::size_t per_channel() const { return channels == 0 ? 0 : data.size() / channels; }
  std::span<const float> channel(std::size_t c) const {
    return data.subspan(c * per_channel(), per_channel());
  }
};

enum class ScaleGranularity { kPerLayer, kPerChannel };

/// What encode() goes by.
enum class CodeRule {
  kNearest,  ///< nearest_code() of each weight by itself
  kOfLayer,  ///< all weights of a layer, which it must be given at once
};

/// A way to turn float weights into n-bit powers of two: one row of quantizers.def.
struct Quantizer {
  std::string_view name;
  CodeRule rule;
  /// Chooses the scale exponents s, one per channel (all equal for kPerLayer). They are trained
  /// state: fitted once, then locked. Errors kInvalidArgument: NaN or infinity (names the index), a
  /// format that the quantizer does not define.
  Result<std::vector<int>> (*fit)(Po2Format, ScaleGranularity, const WeightView&);
  /// Codes for weights at given exponents. `codes` has one entry per weight.
  void (*encode)(Po2Format, const WeightView&, std::span<const int> exps, std::span<Po2Code> codes);
};

/// All rows, in the registry's order.
std::span<const Quantizer> quantizers();
/// Error kInvalidArgument lists the names there are.
Result<const Quantizer*> find_quantizer(std::string_view name);

/// Index of the first NaN or infinity as an error, naming it.
Status check_finite(std::span<const float> w);
/// Real values +-2^(s+k-1) of codes; out has one entry per code.
void decode(Po2Format f, std::span<const Po2Code> codes, std::size_t channels,
            std::span<const int> exps, std::span<float> out);

/// Nearest code in value at exponent s; ties go to the larger magnitude. Compares exactly, without
/// log2, so that every host agrees.
Po2Code nearest_code(Po2Format f, float w, int s);
/// encode() of the quantizers that round to the nearest value.
void encode_nearest(Po2Format f, const WeightView& w, std::span<const int> exps,
                    std::span<Po2Code> codes);

}  // namespace nbq
