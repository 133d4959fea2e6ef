#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "hw/reduce.h"

// The loops of reduce(), compiled once for each instruction set; no other header than these, so
// that no inline function of it is compiled for a processor that another one lacks.
namespace nbq::hw {

void pack_portable(const PackRow& row, std::uint32_t* words);
void pack_avx2(const PackRow& row, std::uint32_t* words);
void pack_avx512(const PackRow& row, std::uint32_t* words);
void reduce_portable(const ReduceRow& row, std::uint32_t* sums);
void reduce_avx2(const ReduceRow& row, std::uint32_t* sums);
void reduce_avx512(const ReduceRow& row, std::uint32_t* sums);
void finish_portable(const FinishRow& row, const std::uint32_t* sums, std::uint32_t* out);
void finish_avx2(const FinishRow& row, const std::uint32_t* sums, std::uint32_t* out);
void finish_avx512(const FinishRow& row, const std::uint32_t* sums, std::uint32_t* out);

namespace {

/// `v` operands or weights of a word, by shifts: what every processor has.
template <class Sum, int N>
struct PortableLanes {
  typedef std::int32_t Words __attribute__((vector_size(N * 4)));
  typedef Sum Sums __attribute__((vector_size(N * sizeof(Sum))));
  typedef std::make_signed_t<Sum> Signed __attribute__((vector_size(N * sizeof(Sum))));

