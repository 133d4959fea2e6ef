#pragma once
#include "infer/kernels/kernel_set.h"

// The tile, for a vector type V that an instruction set's file defines. Everything here is in an
// unnamed namespace: each file has its own.
namespace nbq::infer {
namespace {

/// Keeps a value in its register, so that multiples of a stride become addressing modes.
inline void keep(std::ptrdiff_t& v) { asm("" : "+r"(v)); }

/// in + pixel * stride for 24 pixels out of three bases and four strides.
struct PixelPointers {
  const std::uint8_t *a, *b, *c;
  std::ptrdiff_t s1, s3, s5, s7;

  explicit PixelPointers(std::ptrdiff_t stride)
      : a(), b(), c(), s1(stride), s3(3 * stride), s5(5 * stride), s7(7 * stride) {
    keep(s1);
    keep(s3);
    keep(s5);
    keep(s7);
  }
  void at(const std::uint8_t* in) {
    a = in;
    b = in + 8 * s1;
    c = in + 16 * s1;
  }
  void next_step() {
    a += kStepBytes;
    b += kStepBytes;
    c += kStepBytes;
  }
  template <int P>
  const std::uint8_t* pixel() const {
    const std::uint8_t* base = P < 8 ? a : P < 16 ? b : c;
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

/// The sums of P pixels and M vectors of channels, in registers. V has
///   Sum, zero(), dot(sum, activations, weights): what one step adds to; of kNarrow, 16-bit sums
///     that hold kStepsEach x DotTile::widen steps;
///   kAdds, perhaps: DotTile::add is heeded;
///   Wide: 32 bits a channel; widen(sum), add(wide, wide), load(acc), store(acc, wide);
///   kBiased: dot() takes stored activations less 128; add_weights() sums up the weights alone, and
///     bias() of such a sum is what was left out.
template <class V, int M, int P>
struct Sums {
  typename V::Sum sum[P][M];
  typename V::Sum weights[V::kBiased ? M : 1];

  [[gnu::always_inline]] void clear() {
    unroll<0, P>([&]<int p>() { unroll<0, M>([&]<int m>() { sum[p][m] = V::zero(); }); });
    if constexpr (V::kBiased) unroll<0, M>([&]<int m>() { weights[m] = V::zero(); });
  }
  template <int m>
  [[gnu::always_inline]] void count(typename V::Weights w) {
    if constexpr (V::kBiased) weights[m] = V::add_weights(weights[m], w);
  }
  /// Narrow sums are added to what is there; others, too, if `more`.
  [[gnu::always_inline]] void put(std::int32_t* acc, [[maybe_unused]] bool more = false) const {
    unroll<0, M>([&]<int m>() {
      [[maybe_unused]] typename V::Wide bias;
      if constexpr (V::kBiased) bias = V::bias(weights[m]);
      unroll<0, P>([&]<int p>() {
        std::int32_t* to = acc + (p * M + m) * V::kLanes;
        auto wide = V::widen(sum[p][m]);
        if constexpr (V::kBiased) wide = V::add(wide, bias);
        if constexpr (V::kNarrow) {
          wide = V::add(wide, V::load(to));
        } else if constexpr (requires { V::kAdds; }) {
          if (more) wide = V::add(wide, V::load(to));
        }
        V::store(to, wide);
      });
    });
  }
};

/// Steps that narrow sums hold; one always does.
template <class V>
[[gnu::always_inline]] inline int room_of(const DotTile& t) {
  return t.widen > 0 ? V::kStepsEach * t.widen : 1;
}

/// Runs step(), which adds to `sums`, `steps` times; `room`: how many more fit narrow sums.
template <class V, int M, int P, class F>
[[gnu::always_inline]] inline void run_steps(Sums<V, M, P>& sums, const DotTile& t, int& room,
                                             F&& step) {
  if constexpr (!V::kNarrow) {
    for (int s = 0; s < t.steps; ++s) step();
  } else {
    for (int s = 0; s < t.steps;) {
      const int run = room < t.steps - s ? room : t.steps - s;
      for (int i = 0; i < run; ++i) step();
      s += run;
      room -= run;
      if (room != 0) continue;
      sums.put(t.acc);
      sums.clear();
      room = room_of<V>(t);
    }
  }
}

/// Narrow sums begin: how many steps they hold, and zeros to add them to.
template <class V, int M, int P>
[[gnu::always_inline]] inline int begin_sums(Sums<V, M, P>& sums, const DotTile& t) {
  sums.clear();
  if constexpr (V::kNarrow) {
    for (int i = 0; i < P * M * V::kLanes; ++i) t.acc[i] = 0;
    return room_of<V>(t);
  } else {
    return 0;
  }
}

/// One vector of channels, T taps one pixel apart: a pixel is read once for all its taps, or the
/// reading would take longer than the sums.
template <class V, int P, int T>
void shared_tile(const DotTile& t) {
  Sums<V, 1, P> sums;
  sums.clear();
  PixelPointers in(t.in_pixel);
  const std::ptrdiff_t tap = t.steps * t.weight_step;
  for (int r = 0; r < t.rows; ++r) {
    const std::int8_t* w = t.weights + r * T * tap;
    in.at(t.in + r * t.in_row);
    for (int s = 0; s < t.steps; ++s) {
      typename V::Weights weights[T];
      unroll<0, T>([&]<int k>() { weights[k] = V::load_weights(w + k * tap); });
      unroll<0, P + T - 1>([&]<int i>() {
        const auto x = V::broadcast(in.template pixel<i>());
        unroll<0, T>([&]<int k>() {
          constexpr int p = i - k;
          if constexpr (0 <= p && p < P) sums.sum[p][0] = V::dot(sums.sum[p][0], x, weights[k]);
        });
      });
      in.next_step();
      w += t.weight_step;
    }
  }
  sums.put(t.acc, t.add);
}

template <class V, int M, int P>
void dot_tile(const DotTile& t) {
  if constexpr (M == 1 && requires { V::kSharedTaps; })
    if (t.taps == V::kSharedTaps && t.in_tap == t.in_pixel)
      return shared_tile<V, P, V::kSharedTaps>(t);
  Sums<V, M, P> sums;
  [[maybe_unused]] int room = begin_sums(sums, t);
  const std::int8_t* w = t.weights;
  PixelPointers in(t.in_pixel);
  for (int r = 0; r < t.rows; ++r)
    for (int k = 0; k < t.taps; ++k) {
      in.at(t.in + r * t.in_row + k * t.in_tap);
      run_steps(
          sums, t, room, [&]() __attribute__((always_inline)) {
            typename V::Weights weights[M];
            unroll<0, M>([&]<int m>() {
              weights[m] = V::load_weights(w + m * V::kBytes);
              sums.template count<m>(weights[m]);
            });
            unroll<0, P>([&]<int p>() {
              const auto x = V::broadcast(in.template pixel<p>());
              unroll<0, M>(
                  [&]<int m>() { sums.sum[p][m] = V::dot(sums.sum[p][m], x, weights[m]); });
            });
            in.next_step();
            w += t.weight_step;
          });
    }
  sums.put(t.acc, t.add);
}

/// What is used most decides; for KernelSet::step_cost.
inline double longest(double a, double b, double c = 0) {
  const double ab = a < b ? b : a;
  return ab < c ? c : ab;
}

/// Puts the tiles of one block width, 1..Last pixels, in their places.
template <class V, int M, int Last>
void fill_tiles(DotFn (&row)[kMaxTilePixels]) {
  unroll<1, Last + 1>([&]<int p>() { row[p - 1] = dot_tile<V, M, p>; });
}

}  // namespace
}  // namespace nbq::infer
