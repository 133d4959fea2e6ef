#include "exchange/onnx_po2.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/fixed_point.h"
#include "exchange/onnx_quant.h"

namespace nbq::exchange {
namespace {

constexpr int kNone = 1 << 20;

/// What one channel's numbers allow: exponents of its weights, and the largest s whose accumulator
/// holds the bias.
struct Channel {
  int least = kNone, most = -kNone;
  bool has_zero = false;
  int bias_limit = kNone;

  bool empty() const { return most == -kNone; }
};

Result<Channel> examine(const RealWeights& real, std::size_t c) {
  Channel out;
  const std::size_t per = real.weights.size() / static_cast<std::size_t>(real.channels);
  for (std::size_t i = c * per; i < (c + 1) * per; ++i) {
    const double w = std::abs(double{real.weights[i]});
    if (w == 0) {
      out.has_zero = true;
      continue;
    }
    const std::optional<int> e = power_of_two(w);
    if (!e)
      return make_error(ErrorCode::kUnsupported,
                        "{}: weight {} (channel {}) is {}, neither 0 nor a power of two: the "
                        "network is not exact here; export it without quantizers and learn it with "
                        "nbq train",
                        real.where, i, c, real.weights[i]);
    out.least = std::min(out.least, *e);
    out.most = std::max(out.most, *e);
  }
  if (!real.bias.empty() && real.bias[c] != 0) {
    double b = real.bias[c];
    if (!std::isfinite(b))
      return make_error(ErrorCode::kBadFile, "{}: the bias of channel {} is {}", real.where, c, b);
    int e = 0;
    b = std::frexp(b, &e);
    while (b != std::floor(b)) {
      b *= 2;
      --e;
    }
    out.bias_limit = e - real.in_exp;
  }
  return out;
}

/// Scale exponents [low, high] that n-bit codes allow a channel; empty: low > high.
struct Interval {
  int low, high;
};
Interval allowed(const RealWeights& real, const Channel& c, int bits) {
  const int levels = Po2Format{bits}.max_k();
  Interval v{-128, std::min(127, c.bias_limit)};
  if (bits == 1 && (c.has_zero || c.least != c.most)) return {1, 0};
  if (!c.empty()) {
    v.low = std::max(v.low, c.most - levels + 1);
    v.high = std::min(v.high, c.least);
  }
  if (!real.logits) v.high = std::min(v.high, real.out_exp - real.in_exp + kMaxLeftShift);
  return v;
}

std::optional<std::vector<int>> exponents(const RealWeights& real,
                                          const std::vector<Channel>& channels, int bits) {
  std::vector<Interval> intervals;
  Interval common{-128, 127};
  for (const Channel& c : channels) {
    const Interval v = allowed(real, c, bits);
    if (v.low > v.high) return std::nullopt;
    intervals.push_back(v);
    common = {std::max(common.low, v.low), std::min(common.high, v.high)};
  }
  if (real.logits && common.low > common.high) return std::nullopt;
  std::vector<int> exps;
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const Interval& v = real.logits ? common : intervals[c];
    // Nothing but a bias or zeros: as near to the output's exponent as may be.
    const int wish = channels[c].empty() && !real.logits ? real.out_exp - real.in_exp : v.high;
    exps.push_back(std::clamp(wish, v.low, v.high));
  }
  return exps;
}

Result<Po2Weights> encode(const RealWeights& real, int bits, std::vector<int> exps) {
  const Po2Format f{bits};
  Po2Weights p;
  p.bits = bits;
  const std::size_t per = real.weights.size() / static_cast<std::size_t>(real.channels);
  for (std::size_t i = 0; i < real.weights.size(); ++i) {
    const float w = real.weights[i];
    const int k = w == 0 ? 0 : std::ilogb(w) - exps[i / per] + 1;
    p.codes.push_back(Po2Code::make(f, w < 0, k));
  }
  for (std::size_t c = 0; c < real.bias.size(); ++c) {
    const double b = std::ldexp(real.bias[c], -(exps[c] + real.in_exp));
    if (!(std::abs(b) < std::ldexp(1.0, kMaxAccBits - 1)))
      return make_error(ErrorCode::kUnsupported,
                        "{}: the bias of channel {}, {}, needs more than {} bits", real.where, c,
                        real.bias[c], kMaxAccBits);
    p.bias.push_back(static_cast<std::int64_t>(b));
  }
  p.exps = std::move(exps);
  return p;
}

}  // namespace

Result<Po2Weights> exact_codes(const RealWeights& real) {
  std::vector<Channel> channels;
  for (std::size_t c = 0; c < static_cast<std::size_t>(real.channels); ++c) {
    NBQ_ASSIGN(const Channel channel, examine(real, c));
    channels.push_back(channel);
  }
  for (int bits = kMinWeightBits; bits <= kMaxWeightBits; ++bits)
    if (auto exps = exponents(real, channels, bits)) return encode(real, bits, std::move(*exps));
  for (std::size_t c = 0; c < channels.size(); ++c)
    if (const Interval v = allowed(real, channels[c], kMaxWeightBits); v.low > v.high)
      return make_error(ErrorCode::kUnsupported,
                        "{}: channel {} has weights of 2^{}..2^{} and a bias in units of 2^{} over "
                        "inputs in units of 2^{}: {}-bit codes don't hold that exactly",
                        real.where, c, channels[c].least, channels[c].most,
                        channels[c].bias_limit + real.in_exp, real.in_exp, kMaxWeightBits);
  return make_error(ErrorCode::kUnsupported,
                    "{}: the logits' channels have no scale in common: their weights and biases "
                    "reach too far apart",
                    real.where);
}

}  // namespace nbq::exchange
