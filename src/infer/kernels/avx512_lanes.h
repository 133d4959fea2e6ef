#pragma once
#include <immintrin.h>

#include "infer/kernels/decode_impl.h"
#include "infer/kernels/finish_impl.h"
#include "infer/kernels/map_impl.h"
#include "infer/kernels/tile_impl.h"
#include "infer/kernels/winograd_impl.h"

// The vector types of AVX-512 for the templates; unnamed, see tile_impl.h.
namespace nbq::infer {
namespace {

struct Lanes512 {
  using Sum = __m512i;
  using Wide = __m512i;
  using Weights = __m512i;
  static constexpr int kLanes = 16, kBytes = 64;
  static constexpr bool kNarrow = false, kBiased = false;
  static constexpr int kSharedTaps = 3;
  static Sum zero() { return _mm512_setzero_si512(); }
  static Weights load_weights(const std::int8_t* w) { return _mm512_load_si512(w); }
  static __m512i broadcast(const std::uint8_t* x) {
    std::int32_t v;
    __builtin_memcpy(&v, x, 4);
    return _mm512_set1_epi32(v);
  }
  static Wide widen(Sum sum) { return sum; }
  static void store(std::int32_t* to, Wide v) { _mm512_store_si512(to, v); }
};
struct Bytes512 : Lanes512 {
  static Sum dot(Sum sum, __m512i x, __m512i w) { return _mm512_dpbusd_epi32(sum, x, w); }
};
struct Words512 : Lanes512 {
  static constexpr bool kAdds = true;
  static Wide add(Wide a, Wide b) { return _mm512_add_epi32(a, b); }
  static Wide load(const std::int32_t* p) { return _mm512_load_si512(p); }
  static Sum dot(Sum sum, __m512i x, __m512i w) { return _mm512_dpwssd_epi32(sum, x, w); }
};

/// Two sums and two loads a cycle; fewer sums than are in flight wait for each other.
inline double step_cost512(bool /*wide*/, int vectors, int pixels) {
  constexpr double kInFlight = 5;
  return longest(vectors * pixels / 2.0, (vectors + pixels) / 2.0, kInFlight);
}

struct Codes512 {
  using V = __m512i;
  static constexpr int kBytes = 64;
  static V load(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
  static void store(std::int8_t* to, V v) { _mm512_store_si512(to, v); }
  static V bits_and(V v, int mask) {
    return _mm512_and_si512(v, _mm512_set1_epi8(static_cast<char>(mask)));
  }
  // Shifts of 16-bit words: what crosses a byte is masked away afterwards.
  template <int n>
  static V bits_right(V v) {
    return _mm512_srli_epi16(v, n);
  }
  template <int n>
  static V bits_left(V v) {
    return _mm512_slli_epi16(v, n);
  }
  /// Bits of `mask` from a, the others from b.
  template <int mask>
  static V bits_select(V a, V b) {
    return _mm512_ternarylogic_epi32(_mm512_set1_epi8(static_cast<char>(mask)), a, b, 0xca);
  }
  static V table(const std::int8_t* sixteen) {
    return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(sixteen)));
  }
  static V look_up(V levels, V codes) { return _mm512_shuffle_epi8(levels, codes); }
  using WordTable = __m512i;
  static WordTable word_table(const std::int16_t* thirty_two) {
    return _mm512_load_si512(thirty_two);
  }
  static void store_words(std::int8_t* to, WordTable table, V codes) {
    const __m512i low = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(codes));
    const __m512i high = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(codes, 1));
    _mm512_store_si512(to, _mm512_permutexvar_epi16(low, table));
    _mm512_store_si512(to + 64, _mm512_permutexvar_epi16(high, table));
  }
  static void prefetch(const std::uint8_t* p) {
    _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0);
  }
};

struct Int512 {
  using V = __m512i;
  static constexpr int kLanes = 16;
  static __mmask16 first(int lanes) { return static_cast<__mmask16>((1u << lanes) - 1); }
  static V load(const std::int32_t* p) { return _mm512_loadu_si512(p); }
  static void store(std::int32_t* to, V v) { _mm512_store_si512(to, v); }
  static V set(std::int32_t v) { return _mm512_set1_epi32(v); }
  static V add(V a, V b) { return _mm512_add_epi32(a, b); }
  static V bits_and(V a, V b) { return _mm512_and_si512(a, b); }
  static V bits_xor(V a, V b) { return _mm512_xor_si512(a, b); }
  static V sub(V a, V b) { return _mm512_sub_epi32(a, b); }
  static V min(V a, V b) { return _mm512_min_epi32(a, b); }
  static V max(V a, V b) { return _mm512_max_epi32(a, b); }
  static V shift_left(V v, V by) { return _mm512_sllv_epi32(v, by); }
  static V shift_right(V v, V by) { return _mm512_srav_epi32(v, by); }
  template <int n>
  static V left(V v) {
    return _mm512_slli_epi32(v, n);
  }
  template <int n>
  static V right(V v) {
    return _mm512_srai_epi32(v, n);
  }
  static V times(V v, std::int32_t by) { return _mm512_mullo_epi32(v, set(by)); }
  static V shift_left(V v, int by) { return _mm512_sll_epi32(v, _mm_cvtsi32_si128(by)); }
  static V shift_right(V v, int by) { return _mm512_sra_epi32(v, _mm_cvtsi32_si128(by)); }
  // Whole vectors without a mask, whose stores are slow.
  static V load_bytes(const std::uint8_t* p, int lanes) {
    if (lanes == kLanes)
      return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first(lanes), p));
  }
  static V load_words(const std::uint8_t* p, int lanes) {
    return _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(first(lanes), p));
  }
  static void store_bytes(std::uint8_t* to, V v, int lanes) {
    if (lanes == kLanes) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(v));
      return;
    }
    _mm_mask_storeu_epi8(to, first(lanes), _mm512_cvtepi32_epi8(v));
  }
  static void store_words(std::uint8_t* to, V v, int lanes) {
    _mm256_mask_storeu_epi16(to, first(lanes), _mm512_cvtepi32_epi16(v));
  }
};

