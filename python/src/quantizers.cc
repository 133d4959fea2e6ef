#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "core/fixed_point.h"
#include "errors.h"
#include "model/quantise.h"
#include "quant/quantizer.h"

namespace nbq::python {

using namespace nb::literals;

namespace {

Po2Format checked_format(int bits) {
  if (bits < kMinWeightBits || bits > kMaxWeightBits)
    bad_argument("{} weight bits; allowed are {}..{}", bits, kMinWeightBits, kMaxWeightBits);
  return {bits};
}

/// The row, if it defines codes of so many bits: every row's fit() refuses others.
const Quantizer& checked_quantizer(const std::string& name, Po2Format f) {
  const Quantizer* q = value_or_throw(find_quantizer(name));
  const float zero = 0;
  value_or_throw(q->fit(f, ScaleGranularity::kPerLayer, {{&zero, 1}, 1}));
  return *q;
}

template <class T>
std::size_t channels_of(const In<T>& a) {
  if (a.ndim() == 0 || a.size() == 0)
    bad_argument("the array has no channels: its first axis must have at least one element");
  return a.shape(0);
}

std::vector<int> checked_exps(const In<int>& exps, std::size_t channels) {
  if (exps.ndim() != 1 || exps.size() != channels)
    bad_argument("{} scale exponents for {} channels", exps.size(), channels);
  const auto all = values(exps);
  for (std::size_t c = 0; c < channels; ++c)
    if (all[c] < -128 || all[c] > 127)
      bad_argument("channel {}: scale exponent {} is outside -128..127", c, all[c]);
  return {all.begin(), all.end()};
}

ScaleGranularity granularity_of(const std::string& name) {
  if (name == "channel") return ScaleGranularity::kPerChannel;
  if (name == "layer") return ScaleGranularity::kPerLayer;
  bad_argument("granularity \"{}\"; there are \"channel\" and \"layer\"", name);
}

Out<int> fit(const In<float>& weights, int bits, const std::string& quantizer,
             const std::string& granularity) {
  const Po2Format f = checked_format(bits);
  const std::size_t channels = channels_of(weights);
  const Quantizer& q = checked_quantizer(quantizer, f);
  auto exps = value_or_throw(q.fit(f, granularity_of(granularity), {values(weights), channels}));
  return to_numpy(std::move(exps), {channels});
}

Out<std::uint8_t> encode(const In<float>& weights, int bits, const In<int>& exps,
                         const std::string& quantizer) {
  const Po2Format f = checked_format(bits);
  const std::size_t channels = channels_of(weights);
  const Quantizer& q = checked_quantizer(quantizer, f);
  value_or_throw(check_finite(values(weights)));
  const std::vector<int> s = checked_exps(exps, channels);
  std::vector<Po2Code> codes(weights.size());
  {
    const nb::gil_scoped_release release;
    q.encode(f, {values(weights), channels}, s, codes);
  }
  std::vector<std::uint8_t> raw(codes.size());
  for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = codes[i].raw;
  return to_numpy(std::move(raw), shape_of(weights));
}

std::vector<Po2Code> checked_codes(const In<std::uint8_t>& codes, Po2Format f) {
  std::vector<Po2Code> out;
  out.reserve(codes.size());
  for (const std::uint8_t raw : values(codes)) out.push_back({raw});
  if (const std::size_t bad = first_illegal(f, out); bad != out.size())
    bad_argument("code {} is {}: no {}-bit code", bad, out[bad].raw, f.bits);
  return out;
}

Out<float> decode_values(const In<std::uint8_t>& codes, int bits, const In<int>& exps) {
  const Po2Format f = checked_format(bits);
  const std::size_t channels = channels_of(codes);
  const std::vector<int> s = checked_exps(exps, channels);
  std::vector<float> out(codes.size());
  decode(f, checked_codes(codes, f), channels, s, out);
  return to_numpy(std::move(out), shape_of(codes));
}

Out<std::int32_t> levels(const In<std::uint8_t>& codes, int bits) {
  const Po2Format f = checked_format(bits);
  std::vector<std::int32_t> out;
  for (const Po2Code c : checked_codes(codes, f)) out.push_back(c.value(f));
  return to_numpy(std::move(out), shape_of(codes));
}

double reciprocal(int count) {
  if (count < 1) bad_argument("the mean of {} values", count);
  return po2_reciprocal(count).value();
}

}  // namespace

void bind_quantizers(nb::module_& m) {
  m.def(
      "quantizers",
      [] {
        std::vector<std::string> names;
        for (const Quantizer& q : quantizers()) names.emplace_back(q.name);
        return names;
      },
      "Names of the quantizers there are.");
  m.def("fit", &fit, "weights"_a.noconvert(), "bits"_a, "quantizer"_a, "granularity"_a);
  m.def("encode", &encode, "weights"_a.noconvert(), "bits"_a, "exps"_a.noconvert(), "quantizer"_a);
  m.def("decode", &decode_values, "codes"_a.noconvert(), "bits"_a, "exps"_a.noconvert());
  m.def("levels", &levels, "codes"_a.noconvert(), "bits"_a);
  m.def(
      "best_act_exp",
      [](const In<float>& sample, int bits, bool is_signed) {
        if (bits < 2 || bits > 16) bad_argument("{} activation bits; allowed are 2..16", bits);
        value_or_throw(check_finite(values(sample)));
        return best_act_exp(values(sample), bits, is_signed);
      },
      "sample"_a.noconvert(), "bits"_a, "is_signed"_a);
  m.def("reciprocal", &reciprocal, "count"_a,
        "1 / count as an average pool has it: a sum of at most three powers of two.");
}

}  // namespace nbq::python
