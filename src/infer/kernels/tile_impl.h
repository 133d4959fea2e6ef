#pragma once
#include "infer/kernels/kernel_set.h"

// The tile, for a vector type V that an instruction set's file defines. Everything here is in an
// unnamed namespace: each file has its own.
namespace nbq::infer {
namespace {

/// Keeps a value in its register, so that multiples of a stride become addressing modes.
inline void keep(std::ptrdiff_t& v) { asm("" : "+r"(v)); }

/// in + pixel * stride for 16 pixels out of two bases and four strides.
struct PixelPointers {
  const std::uint8_t *a, *b;
  std::ptrdiff_t s1, s3, s5, s7;

  explicit PixelPointers(std::ptrdiff_t stride)
      : a(), b(), s1(stride), s3(3 * stride), s5(5 * stride), s7(7 * stride) {
    keep(s1);
    keep(s3);
    keep(s5);
    keep(s7);
  }
  void at(const std::uint8_t* in) {
    a = in;
    b = in + 8 * s1;
  }
  template <int P>
  const std::uint8_t* pixel() const {
    const std::uint8_t* base = P < 8 ? a : b;
    constexpr int p = P % 8;
    if constexpr (p == 0) return base;
    if constexpr (p == 1 || p == 2 || p == 4) return base + s1 * p;
    if constexpr (p == 3 || p == 6) return base + s3 * (p / 3);
    if constexpr (p == 5) return base + s5;
    if constexpr (p == 7) return base + s7;
  }
};

template <int First, int Last, class F>
[[gnu::always_inline]] inline void unroll(F&& f) {
  if constexpr (First < Last) {
    f.template operator()<First>();
    unroll<First + 1, Last>(f);
  }
}

/// Accumulators in registers over the whole sum. V::dot(acc, activations, weights).
template <class V, int M, int P>
void dot_tile(const DotTile& t) {
  typename V::Acc acc[P][M];
  unroll<0, P>([&]<int p>() { unroll<0, M>([&]<int m>() { acc[p][m] = V::zero(); }); });
  const std::int8_t* w = t.weights;
  PixelPointers in(t.in_pixel);
  for (int r = 0; r < t.rows; ++r)
    for (int k = 0; k < t.taps; ++k) {
      in.at(t.in + r * t.in_row + k * t.in_tap);
      for (int s = 0; s < t.steps; ++s) {
        typename V::Weights weights[M];
        unroll<0, M>([&]<int m>() { weights[m] = V::load_weights(w + m * V::kBytes); });
        unroll<0, P>([&]<int p>() {
          const auto x = V::broadcast(in.template pixel<p>());
          unroll<0, M>([&]<int m>() { acc[p][m] = V::dot(acc[p][m], x, weights[m]); });
        });
        in.a += kStepBytes;
        in.b += kStepBytes;
        w += t.weight_step;
      }
    }
  unroll<0, P>([&]<int p>() {
    unroll<0, M>([&]<int m>() { V::store(t.acc + (p * M + m) * V::kLanes, acc[p][m]); });
  });
}

/// Puts the tiles of one block width, 1..Last pixels, in their places.
template <class V, int M, int Last>
void fill_tiles(DotFn (&row)[kMaxTilePixels]) {
  unroll<1, Last + 1>([&]<int p>() { row[p - 1] = dot_tile<V, M, p>; });
}

}  // namespace
}  // namespace nbq::infer