/// For finish_quads(). Each 128 bits of words and of packed bytes have 4 lanes of every vector.
struct Quad512 {
  using Words = __m512i;
  using Bytes = __m512i;
  static Words words(int v) { return _mm512_set1_epi16(static_cast<short>(v)); }
  static Bytes bytes(int v) { return _mm512_set1_epi8(static_cast<char>(v)); }
  static Words to_words(__m512i a, __m512i b) { return _mm512_packs_epi32(a, b); }
  static Bytes to_bytes(Words ab, Words cd) { return turn(_mm512_packus_epi16(ab, cd)); }
  static void from_bytes(Bytes all, Words& ab, Words& cd) {
    const __m512i mixed = turn(all), zero = _mm512_setzero_si512();
    ab = _mm512_unpacklo_epi8(mixed, zero);
    cd = _mm512_unpackhi_epi8(mixed, zero);
  }
  static Words add(Words a, Words b) { return _mm512_add_epi16(a, b); }
  static Words add_saturating(Words a, Words b) { return _mm512_adds_epi16(a, b); }
  static Words left(Words v, int by) { return _mm512_sllv_epi16(v, words(by)); }
  static Words right(Words v, int by) { return _mm512_srav_epi16(v, words(by)); }
  static Words clamp(Words v, Words lo, Words hi) {
    return _mm512_min_epi16(_mm512_max_epi16(v, lo), hi);
  }
  static Bytes clamp_bytes(Bytes v, Bytes lo, Bytes hi) {
    return _mm512_min_epu8(_mm512_max_epu8(v, lo), hi);
  }

  template <int N>
  static Bytes load(const std::uint8_t* p, std::ptrdiff_t pixel) {
    if (N == 4 || pixel == 16 * N) return _mm512_loadu_si512(p);
    const auto sixteen = [&](int i) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i * pixel));
    };
    const auto half = [&](int i) {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + i * pixel));
    };
    if (N == 2) return _mm512_inserti64x4(_mm512_castsi256_si512(half(0)), half(1), 1);
    const __m512i two = _mm512_inserti32x4(_mm512_castsi128_si512(sixteen(0)), sixteen(1), 1);
    return _mm512_inserti32x4(_mm512_inserti32x4(two, sixteen(2), 2), sixteen(3), 3);
  }
  template <int N>
  static void store(std::uint8_t* to, std::ptrdiff_t pixel, Bytes v) {
    if (N == 4 || pixel == 16 * N) return _mm512_storeu_si512(to, v);
    if (N == 2) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(v));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + pixel), _mm512_extracti64x4_epi64(v, 1));
      return;
    }
    const auto put = [&](int i, __m128i part) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i * pixel), part);
    };
    put(0, _mm512_castsi512_si128(v));
    put(1, _mm512_extracti32x4_epi32(v, 1));
    put(2, _mm512_extracti32x4_epi32(v, 2));
    put(3, _mm512_extracti32x4_epi32(v, 3));
  }

 private:
  /// Rows of four 32-bit pieces to columns: what to_words() and to_bytes() mix, and back.
  static __m512i turn(__m512i v) {
    const __m512i columns = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    return _mm512_permutexvar_epi32(columns, v);
  }
};

struct Word512 {
  using V = __m512i;
  static constexpr int kLanes = 32;
  static V load(const std::int16_t* p) { return _mm512_load_si512(p); }
  static void store(std::int16_t* to, V v) { _mm512_store_si512(to, v); }
  static V load_bytes(const std::uint8_t* p, int lanes) {
    if (lanes == kLanes)
      return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8((1u << lanes) - 1, p));
  }
  static V load_signed(const std::int8_t* p) {
    return _mm512_cvtepi8_epi16(_mm256_load_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static V add(V a, V b) { return _mm512_add_epi16(a, b); }
  static V sub(V a, V b) { return _mm512_sub_epi16(a, b); }
  template <int n>
  static V left(V v) {
    return _mm512_slli_epi16(v, n);
  }
  static V times6(V v) { return _mm512_mullo_epi16(v, _mm512_set1_epi16(6)); }
};

}  // namespace
}  // namespace nbq::infer
