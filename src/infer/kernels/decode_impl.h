#pragma once
#include "infer/kernels/tile_impl.h"

// Packed codes to weights, for a type C of byte vectors that an instruction set's file defines
// (tile_impl.h says why everything is unnamed). pack_weights.h has the layout.
namespace nbq::infer {
namespace {

/// Weights of the n-bit codes 0..2^n - 1 (core/po2_code.h; a minus zero does not occur).
template <class T, int kBits, int kEntries>
struct Levels {
  alignas(64) T value[kEntries];
  constexpr Levels() : value() {
    for (int raw = 0; raw < kEntries; ++raw) {
      const int code = raw & ((1 << kBits) - 1);
      const int k = kBits == 1 ? 1 : code & ((1 << (kBits - 1)) - 1);
      const int level = k == 0 ? 0 : 1 << (k - 1);
      value[raw] = static_cast<T>((code >> (kBits - 1)) != 0 ? -level : level);
    }
  }
};

/// Code vector j of a group whose packed vectors are p: each byte lane holds 8 codes one after
/// another.
template <class C, int kBits, int j>
[[gnu::always_inline]] inline typename C::V code_vector(const typename C::V (&p)[kBits]) {
  constexpr int bit = j * kBits, b = bit / 8, o = bit % 8;
  constexpr int mask = (1 << kBits) - 1;
  if constexpr (o == 0) {
    return C::bits_and(p[b], mask);
  } else if constexpr (o + kBits <= 8) {
    return C::bits_and(C::template bits_right<o>(p[b]), mask);
  } else {
    return C::bits_and(C::template bits_select<(1 << (8 - o)) - 1>(
                           C::template bits_right<o>(p[b]), C::template bits_left<8 - o>(p[b + 1])),
                       mask);
  }
}

template <class C, int kBits, class F>
[[gnu::always_inline]] inline void each_code_vector(const std::uint8_t* packed, F&& f) {
  typename C::V p[kBits];
  for (int b = 0; b < kBits; ++b) p[b] = C::load(packed + b * C::kBytes);
  f.template operator()<0>(code_vector<C, kBits, 0>(p));
  f.template operator()<1>(code_vector<C, kBits, 1>(p));
  f.template operator()<2>(code_vector<C, kBits, 2>(p));
  f.template operator()<3>(code_vector<C, kBits, 3>(p));
  f.template operator()<4>(code_vector<C, kBits, 4>(p));
  f.template operator()<5>(code_vector<C, kBits, 5>(p));
  f.template operator()<6>(code_vector<C, kBits, 6>(p));
  f.template operator()<7>(code_vector<C, kBits, 7>(p));
}

template <class C, int kBits>
void decode_bytes(const std::uint8_t* packed, std::size_t groups, std::int8_t* out) {
  static constexpr Levels<std::int8_t, kBits, 16> kLevels;
  const auto levels = C::table(kLevels.value);
  for (; groups != 0; --groups, packed += kBits * C::kBytes, out += kGroupVectors * C::kBytes)
    each_code_vector<C, kBits>(packed, [&]<int j>(typename C::V codes) {
      C::store(out + j * C::kBytes, C::look_up(levels, codes));
    });
}

template <class C, int kBits>
void decode_words(const std::uint8_t* packed, std::size_t groups, std::int8_t* out) {
  static constexpr Levels<std::int16_t, kBits, 32> kLevels;
  const auto levels = C::word_table(kLevels.value);
  for (; groups != 0; --groups, packed += kBits * C::kBytes, out += 2 * kGroupVectors * C::kBytes)
    each_code_vector<C, kBits>(packed, [&]<int j>(typename C::V codes) {
      C::store_words(out + 2 * j * C::kBytes, levels, codes);
    });
}

template <class C>
void decode8(int bits, const std::uint8_t* packed, std::size_t groups, std::int8_t* out) {
  using Fn = void (*)(const std::uint8_t*, std::size_t, std::int8_t*);
  static constexpr Fn kFns[] = {decode_bytes<C, 1>, decode_bytes<C, 2>, decode_bytes<C, 3>,
                                decode_bytes<C, 4>};
  kFns[bits - 1](packed, groups, out);
}

template <class C>
void decode16(int bits, const std::uint8_t* packed, std::size_t groups, std::int8_t* out) {
  using Fn = void (*)(const std::uint8_t*, std::size_t, std::int8_t*);
  static constexpr Fn kFns[] = {decode_words<C, 1>, decode_words<C, 2>, decode_words<C, 3>,
                                decode_words<C, 4>, decode_words<C, 5>};
  kFns[bits - 1](packed, groups, out);
}

/// KernelSet::packed_dot8: 8 sums, one group of weights a step. V as in tile_impl.h, of bytes.
template <class C, class V, int kBits>
void packed_dot(const DotTile& t) {
  static constexpr Levels<std::int8_t, kBits, 16> kLevels;
  const auto levels = C::table(kLevels.value);
  Sums<V, kGroupVectors, 1> sums;
  [[maybe_unused]] int room = begin_sums(sums, t);
  const auto* packed = reinterpret_cast<const std::uint8_t*>(t.weights);
  const std::uint8_t* in = t.in;
  run_steps(
      sums, t, room, [&]() __attribute__((always_inline)) {
        const auto x = V::broadcast(in);
        // A page and more ahead, where the processor's own prefetcher stops at the page's end.
        for (int b = 0; b < kBits; ++b) C::prefetch(packed + (kBits * 16 + b) * C::kBytes);
        each_code_vector<C, kBits>(packed, [&]<int j>(typename C::V codes) {
          const auto weights = C::look_up(levels, codes);
          sums.template count<j>(weights);
          sums.sum[0][j] = V::dot(sums.sum[0][j], x, weights);
        });
        in += kStepBytes;
        packed += kBits * C::kBytes;
      });
  sums.put(t.acc);
}

/// V4: as V, for 4-bit codes, whose products fill 16 bits.
template <class C, class V, class V4 = V>
void packed_dot8(int bits, const DotTile& t) {
  static constexpr DotFn kFns[] = {packed_dot<C, V, 1>, packed_dot<C, V, 2>, packed_dot<C, V, 3>,
                                   packed_dot<C, V4, 4>};
  kFns[bits - 1](t);
}

}  // namespace
}  // namespace nbq::infer