  static Words load(const std::uint32_t* p) {
    Words v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(Sum* p, const Sums& v) { std::memcpy(p, &v, sizeof v); }
  static Sums product(const Words& weights, std::int64_t x) {
    return (Sums) __builtin_convertvector(weights, Signed) * static_cast<Sum>(x);
  }
  template <Packing kPacking>
  static void dot(Sums& sum, const Words& weights, std::uint32_t x) {
    if constexpr (kPacking == Packing::kBytes) {
      for (int i = 0; i < 32; i += 8) sum += product((weights << (24 - i)) >> 24, (x >> i) & 255);
    } else {
      sum += product((weights << 16) >> 16, static_cast<std::int16_t>(x & 0xffff));
      sum += product(weights >> 16, static_cast<std::int16_t>(x >> 16));
    }
  }
};

/// N outputs of X columns.
template <class L, Packing kPacking, int N, int X, class Sum>
inline void reduce_block(const ReduceRow& r, std::ptrdiff_t column, std::ptrdiff_t output,
                         Sum* sums) {
  typename L::Sums sum[X] = {};
  for (std::size_t n = 0; n < r.line_count; ++n) {
    const std::uint32_t* x = r.lines[n].x + column * r.column_step;
    const std::uint32_t* w = r.lines[n].weights + output;
    for (std::ptrdiff_t tap = 0; tap < r.taps; ++tap, x += r.tap_step)
      for (std::ptrdiff_t s = 0; s < r.steps; ++s, w += r.lanes_out) {
        const auto weights = L::load(w);
        for (int i = 0; i < X; ++i)
          L::template dot<kPacking>(sum[i], weights, x[i * r.column_step + s]);
      }
  }
  for (int i = 0; i < X; ++i) L::store(sums + (column + i) * r.outputs + output, sum[i]);
}

template <class L, Packing kPacking, int N, class Sum>
inline void reduce_outputs(const ReduceRow& r, std::ptrdiff_t output, Sum* sums) {
  std::ptrdiff_t column = 0;
  for (; column + 8 <= r.columns; column += 8)
    reduce_block<L, kPacking, N, 8>(r, column, output, sums);
  for (; column < r.columns; ++column) reduce_block<L, kPacking, N, 1>(r, column, output, sums);
}

/// Lanes<N>: vectors of N outputs.
template <template <int> class Lanes, Packing kPacking, class Sum>
inline void reduce_all(const ReduceRow& r, Sum* sums) {
  std::ptrdiff_t output = 0;
  for (; output + 16 <= r.outputs; output += 16)
    reduce_outputs<Lanes<16>, kPacking, 16>(r, output, sums);
  for (; output + 8 <= r.outputs; output += 8)
    reduce_outputs<Lanes<8>, kPacking, 8>(r, output, sums);
  for (; output < r.outputs; output += 2)
    reduce_outputs<PortableLanes<Sum, 2>, kPacking, 2>(r, output, sums);
}

template <template <int> class Lanes, class Sum>
inline void reduce_with(const ReduceRow& r, Sum* sums) {
  if (r.packing == Packing::kBytes)
    reduce_all<Lanes, Packing::kBytes>(r, sums);
  else
    reduce_all<Lanes, Packing::kHalves>(r, sums);
}

/// kLanes: as a constant, or 0: the row's.
template <class Operand, std::ptrdiff_t kLanes>
inline void pack_lanes(const PackRow& r, std::uint32_t* words) {
  const std::ptrdiff_t lanes = kLanes != 0 ? kLanes : r.lanes;
  const int spare = 32 - r.sign_bits;
  const auto offset = static_cast<std::uint32_t>(r.offset);
  auto* to = reinterpret_cast<Operand*>(words);  // low first, as the words are
  for (std::ptrdiff_t x = 0; x < r.columns; ++x, to += lanes) {
    const std::uint32_t* from = r.activations + (r.first_slot + r.slots[x]) * lanes;
    for (std::ptrdiff_t i = 0; i < lanes; ++i) {
      const auto v =
          static_cast<std::uint32_t>(static_cast<std::int32_t>(from[i] << spare) >> spare);
      to[i] = static_cast<Operand>(v + offset);
    }
  }
}

template <class Operand>
inline void pack_operands(const PackRow& r, std::uint32_t* words) {
  if (r.lanes == 8) return pack_lanes<Operand, 8>(r, words);
  if (r.lanes == 16) return pack_lanes<Operand, 16>(r, words);
  pack_lanes<Operand, 0>(r, words);
}

inline void pack_with(const PackRow& r, std::uint32_t* words) {
  if (r.packing == Packing::kBytes)
    pack_operands<std::uint8_t>(r, words);
  else
    pack_operands<std::uint16_t>(r, words);
}

/// (v + 2^(shift-1)) >> shift, without a bit more than v has.
inline std::int32_t shift_round(std::int32_t v, std::int32_t shift) {
  const std::int32_t twice = v >> (shift - (shift > 0));
  return shift > 0 ? (twice >> 1) + (twice & 1) : v;
}

inline std::int32_t between(std::int32_t v, std::int32_t lo, std::int32_t hi) {
  v = v < lo ? lo : v;
  return v > hi ? hi : v;
}

/// Plain loops, for the compiler to vectorise.
inline void finish_with(const FinishRow& f, const std::uint32_t* sums, std::uint32_t* out) {
  const int spare = 32 - f.acc_bits, res_spare = 32 - f.residual_sign_bits;
  const std::uint32_t* residual = f.residual;
  for (std::ptrdiff_t column = 0; column < f.columns; ++column) {
    for (std::ptrdiff_t m = 0; m < f.outputs; ++m) {
      const std::uint32_t sum = sums[m] + static_cast<std::uint32_t>(f.bias[m]);
      const std::int32_t v = static_cast<std::int32_t>(sum << spare) >> spare;
      out[m] = static_cast<std::uint32_t>(between(shift_round(v, f.shift[m]), f.lo, f.hi));
    }
    if (residual != nullptr) {
      for (std::ptrdiff_t m = 0; m < f.outputs; ++m) {
        const std::int32_t r = static_cast<std::int32_t>(residual[m] << res_spare) >> res_spare;
        const std::int32_t sum = static_cast<std::int32_t>(
            (out[m] << f.lsh_acc) + (static_cast<std::uint32_t>(r) << f.lsh_res));
        out[m] =
            static_cast<std::uint32_t>(between(shift_round(sum, f.res_shift), f.res_lo, f.res_hi));
      }
      residual += f.outputs;
    }
    for (std::ptrdiff_t m = 0; m < f.outputs; ++m) out[m] &= f.mask;
    sums += f.outputs;
    out += f.outputs;
  }
}

}  // namespace
}  // namespace nbq::hw
