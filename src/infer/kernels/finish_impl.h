#pragma once
#include <type_traits>

#include "infer/kernels/finish_quads_impl.h"
#include "infer/kernels/kernel_set.h"

// The output stage, for a type I of int32 lanes that an instruction set's file defines (tile_impl.h
// says why everything is unnamed).
namespace nbq::infer {
namespace {

/// Bounds that keep a left shift by up to 14 inside 32 bits, beyond every clamp.
inline constexpr std::int32_t kBeforeLeft = 1 << 16;

template <class I>
typename I::V clamp(typename I::V v, std::int32_t lo, std::int32_t hi) {
  return I::min(I::max(v, I::set(lo)), I::set(hi));
}

/// The second stage's numbers in registers: stores of bytes may alias anything in memory.
template <class I>
struct SecondStage {
  typename I::V half, lo, hi, zero;
  int own_left, residual_left, right, left;
  bool wide;

  explicit SecondStage(const Finish& f)
      : half(I::set(f.half2)),
        lo(I::set(f.lo2)),
        hi(I::set(f.hi2)),
        zero(I::set(f.residual_zero)),
        own_left(f.own_left),
        residual_left(f.residual_left),
        right(f.right2),
        left(f.left2),
        wide(f.residual_wide) {}

  /// residual: null, or where the lanes' other operands are.
  typename I::V operator()(typename I::V v, const std::uint8_t* residual, int lanes) const {
    v = I::shift_left(v, own_left);
    if (residual != nullptr) {
      const auto other = wide ? I::load_words(residual, lanes) : I::load_bytes(residual, lanes);
      v = I::add(v, I::shift_left(I::sub(other, zero), residual_left));
    }
    v = I::shift_right(I::add(v, half), right);
    if (left != 0) v = I::shift_left(clamp<I>(v, -kBeforeLeft, kBeforeLeft), left);
    return I::min(I::max(v, lo), hi);
  }
};

template <class I>
void store_logits(const Finish& f, typename I::V v, int pixel, int channel, int lanes) {
  alignas(64) std::int32_t sums[I::kLanes];
  I::store(sums, v);
  for (int i = 0; i < lanes; ++i)
    f.logits[pixel * f.logit_pixel + (channel + i) * f.logit_channel] = sums[i];
}

template <class I, bool kSecond, bool kLeft, bool kWide>
void finish_tile(const Finish& f, const std::int32_t* acc, int pixels, int vectors) {
  const auto lo = I::set(f.lo), hi = I::set(f.hi), zero = I::set(f.zero);
  const SecondStage<I> second(f);
  const std::ptrdiff_t out_pixel = f.out_pixel, residual_pixel = f.residual_pixel;
  const int all = f.lanes;
  for (int channel = 0; channel < vectors * I::kLanes && channel < all; channel += I::kLanes) {
    const int lanes = all - channel < I::kLanes ? all - channel : I::kLanes;
    const auto bias = I::load(f.bias + channel);
    const auto right = I::load(f.right + channel);
    const std::uint8_t* residual =
        f.residual == nullptr ? nullptr : f.residual + channel * (second.wide ? 2 : 1);
    std::uint8_t* out = f.out + channel * (kWide ? 2 : 1);
    const std::int32_t* sums = acc + channel;
    for (int p = 0; p < pixels; ++p) {
      auto v = I::shift_right(I::add(I::load(sums), bias), right);
      if constexpr (kLeft)
        v = I::shift_left(clamp<I>(v, -kBeforeLeft, kBeforeLeft), I::load(f.left + channel));
      v = I::min(I::max(v, lo), hi);
      if constexpr (kSecond) {
        v = second(v, residual, lanes);
        residual += residual == nullptr ? 0 : residual_pixel;
      }
      v = I::add(v, zero);
      if constexpr (kWide) {
        I::store_words(out, v, lanes);
      } else {
        I::store_bytes(out, v, lanes);
      }
      out += out_pixel;
      sums += vectors * I::kLanes;
    }
  }
}

template <class I>
void finish_logits(const Finish& f, const std::int32_t* acc, int pixels, int vectors) {
  for (int m = 0; m < vectors && m * I::kLanes < f.lanes; ++m) {
    const int channel = m * I::kLanes;
    const int lanes = f.lanes - channel < I::kLanes ? f.lanes - channel : I::kLanes;
    for (int p = 0; p < pixels; ++p)
      store_logits<I>(f,
                      I::add(I::load(acc + (std::ptrdiff_t{p} * vectors + m) * I::kLanes),
                             I::load(f.bias + channel)),
                      p, channel, lanes);
  }
}

template <class I>
void finish_vectors(const Finish& f, const std::int32_t* acc, int pixels, int vectors) {
  using Fn = void (*)(const Finish&, const std::int32_t*, int, int);
  static constexpr Fn kFns[8] = {
      finish_tile<I, false, false, false>, finish_tile<I, false, false, true>,
      finish_tile<I, false, true, false>,  finish_tile<I, false, true, true>,
      finish_tile<I, true, false, false>,  finish_tile<I, true, false, true>,
      finish_tile<I, true, true, false>,   finish_tile<I, true, true, true>};
  kFns[(f.second ? 4 : 0) + (f.left != nullptr ? 2 : 0) + (f.out_wide ? 1 : 0)](f, acc, pixels,
                                                                                vectors);
}

/// What finish_quads() left over, from pixel `done` on.
template <class I>
[[gnu::noinline]] void finish_rest(const Finish& all, const std::int32_t* acc, int done, int pixels,
                                   int vectors) {
  Finish f = all;
  f.out += done * f.out_pixel;
  if (f.residual != nullptr) f.residual += done * f.residual_pixel;
  finish_vectors<I>(f, acc + std::ptrdiff_t{done} * vectors * I::kLanes, pixels - done, vectors);
}

/// Q: what finish_quads() takes, or void.
template <class I, class Q = void>
void finish(const Finish& f, const std::int32_t* acc, int pixels, int vectors) {
  if (f.logits != nullptr) return finish_logits<I>(f, acc, pixels, vectors);
  if constexpr (std::is_void_v<Q>) {
    finish_vectors<I>(f, acc, pixels, vectors);
  } else {
    const int done = finish_quads<I, Q>(f, acc, pixels, vectors);
    if (done == 0) return finish_vectors<I>(f, acc, pixels, vectors);
    // Not here: a copy of what has just been written waits for it.
    if (done < pixels) finish_rest<I>(f, acc, done, pixels, vectors);
  }
}

}  // namespace
}  // namespace nbq::infer
