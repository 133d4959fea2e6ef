// Every instruction set's loops of the program model against their definitions.
#include "hw/reduce.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "core/fixed_point.h"

namespace nbq::hw {
namespace {

class ArrayIsaTest : public ::testing::TestWithParam<Packing> {
 protected:
  int random(int low, int high) { return std::uniform_int_distribution<int>(low, high)(rng_); }
  std::uint32_t random_word() { return static_cast<std::uint32_t>(rng_()); }

  /// The largest weights that the packing allows occur.
  std::uint32_t random_weights() {
    if (GetParam() == Packing::kHalves) return random_word();
    std::uint32_t word = 0;
    for (int i = 0; i < 4; ++i)
      word = word << 8 | static_cast<std::uint8_t>(random(0, 3) == 0 ? 64 : random(-64, 64));
    return word;
  }
  static std::int64_t dot(std::uint32_t x, std::uint32_t w) {
    std::int64_t sum = 0;
    if (GetParam() == Packing::kBytes)
      for (int i = 0; i < 32; i += 8)
        sum += std::int64_t{static_cast<std::uint8_t>(x >> i)} * static_cast<std::int8_t>(w >> i);
    else
      for (int i = 0; i < 32; i += 16)
        sum += std::int64_t{static_cast<std::int16_t>(x >> i)} * static_cast<std::int16_t>(w >> i);
    return sum;
  }
  std::mt19937 rng_{1};
};

TEST_P(ArrayIsaTest, SumsOfProducts) {
  std::size_t count = 0;
  const ArrayIsa* isas = array_isas(&count);
  for (int round = 0; round < 200; ++round) {
    ReduceRow r;
    r.packing = GetParam();
    r.taps = random(1, 3);
    r.steps = random(1, 4);
    r.outputs = 2 * random(1, 20);
    r.lanes_out = r.outputs + 2 * random(0, 3);
    r.columns = random(1, 19);
    r.tap_step = r.steps * random(1, 2);
    r.column_step = r.steps * random(1, 3);
    const std::ptrdiff_t width = r.column_step * r.columns + r.tap_step * r.taps;
    std::vector<std::vector<std::uint32_t>> xs, weights;
    std::vector<ReduceLine> lines;
    for (int i = random(0, 3); i > 0; --i) {
      auto& x = xs.emplace_back(width);
      auto& w = weights.emplace_back(r.taps * r.steps * r.lanes_out);
      for (auto& v : x) v = random(0, 2) == 0 ? ~0u : random_word();
      for (auto& v : w) v = random_weights();
      lines.push_back({x.data(), w.data()});
    }
    r.lines = lines.data();
    r.line_count = lines.size();
    std::vector<std::uint64_t> want(static_cast<std::size_t>(r.columns * r.outputs));
    for (const ReduceLine& line : lines)
      for (std::ptrdiff_t c = 0; c < r.columns; ++c)
        for (std::ptrdiff_t m = 0; m < r.outputs; ++m)
          for (std::ptrdiff_t t = 0; t < r.taps; ++t)
            for (std::ptrdiff_t s = 0; s < r.steps; ++s)
              want[static_cast<std::size_t>(c * r.outputs + m)] += static_cast<std::uint64_t>(
                  dot(line.x[c * r.column_step + t * r.tap_step + s],
                      line.weights[(t * r.steps + s) * r.lanes_out + m]));
    std::vector<std::uint64_t> wide(want.size());
    reduce(r, wide.data());
    ASSERT_EQ(wide, want);
    const std::vector<std::uint32_t> low(want.begin(), want.end());
    for (std::size_t i = 0; i < count; ++i) {
      if (!isas[i].available) continue;
      std::vector<std::uint32_t> have(want.size());
      isas[i].reduce(r, have.data());
      ASSERT_EQ(have, low) << isas[i].name << ", round " << round;
    }
  }
}

TEST_P(ArrayIsaTest, PacksOperands) {
  std::size_t count = 0;
  const ArrayIsa* isas = array_isas(&count);
  const int bits = GetParam() == Packing::kBytes ? 8 : 16;
  for (const int lanes : {4, 8, 16, 32})
    for (const bool is_signed : {false, true}) {
      PackRow r;
      r.lanes = lanes;
      r.columns = 5;
      r.packing = GetParam();
      r.sign_bits = is_signed ? bits - 1 : 32;
      r.offset = is_signed ? 1 << (bits - 1) : -3;
      r.first_slot = 2;
      const std::vector<std::int64_t> slots{4, 0, 1, 3, 2};
      r.slots = slots.data();
      std::vector<std::uint32_t> activations(static_cast<std::size_t>(7 * lanes));
      for (auto& a : activations) a = random_word() & ((1u << (bits - 1)) - 1);
      r.activations = activations.data();
      const int per_word = 32 / bits;
      std::vector<std::uint32_t> want(static_cast<std::size_t>(5 * lanes / per_word));
      for (int x = 0; x < 5; ++x)
        for (int i = 0; i < lanes; ++i) {
          std::int64_t v = activations[static_cast<std::size_t>((2 + slots[x]) * lanes + i)];
          if (is_signed && v >= 1 << (bits - 2)) v -= 1 << (bits - 1);
          const auto low = static_cast<std::uint32_t>(v + r.offset) & ((1u << bits) - 1);
          want[static_cast<std::size_t>((x * lanes + i) / per_word)] |= low
                                                                        << (i % per_word * bits);
        }
      for (std::size_t i = 0; i < count; ++i) {
        if (!isas[i].available) continue;
        std::vector<std::uint32_t> have(want.size());
        isas[i].pack(r, have.data());
        EXPECT_EQ(have, want) << isas[i].name << ", " << lanes << " lanes";
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Packings, ArrayIsaTest,
                         ::testing::Values(Packing::kBytes, Packing::kHalves));

TEST(ArrayIsa, FinishesAsTheOutputStageIsDefined) {
  std::mt19937 rng(1);
  const auto random = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(rng);
  };
  std::size_t count = 0;
  const ArrayIsa* isas = array_isas(&count);
  for (int round = 0; round < 300; ++round) {
    FinishRow f;
    f.columns = random(1, 3);
    f.outputs = 2 * random(1, 20);
    const auto values = static_cast<std::size_t>(f.columns * f.outputs);
    std::vector<std::int32_t> bias, shift;
    for (std::ptrdiff_t m = 0; m < f.outputs; ++m) {
      bias.push_back(random(-1000, 1000));
      shift.push_back(random(0, 32));
    }
    f.bias = bias.data();
    f.shift = shift.data();
    f.acc_bits = random(21, 32);
    f.lo = -random(0, 1 << 17);
    f.hi = random(0, (1 << 17) - 1);
    std::vector<std::uint32_t> residual(values), sums(values);
    for (auto& v : residual) v = static_cast<std::uint32_t>(random(0, 65535));
    for (auto& v : sums) v = static_cast<std::uint32_t>(rng());
    const bool is_signed = random(0, 1) != 0;
    f.residual = random(0, 1) != 0 ? residual.data() : nullptr;
    f.residual_sign_bits = is_signed ? 16 : 32;
    f.lsh_acc = random(0, kMaxFinishShift);
    f.lsh_res = random(0, kMaxFinishShift);
    f.res_shift = random(0, 32);
    f.res_lo = -random(0, 1 << 15);
    f.res_hi = random(0, (1 << 16) - 1);
    f.mask = 0xffff;
    std::vector<std::uint32_t> want(values);
    for (std::size_t i = 0; i < values; ++i) {
      const std::size_t m = i % static_cast<std::size_t>(f.outputs);
      std::int64_t v = std::int64_t{sums[i]} + bias[m];
      v = static_cast<std::int64_t>(static_cast<std::uint64_t>(v) << (64 - f.acc_bits)) >>
          (64 - f.acc_bits);
      v = requantize(v, shift[m], f.lo, f.hi);
      if (f.residual != nullptr) {
        const std::int64_t r = is_signed ? std::int64_t{static_cast<std::int16_t>(residual[i])}
                                         : std::int64_t{residual[i]};
        v = requantize((v << f.lsh_acc) + (r << f.lsh_res), f.res_shift, f.res_lo, f.res_hi);
      }
      want[i] = static_cast<std::uint32_t>(v) & f.mask;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (!isas[i].available) continue;
      std::vector<std::uint32_t> have(values);
      isas[i].finish(f, sums.data(), have.data());
      ASSERT_EQ(have, want) << isas[i].name << ", round " << round;
    }
  }
}

}  // namespace
}  // namespace nbq::hw
