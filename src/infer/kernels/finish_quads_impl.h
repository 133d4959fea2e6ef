#pragma once
#include "infer/kernels/kernel_set.h"

// The output stage of bytes, four vectors of sums at a time: most of its work is then done on words
// and bytes, two and four times as many in a vector. Unnamed, see tile_impl.h.
namespace nbq::infer {
namespace {

/// Whether a second stage's sums are 16-bit words, whatever the pixels.
inline bool second_fits_words(const Finish& f) {
  if (f.left2 != 0 || f.residual_wide || f.own_left > 14 || f.residual_left > 7) return false;
  constexpr std::int64_t kLo = -32768, kHi = 32767;
  if (f.lo < kLo || f.hi > kHi) return false;
  std::int64_t lo = std::int64_t{f.lo} * (1 << f.own_left) + f.half2;
  std::int64_t hi = std::int64_t{f.hi} * (1 << f.own_left) + f.half2;
  if (f.residual != nullptr) {
    lo -= std::int64_t{f.residual_zero} * (1 << f.residual_left);
    hi += std::int64_t{255 - f.residual_zero} * (1 << f.residual_left);
  }
  return lo >= kLo && hi <= kHi;
}

/// The numbers of a Finish in registers. Q has
///   Words, two vectors of I in whatever order to_words(V, V) leaves; Bytes, four of them in order;
///   to_words(V, V), to_bytes(Words, Words), both saturating; from_bytes(Bytes, Words&, Words&);
///   words(n), bytes(n): a number everywhere;
///   add (modulo 2^16), add_saturating, left, right, clamp of words, clamp_bytes;
///   load<N>(p, pixel), store<N>(to, pixel, Bytes): N vectors (1, 2 or 4) of each pixel, pixels so
///     many bytes apart.
/// N: of a pixel's vectors, how many are in four.
template <class I, class Q, int N>
struct Quads {
  typename I::V bias[4], right[4];
  typename Q::Words lo, hi, bias2, zero;
  typename Q::Bytes least, most;
  int own_left, residual_left, right2;

  /// Of the channels from `channel` on.
  Quads(const Finish& f, int channel)
      : lo(Q::words(f.lo)),
        hi(Q::words(f.hi)),
        bias2(Q::words(f.half2 - (f.residual == nullptr ? 0 : f.residual_zero << f.residual_left))),
        zero(Q::words(f.zero)),
        least(Q::bytes((f.second ? f.lo2 : f.lo) + f.zero)),
        most(Q::bytes((f.second ? f.hi2 : f.hi) + f.zero)),
        own_left(f.own_left),
        residual_left(f.residual_left),
        right2(f.right2 < 15 ? f.right2 : 15) {
    for (int i = 0; i < 4; ++i) {
      bias[i] = I::load(f.bias + channel + i % N * I::kLanes);
      right[i] = I::load(f.right + channel + i % N * I::kLanes);
    }
  }

  [[gnu::always_inline]] typename Q::Words first(const std::int32_t* sums, int i) const {
    const auto a = I::shift_right(I::add(I::load(sums + i * I::kLanes), bias[i]), right[i]);
    const auto b =
        I::shift_right(I::add(I::load(sums + (i + 1) * I::kLanes), bias[i + 1]), right[i + 1]);
    return Q::to_words(a, b);
  }
  [[gnu::always_inline]] typename Q::Words second(typename Q::Words v) const {
    return Q::add(Q::left(Q::clamp(v, lo, hi), own_left), bias2);
  }
  template <bool kSecond, bool kResidual>
  [[gnu::always_inline]] typename Q::Bytes operator()(const std::int32_t* sums,
                                                      typename Q::Bytes residual) const {
    auto ab = first(sums, 0), cd = first(sums, 2);
    if constexpr (kSecond) {
      ab = second(ab);
      cd = second(cd);
      if constexpr (kResidual) {
        typename Q::Words other_ab, other_cd;
        Q::from_bytes(residual, other_ab, other_cd);
        ab = Q::add(ab, Q::left(other_ab, residual_left));
        cd = Q::add(cd, Q::left(other_cd, residual_left));
      }
      ab = Q::right(ab, right2);
      cd = Q::right(cd, right2);
    }
    const auto all = Q::to_bytes(Q::add_saturating(ab, zero), Q::add_saturating(cd, zero));
    return Q::clamp_bytes(all, least, most);
  }
};

template <class I, class Q, int N, bool kSecond, bool kResidual>
void quad_tile(const Finish& f, const std::int32_t* acc, int pixels, int vectors) {
  constexpr int kStep = 4 / N;
  for (int v = 0; v < vectors; v += N) {
    const Quads<I, Q, N> quads(f, v * I::kLanes);
    std::uint8_t* out = f.out + v * I::kLanes;
    const std::uint8_t* residual = kResidual ? f.residual + v * I::kLanes : nullptr;
    const std::int32_t* sums = acc + v * I::kLanes;
    for (int p = kStep; p <= pixels; p += kStep) {
      typename Q::Bytes other{};
      if constexpr (kResidual) {
        other = Q::template load<N>(residual, f.residual_pixel);
        residual += kStep * f.residual_pixel;
      }
      Q::template store<N>(out, f.out_pixel,
                           quads.template operator()<kSecond, kResidual>(sums, other));
      out += kStep * f.out_pixel;
      sums += std::ptrdiff_t{kStep} * vectors * I::kLanes;
    }
  }
}

template <class I, class Q, int N>
int quad_tiles(const Finish& f, const std::int32_t* acc, int pixels, int vectors) {
  constexpr int kStep = 4 / N;
  if (!f.second) {
    quad_tile<I, Q, N, false, false>(f, acc, pixels, vectors);
  } else if (!second_fits_words(f)) {
    return 0;
  } else if (f.residual == nullptr) {
    quad_tile<I, Q, N, true, false>(f, acc, pixels, vectors);
  } else {
    quad_tile<I, Q, N, true, true>(f, acc, pixels, vectors);
  }
  return pixels / kStep * kStep;
}

/// As many of the pixels as make whole quads, where the numbers allow it; returns how many.
template <class I, class Q>
int finish_quads(const Finish& f, const std::int32_t* acc, int pixels, int vectors) {
  if (f.left != nullptr || f.out_wide || f.lanes < vectors * I::kLanes) return 0;
  if (vectors == 1) return quad_tiles<I, Q, 1>(f, acc, pixels, vectors);
  if (vectors == 2) return quad_tiles<I, Q, 2>(f, acc, pixels, vectors);
  return vectors % 4 == 0 ? quad_tiles<I, Q, 4>(f, acc, pixels, vectors) : 0;
}

}  // namespace
}  // namespace nbq::infer
