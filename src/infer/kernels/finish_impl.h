#pragma once
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

template <class I>
typename I::V second_stage(const Finish& f, typename I::V v, const std::uint8_t* residual,
                           int lanes) {
  v = I::shift_left(v, f.own_left);
  if (residual != nullptr) {
    const auto other =
        f.residual_wide ? I::load_words(residual, lanes) : I::load_bytes(residual, lanes);
    v = I::add(v, I::shift_left(I::sub(other, I::set(f.residual_zero)), f.residual_left));
  }
  v = I::shift_right(I::add(v, I::set(f.half2)), f.right2);
  if (f.left2 != 0) v = I::shift_left(clamp<I>(v, -kBeforeLeft, kBeforeLeft), f.left2);
  return clamp<I>(v, f.lo2, f.hi2);
}

template <class I>
void store_logits(const Finish& f, typename I::V v, int pixel, int channel, int lanes) {
  alignas(64) std::int32_t sums[I::kLanes];
  I::store(sums, v);
  for (int i = 0; i < lanes; ++i)
    f.logits[pixel * f.logit_pixel + (channel + i) * f.logit_channel] = sums[i];
}

/// `f` is a copy, since bytes that are stored could be part of one that is elsewhere.
template <class I, bool kSecond, bool kLeft, bool kWide>
void finish_tile(const Finish f, const std::int32_t* acc, int pixels, int vectors) {
  const auto lo = I::set(f.lo), hi = I::set(f.hi), zero = I::set(f.zero);
  for (int m = 0; m < vectors && m * I::kLanes < f.lanes; ++m) {
    const int channel = m * I::kLanes;
    const int lanes = f.lanes - channel < I::kLanes ? f.lanes - channel : I::kLanes;
    const auto bias = I::load(f.bias + channel);
    const auto right = I::load(f.right + channel);
    [[maybe_unused]] const auto left = kLeft ? I::load(f.left + channel) : bias;
    const std::int32_t* sums = acc + channel;
    const std::uint8_t* residual = f.residual;
    if (kSecond && residual != nullptr) residual += channel * (f.residual_wide ? 2 : 1);
    std::uint8_t* out = f.out + channel * (kWide ? 2 : 1);
    for (int p = 0; p < pixels; ++p) {
      auto v = I::shift_right(I::add(I::load(sums), bias), right);
      if constexpr (kLeft) v = I::shift_left(clamp<I>(v, -kBeforeLeft, kBeforeLeft), left);
      v = I::min(I::max(v, lo), hi);
      if constexpr (kSecond) {
        v = second_stage<I>(f, v, residual, lanes);
        if (residual != nullptr) residual += f.residual_pixel;
      }
      v = I::add(v, zero);
      if constexpr (kWide) {
        I::store_words(out, v, lanes);
      } else {
        I::store_bytes(out, v, lanes);
      }
      sums += std::ptrdiff_t{vectors} * I::kLanes;
      out += f.out_pixel;
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
void finish(const Finish& f, const std::int32_t* acc, int pixels, int vectors) {
  using Fn = void (*)(Finish, const std::int32_t*, int, int);
  static constexpr Fn kFns[8] = {
      finish_tile<I, false, false, false>, finish_tile<I, false, false, true>,
      finish_tile<I, false, true, false>,  finish_tile<I, false, true, true>,
      finish_tile<I, true, false, false>,  finish_tile<I, true, false, true>,
      finish_tile<I, true, true, false>,   finish_tile<I, true, true, true>};
  if (f.logits != nullptr) return finish_logits<I>(f, acc, pixels, vectors);
  kFns[(f.second ? 4 : 0) + (f.left != nullptr ? 2 : 0) + (f.out_wide ? 1 : 0)](f, acc, pixels,
                                                                                vectors);
}

}  // namespace
}  // namespace nbq::infer
