#pragma once
#include "infer/kernels/winograd.h"

// Winograd's transforms, for a type W of int16 lanes and a type I of int32 lanes that an
// instruction set's file defines (tile_impl.h says why everything is unnamed). winograd.h has the
// arithmetic.
namespace nbq::infer {
namespace {

// In these functions, fields that are wanted in a loop go into registers first: stores of vectors
// may alias anything in memory.

/// One axis: inputs to points, of kOut outputs.
template <class W, int kOut>
[[gnu::always_inline]] inline void input_points(const typename W::V (&d)[kWinogradPoints],
                                                typename W::V (&at)[kWinogradPoints]) {
  const auto e = W::sub(d[3], d[1]);
  if constexpr (kOut == 4) {
    const auto near = W::sub(d[4], W::template left<2>(d[2]));
    const auto odd = W::sub(d[3], W::template left<2>(d[1]));
    const auto far = W::sub(d[4], d[2]), twice = W::template left<1>(e);
    at[0] = W::add(W::template left<2>(W::sub(d[0], d[2])), far);
    at[1] = W::add(near, odd);
    at[2] = W::sub(near, odd);
    at[3] = W::add(far, twice);
    at[4] = W::sub(W::sub(d[5], d[3]), W::template left<1>(twice));
    at[5] = W::sub(far, twice);
  } else {
    const auto f = W::sub(d[1], d[2]);
    at[0] = W::add(W::template left<1>(W::sub(d[0], d[2])), e);
    at[1] = W::sub(W::sub(e, d[1]), d[2]);
    at[2] = W::add(W::add(e, f), W::template left<1>(f));
    at[3] = e;
    at[4] = W::sub(W::sub(d[4], d[2]), W::template left<1>(e));
  }
}

template <class W, int kRows, int kColumns>
void winograd_input_tile(const WinogradInput& t) {
  using V = typename W::V;
  constexpr int kHigh = winograd_points(kRows), kWide = winograd_points(kColumns);
  const std::ptrdiff_t point = t.point;
  const int channels = t.channels;
  for (int c = 0; c < channels; c += W::kLanes) {
    const int lanes = channels - c < W::kLanes ? channels - c : W::kLanes;
    V mid[kHigh][kWinogradPoints];
    unroll<0, kWide>([&]<int x>() {
      const std::ptrdiff_t at_x = t.column[x] + c;
      V d[kWinogradPoints], at[kWinogradPoints];
      unroll<0, kHigh>([&]<int y>() { d[y] = W::load_bytes(t.row[y] + at_x, lanes); });
      input_points<W, kRows>(d, at);
      unroll<0, kHigh>([&]<int y>() { mid[y][x] = at[y]; });
    });
    std::int16_t* out = t.out + c;
    unroll<0, kHigh>([&]<int y>() {
      V at[kWinogradPoints];
      input_points<W, kColumns>(mid[y], at);
      std::int16_t* to = out;
      unroll<0, kWide>([&]<int x>() {
        W::store(to, at[x]);
        to += point;
      });
      out += kWinogradPoints * point;
    });
  }
}

template <class W>
void winograd_input(const WinogradInput& t) {
  if (t.rows == 4)
    return t.columns == 4 ? winograd_input_tile<W, 4, 4>(t) : winograd_input_tile<W, 4, 3>(t);
  t.columns == 4 ? winograd_input_tile<W, 3, 4>(t) : winograd_input_tile<W, 3, 3>(t);
}

/// A polynomial of three taps at a pair of points.
template <class W, int kPair>
[[gnu::always_inline]] inline void store_pair(typename W::V a, typename W::V b, typename W::V c,
                                              std::int16_t* first, std::int16_t* second) {
  if constexpr (kPair == 0) {
    W::store(first, W::times6(a));
    W::store(second, W::times6(c));
  } else {
    const auto even = W::add(a, kPair == 1 ? c : W::template left<2>(c));
    const auto odd = kPair == 1 ? b : W::template left<1>(b);
    W::store(first, W::add(even, odd));
    W::store(second, W::sub(even, odd));
  }
}

template <class W, int kPair>
void winograd_rows_pair(const WinogradRows& w) {
  const std::ptrdiff_t words = w.words, tap = w.tap;
  for (int x = 0; x < kWinogradTaps; ++x) {
    const std::int8_t *top = w.taps + x * tap, *middle = top + 3 * tap, *bottom = middle + 3 * tap;
    std::int16_t *first = w.out + x * words, *second = first + kWinogradTaps * words;
    for (std::ptrdiff_t i = 0; i < words; i += W::kLanes)
      store_pair<W, kPair>(W::load_signed(top + i), W::load_signed(middle + i),
                           W::load_signed(bottom + i), first + i, second + i);
  }
}

template <class W>
void winograd_rows(const WinogradRows& w) {
  using Fn = void (*)(const WinogradRows&);
  static constexpr Fn kFns[] = {winograd_rows_pair<W, 0>, winograd_rows_pair<W, 1>,
                                winograd_rows_pair<W, 2>};
  kFns[w.pair](w);
}

template <class W, int kPair>
void winograd_columns_pair(const WinogradColumns& w) {
  const std::ptrdiff_t words = w.words;
  const std::int16_t *left = w.rows, *middle = left + words, *right = middle + words;
  std::int16_t *first = w.out, *second = first + words;
  for (std::ptrdiff_t i = 0; i < words; i += W::kLanes)
    store_pair<W, kPair>(W::load(left + i), W::load(middle + i), W::load(right + i), first + i,
                         second + i);
}

template <class W>
void winograd_columns(const WinogradColumns& w) {
  using Fn = void (*)(const WinogradColumns&);
  static constexpr Fn kFns[] = {winograd_columns_pair<W, 0>, winograd_columns_pair<W, 1>,
                                winograd_columns_pair<W, 2>};
  kFns[w.pair](w);
}

/// Output k of an axis comes out times 3 * 2^this.
template <int kOut>
constexpr int output_shift(int k) {
  constexpr int kOf4[] = {3, 2, 1, 1}, kOf3[] = {2, 1, 1};
  return kOut == 4 ? kOf4[k] : kOf3[k];
}

/// One axis: products at points to outputs.
template <class I, int kOut>
[[gnu::always_inline]] inline void outputs_of(const typename I::V (&m)[kWinogradPoints],
                                              typename I::V (&y)[4]) {
  if constexpr (kOut == 4) {
    const auto a = I::add(m[1], m[2]), b = I::sub(m[1], m[2]);
    const auto c = I::add(m[3], m[5]), d = I::sub(m[3], m[5]);
    y[0] = I::add(I::sub(m[0], I::template left<2>(a)), c);
    y[1] = I::sub(d, I::template left<1>(b));
    y[2] = I::sub(c, a);
    y[3] = I::sub(I::add(m[4], I::template left<1>(d)), b);
  } else {
    const auto three = I::add(m[1], I::template left<1>(m[1])), two = I::template left<1>(m[3]);
    const auto a = I::add(three, m[2]);  // 3 m(1) + m(-1)
    y[0] = I::sub(I::add(m[0], two), I::template left<1>(a));
    y[1] = I::add(I::sub(m[2], three), two);
    y[2] = I::add(I::sub(I::template left<1>(two), a), m[4]);
  }
}

template <class I, int kRows, int kColumns>
void winograd_output_tile(const WinogradOutput& t) {
  using V = typename I::V;
  constexpr std::int32_t kInverseOf9 = 0x38e38e39;
  const std::ptrdiff_t point = t.point, acc_row = t.acc_row, acc_column = t.acc_column;
  for (int lane = 0; lane < t.vectors * I::kLanes; lane += I::kLanes) {
    V mid[kRows][kWinogradPoints];
    unroll<0, winograd_points(kColumns)>([&]<int x>() {
      V m[kWinogradPoints], y[4];
      const std::int32_t* from = t.sums + x * point + lane;
      unroll<0, winograd_points(kRows)>([&]<int i>() {
        m[i] = I::load(from);
        from += kWinogradPoints * point;
      });
      outputs_of<I, kRows>(m, y);
      unroll<0, kRows>([&]<int i>() { mid[i][x] = y[i]; });
    });
    std::int32_t* acc = t.acc + lane;
    unroll<0, kRows>([&]<int i>() {
      V y[4];
      outputs_of<I, kColumns>(mid[i], y);
      std::int32_t* to = acc;
      unroll<0, kColumns>([&]<int x>() {
        constexpr int kShift = output_shift<kRows>(i) + output_shift<kColumns>(x);
        I::store(to, I::template right<kShift>(I::times(y[x], kInverseOf9)));
        to += acc_column;
      });
      acc += acc_row;
    });
  }
}

template <class I>
void winograd_output(const WinogradOutput& t) {
  if (t.rows == 4)
    return t.columns == 4 ? winograd_output_tile<I, 4, 4>(t) : winograd_output_tile<I, 4, 3>(t);
  t.columns == 4 ? winograd_output_tile<I, 3, 4>(t) : winograd_output_tile<I, 3, 3>(t);
}

template <class W, class I>
WinogradKernels winograd_kernels(const WinogradCosts& costs) {
  return {winograd_input<W>,  winograd_rows<W>, winograd_columns<W>,
          winograd_output<I>, W::kLanes,        costs};
}

}  // namespace
}  // namespace nbq::infer
