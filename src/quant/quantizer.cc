#include "quant/quantizer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

namespace nbq {

#define NBQ_QUANTIZER(suffix, ...)                                                       \
  Result<std::vector<int>> fit_##suffix(Po2Format, ScaleGranularity, const WeightView&); \
  void encode_##suffix(Po2Format, const WeightView&, std::span<const int>, std::span<Po2Code>);
#include "quant/quantizers.def"

std::span<const Quantizer> quantizers() {
  static constexpr Quantizer kRows[] = {
#define NBQ_QUANTIZER(suffix, name, rule) {name, CodeRule::rule, fit_##suffix, encode_##suffix},
#include "quant/quantizers.def"
  };
  return kRows;
}

Result<const Quantizer*> find_quantizer(std::string_view name) {
  std::string known;
  for (const Quantizer& q : quantizers()) {
    if (q.name == name) return &q;
    known += (known.empty() ? "" : ", ") + std::string(q.name);
  }
  return make_error(ErrorCode::kInvalidArgument, "no quantizer is named {}; there are {}", name,
                    known);
}

Status check_finite(std::span<const float> w) {
  for (std::size_t i = 0; i < w.size(); ++i)
    if (!std::isfinite(w[i]))
      return make_error(ErrorCode::kInvalidArgument, "weight {} is {}, it must be finite", i, w[i]);
  return ok_status();
}

void decode(Po2Format f, std::span<const Po2Code> codes, std::size_t channels,
            std::span<const int> exps, std::span<float> out) {
  const std::size_t per = codes.size() / channels;
  for (std::size_t c = 0; c < channels; ++c) {
    const float scale = std::ldexp(1.0f, exps[c]);
    for (std::size_t i = c * per; i < (c + 1) * per; ++i)
      out[i] = static_cast<float>(codes[i].value(f)) * scale;
  }
}

Po2Code nearest_code(Po2Format f, float w, int s) {
  if (f.bits == 1) return Po2Code::make(f, std::signbit(w), 1);
  // From the number's bits: every training step does this for every weight.
  const auto bits = std::bit_cast<std::uint32_t>(std::fabs(w));
  const int field = static_cast<int>(bits >> 23);
  // |w| 2^-s is in [2^e, 2^(e+1)).
  const int e = (field != 0 ? field - 127 : w != 0 ? std::ilogb(w) : -1000) - s;
  if (e < -1) return Po2Code::make(f, false, 0);  // below 1/2
  // Above 1 the midpoint is 3/2 2^e; below 1 only 0 and 1 are neighbours.
  const bool upper =
      field != 0 ? (bits & 0x400000u) != 0 : std::ldexp(std::fabs(w), -std::ilogb(w)) >= 1.5f;
  const int k = std::max(e + (upper ? 2 : 1), 1);
  return Po2Code::make(f, std::signbit(w), std::min(k, f.max_k()));
}

void encode_nearest(Po2Format f, const WeightView& w, std::span<const int> exps,
                    std::span<Po2Code> codes) {
  const std::size_t per = w.per_channel();
  for (std::size_t c = 0; c < w.channels; ++c)
    for (std::size_t i = c * per; i < (c + 1) * per; ++i)
      codes[i] = nearest_code(f, w.data[i], exps[c]);
}

}  // namespace nbq
