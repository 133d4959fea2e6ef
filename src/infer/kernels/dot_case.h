#pragma once
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "infer/aligned_bytes.h"
#include "infer/pack_weights.h"

// For tests of the kernels: a sum of products, and what it is.
namespace nbq::infer::testing {

/// kMost, kLeast: weights and activations at the ends of their ranges, where sums overflow first.
enum class Values { kRandom, kMost, kLeast, kLeastOfZero };

struct DotShape {
  int rows, taps, steps;
};

class DotCase {
 public:
  static constexpr int kPixels = kMaxTilePixels;

  DotCase(int bits, bool wide, const DotShape& shape, Values values, int outputs)
      : bits_(bits),
        wide_(wide),
        outputs_(outputs),
        weights_{outputs, shape.steps * (wide ? 2 : 4), shape.rows, shape.taps},
        steps_(shape.steps),
        tap_(shape.steps * kStepBytes + 4),
        pixel_(shape.rows == 1 ? 20 : tap_),
        row_(shape.taps * tap_ + 12) {
    std::mt19937 rng(static_cast<unsigned>(bits * 1000 + shape.steps));
    fill_codes(rng, values);
    fill_input(rng, values);
  }

  /// The last `pixels` pixels; weights, steps and sums are to be set.
  DotTile tile(int pixels) const {
    DotTile t{};
    t.in = in_.data() + (kPixels - pixels) * pixel_;
    t.in_pixel = pixel_;
    t.in_tap = tap_;
    t.in_row = row_;
    t.rows = weights_.rows;
    t.taps = weights_.taps;
    t.steps = steps_;
    t.widen = steps_in_16_bits(bits_);
    return t;
  }
  PackedWeights pack(int lanes, int block_vectors) const {
    return pack_weights(weights_, codes_, bits_, wide_, lanes, block_vectors);
  }
  /// [pixels][outputs], the first `outputs` of the last `pixels`.
  std::vector<std::int32_t> sums(int pixels, int outputs) const {
    std::vector<std::int32_t> all;
    for (int p = kPixels - pixels; p < kPixels; ++p)
      for (int o = 0; o < outputs; ++o) all.push_back(sum(p, o));
    return all;
  }

 private:
  void fill_codes(std::mt19937& rng, Values values) {
    const Po2Format f{bits_};
    const std::size_t count =
        static_cast<std::size_t>(outputs_) * weights_.depth * weights_.rows * weights_.taps;
    const auto most = static_cast<unsigned>(f.max_k());
    for (std::size_t i = 0; i < count; ++i) {
      const bool negative = values == Values::kRandom ? (rng() & 1) != 0 : values != Values::kMost;
      const unsigned k =
          values == Values::kRandom ? static_cast<unsigned>(rng() % (most + 1)) : most;
      codes_.push_back(Po2Code::make(f, negative, static_cast<int>(k)));
    }
  }

  /// Ends where the last pixel's last step does: reading on is seen by the address sanitiser.
  void fill_input(std::mt19937& rng, Values values) {
    in_.resize(static_cast<std::size_t>((kPixels - 1) * pixel_ + (weights_.rows - 1) * row_ +
                                        (weights_.taps - 1) * tap_ + steps_ * kStepBytes));
    for (std::size_t i = 0; i < in_.size(); ++i) {
      const bool high = i % 2 == 1;  // a word's second byte
      switch (values) {
        case Values::kRandom:
          in_[i] = static_cast<std::uint8_t>(rng());
          break;
        case Values::kMost:
          in_[i] = wide_ && high ? 0x7f : 0xff;
          break;
        case Values::kLeast:
          in_[i] = wide_ ? (high ? 0x80 : 0) : 0xff;
          break;
        case Values::kLeastOfZero:
          in_[i] = 0;
          break;
      }
    }
  }

  std::int32_t stored(std::size_t byte, int d) const {
    if (!wide_) return in_[byte + static_cast<std::size_t>(d)];
    byte += static_cast<std::size_t>(2 * d);
    return static_cast<std::int16_t>(in_[byte] | in_[byte + 1] << 8);
  }

  std::int32_t sum(int pixel, int output) const {
    std::int64_t acc = 0;
    for (int r = 0; r < weights_.rows; ++r)
      for (int t = 0; t < weights_.taps; ++t) {
        const auto byte = static_cast<std::size_t>(pixel * pixel_ + r * row_ + t * tap_);
        for (int d = 0; d < weights_.depth; ++d) {
          const auto i = static_cast<std::size_t>(weights_.index(output, d, r, t));
          acc += std::int64_t{stored(byte, d)} * codes_[i].value(Po2Format{bits_});
        }
      }
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(acc));
  }

  int bits_;
  bool wide_;
  int outputs_;
  WeightShape weights_;
  int steps_, tap_, pixel_, row_;
  std::vector<Po2Code> codes_;
  std::vector<std::uint8_t> in_;
};

}  // namespace nbq::infer::testing
