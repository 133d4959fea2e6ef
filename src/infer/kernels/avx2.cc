#include <immintrin.h>

#include "infer/kernels/decode_impl.h"
#include "infer/kernels/finish_impl.h"
#include "infer/kernels/kernels.h"
#include "infer/kernels/map_impl.h"
#include "infer/kernels/tile_impl.h"
#include "infer/kernels/winograd_impl.h"

namespace nbq::infer {
namespace {

struct Lanes256 {
  using Sum = __m256i;
  using Wide = __m256i;
  using Weights = __m256i;
  static constexpr int kLanes = 8, kBytes = 32;
  static constexpr bool kNarrow = false, kBiased = false;
  static Sum zero() { return _mm256_setzero_si256(); }
  static Weights load_weights(const std::int8_t* w) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(w));
  }
  static __m256i broadcast(const std::uint8_t* x) {
    std::int32_t v;
    __builtin_memcpy(&v, x, 4);
    return _mm256_set1_epi32(v);
  }
  /// Neighbouring 16-bit sums, together in 32 bits.
  static Wide pairs(__m256i narrow) { return _mm256_madd_epi16(narrow, _mm256_set1_epi16(1)); }
  static Wide widen(Sum sum) { return sum; }
  static Wide add(Wide a, Wide b) { return _mm256_add_epi32(a, b); }
  static Wide load(const std::int32_t* p) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
  }
  static void store(std::int32_t* to, Wide v) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(to), v);
  }
};
/// Small weights: two instructions for 32 products, as long as the sums fit 16 bits.
struct NarrowBytes256 : Lanes256 {
  static constexpr bool kNarrow = true;
  static constexpr int kStepsEach = 1;
  static Sum dot(Sum sum, __m256i x, __m256i w) {
    return _mm256_add_epi16(sum, _mm256_maddubs_epi16(x, w));
  }
  static Wide widen(Sum sum) { return pairs(sum); }
};
struct Bytes256 : Lanes256 {
  static Sum dot(Sum sum, __m256i x, __m256i w) {
    return add(sum, pairs(_mm256_maddubs_epi16(x, w)));
  }
};
struct Words256 : Lanes256 {
  static constexpr bool kAdds = true;
  static Sum dot(Sum sum, __m256i x, __m256i w) { return add(sum, _mm256_madd_epi16(x, w)); }
};

/// Widening costs three instructions a sum: too often, and it is better done at once.
template <int M, int P>
void byte_tile(const DotTile& t) {
  constexpr int kWorthIt = 3;
  t.widen < kWorthIt ? dot_tile<Bytes256, M, P>(t) : dot_tile<NarrowBytes256, M, P>(t);
}

template <int M, int Last>
void fill_byte_tiles(DotFn (&row)[kMaxTilePixels]) {
  unroll<1, Last + 1>([&]<int p>() { row[p - 1] = byte_tile<M, p>; });
}

struct Codes256 {
  using V = __m256i;
  static constexpr int kBytes = 32;
  static V load(const std::uint8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static void store(std::int8_t* to, V v) { _mm256_store_si256(reinterpret_cast<__m256i*>(to), v); }
  static V bytes(int v) { return _mm256_set1_epi8(static_cast<char>(v)); }
  static V bits_and(V v, int mask) { return _mm256_and_si256(v, bytes(mask)); }
  // Shifts of 16-bit words: what crosses a byte is masked away afterwards.
  template <int n>
  static V bits_right(V v) {
    return _mm256_srli_epi16(v, n);
  }
  template <int n>
  static V bits_left(V v) {
    return _mm256_slli_epi16(v, n);
  }
  template <int mask>
  static V bits_select(V a, V b) {
    return _mm256_or_si256(_mm256_and_si256(bytes(mask), a), _mm256_andnot_si256(bytes(mask), b));
  }
  static V table(const std::int8_t* sixteen) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(sixteen)));
  }
  static V look_up(V levels, V codes) { return _mm256_shuffle_epi8(levels, codes); }

  /// The low and the high bytes of 32 words, each as two tables of 16.
  struct WordTable {
    V low[2], high[2];
  };
  static WordTable word_table(const std::int16_t* thirty_two) {
    alignas(16) std::int8_t low[32], high[32];
    for (int i = 0; i < 32; ++i) {
      low[i] = static_cast<std::int8_t>(thirty_two[i] & 0xff);
      high[i] = static_cast<std::int8_t>(thirty_two[i] >> 8);
    }
    return {{table(low), table(low + 16)}, {table(high), table(high + 16)}};
  }
  static V look_up(const V (&tables)[2], V codes) {
    const V bit4 = _mm256_slli_epi16(codes, 3);  // to where blendv looks
    return _mm256_blendv_epi8(look_up(tables[0], codes), look_up(tables[1], codes), bit4);
  }
  static void store_words(std::int8_t* to, const WordTable& table, V codes) {
    const V low = look_up(table.low, codes), high = look_up(table.high, codes);
    const V first = _mm256_unpacklo_epi8(low, high), second = _mm256_unpackhi_epi8(low, high);
    store(to, _mm256_permute2x128_si256(first, second, 0x20));
    store(to + kBytes, _mm256_permute2x128_si256(first, second, 0x31));
  }
  static void prefetch(const std::uint8_t* p) {
    _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0);
  }
};

struct Int256 {
  using V = __m256i;
  static constexpr int kLanes = 8;
  static V load(const std::int32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static void store(std::int32_t* to, V v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v);
  }
  static V set(std::int32_t v) { return _mm256_set1_epi32(v); }
  static V add(V a, V b) { return _mm256_add_epi32(a, b); }
  static V sub(V a, V b) { return _mm256_sub_epi32(a, b); }
  static V bits_and(V a, V b) { return _mm256_and_si256(a, b); }
  static V bits_xor(V a, V b) { return _mm256_xor_si256(a, b); }
  static V min(V a, V b) { return _mm256_min_epi32(a, b); }
  static V max(V a, V b) { return _mm256_max_epi32(a, b); }
  static V shift_left(V v, V by) { return _mm256_sllv_epi32(v, by); }
  static V shift_right(V v, V by) { return _mm256_srav_epi32(v, by); }
  template <int n>
  static V left(V v) {
    return _mm256_slli_epi32(v, n);
  }
  template <int n>
  static V right(V v) {
    return _mm256_srai_epi32(v, n);
  }
  static V times(V v, std::int32_t by) { return _mm256_mullo_epi32(v, set(by)); }
  static V shift_left(V v, int by) { return _mm256_sll_epi32(v, _mm_cvtsi32_si128(by)); }
  static V shift_right(V v, int by) { return _mm256_sra_epi32(v, _mm_cvtsi32_si128(by)); }

  // No byte beyond the last lane is touched: it may be another thread's, or not there.
  static V load_bytes(const std::uint8_t* p, int lanes) {
    std::uint8_t part[kLanes];
    if (lanes < kLanes) p = copy_part(part, p, lanes);
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  static V load_words(const std::uint8_t* p, int lanes) {
    std::uint8_t part[2 * kLanes];
    if (lanes < kLanes) p = copy_part(part, p, 2 * lanes);
    return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static void store_bytes(std::uint8_t* to, V v, int lanes) {
    const __m256i first = _mm256_set1_epi32(0x0c080400);
    const __m256i four = _mm256_shuffle_epi8(v, first);
    const __m128i all =
        _mm_unpacklo_epi32(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
    if (lanes == kLanes) return _mm_storel_epi64(reinterpret_cast<__m128i*>(to), all);
    store_part(to, all, lanes);
  }
  static void store_words(std::uint8_t* to, V v, int lanes) {
    const __m256i first = _mm256_set1_epi64x(0x0d0c090805040100);
    const __m256i four = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(v, first), 0x08);
    const __m128i all = _mm256_castsi256_si128(four);
    if (lanes == kLanes) return _mm_storeu_si128(reinterpret_cast<__m128i*>(to), all);
    store_part(to, all, 2 * lanes);
  }
  static const std::uint8_t* copy_part(std::uint8_t* to, const std::uint8_t* from, int bytes) {
    for (int i = 0; i < bytes; ++i) to[i] = from[i];
    return to;
  }

 private:
  static void store_part(std::uint8_t* to, __m128i v, int bytes) {
    std::uint8_t all[16];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(all), v);
    copy_part(to, all, bytes);
  }
};

/// For finish_quads(). Each half of words and of packed bytes has 4 lanes of every vector.
struct Quad256 {
  using Words = __m256i;
  using Bytes = __m256i;
  static Words words(int v) { return _mm256_set1_epi16(static_cast<short>(v)); }
  static Bytes bytes(int v) { return _mm256_set1_epi8(static_cast<char>(v)); }
  static Words to_words(__m256i a, __m256i b) { return _mm256_packs_epi32(a, b); }
  static Bytes to_bytes(Words ab, Words cd) {
    return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd),
                                       _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
  static void from_bytes(Bytes all, Words& ab, Words& cd) {
    const __m256i mixed =
        _mm256_permutevar8x32_epi32(all, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
    ab = _mm256_unpacklo_epi8(mixed, _mm256_setzero_si256());
    cd = _mm256_unpackhi_epi8(mixed, _mm256_setzero_si256());
  }
  static Words add(Words a, Words b) { return _mm256_add_epi16(a, b); }
  static Words add_saturating(Words a, Words b) { return _mm256_adds_epi16(a, b); }
  static Words left(Words v, int by) { return _mm256_sll_epi16(v, _mm_cvtsi32_si128(by)); }
  static Words right(Words v, int by) { return _mm256_sra_epi16(v, _mm_cvtsi32_si128(by)); }
  static Words clamp(Words v, Words lo, Words hi) {
    return _mm256_min_epi16(_mm256_max_epi16(v, lo), hi);
  }
  static Bytes clamp_bytes(Bytes v, Bytes lo, Bytes hi) {
    return _mm256_min_epu8(_mm256_max_epu8(v, lo), hi);
  }

  template <int N>
  static Bytes load(const std::uint8_t* p, std::ptrdiff_t pixel) {
    if (N == 4 || pixel == 8 * N) return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const auto half = [&](int i) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i * pixel));
    };
    const auto eight = [&](int i) {
      long long part;
      __builtin_memcpy(&part, p + i * pixel, sizeof part);
      return part;
    };
    if (N == 2) return _mm256_set_m128i(half(1), half(0));
    return _mm256_setr_epi64x(eight(0), eight(1), eight(2), eight(3));
  }
  template <int N>
  static void store(std::uint8_t* to, std::ptrdiff_t pixel, Bytes v) {
    if (N == 4 || pixel == 8 * N) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v);
    const __m128i low = _mm256_castsi256_si128(v), high = _mm256_extracti128_si256(v, 1);
    if (N == 2) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), low);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + pixel), high);
      return;
    }
    const auto put = [&](int i, long long part) {
      __builtin_memcpy(to + i * pixel, &part, sizeof part);
    };
    put(0, _mm_cvtsi128_si64(low));
    put(1, _mm_extract_epi64(low, 1));
    put(2, _mm_cvtsi128_si64(high));
    put(3, _mm_extract_epi64(high, 1));
  }
};

struct Word256 {
  using V = __m256i;
  static constexpr int kLanes = 16;
  static V load(const std::int16_t* p) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
  }
  static void store(std::int16_t* to, V v) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(to), v);
  }
  static V load_bytes(const std::uint8_t* p, int lanes) {
    std::uint8_t part[kLanes] = {};
    if (lanes < kLanes) p = Int256::copy_part(part, p, lanes);
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static V load_signed(const std::int8_t* p) {
    return _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static V add(V a, V b) { return _mm256_add_epi16(a, b); }
  static V sub(V a, V b) { return _mm256_sub_epi16(a, b); }
  template <int n>
  static V left(V v) {
    return _mm256_slli_epi16(v, n);
  }
  static V times6(V v) { return _mm256_mullo_epi16(v, _mm256_set1_epi16(6)); }
};

/// Three vector instructions a cycle, two for each sum; two loads a cycle; four of all kinds.
double step_cost(bool /*wide*/, int vectors, int pixels) {
  const double sums = vectors * pixels, loads = vectors + pixels;
  return longest(sums * 2 / 3, loads / 2, (2 * sums + loads) / 4);
}

}  // namespace

// 16 registers: a tile's sums, and two or three more for weights, activations and products.
void kernels_avx2(KernelSet& s) {
  s.lanes = Lanes256::kLanes;
  s.step_cost = step_cost;
  fill_byte_tiles<1, 13>(s.dot8[0]);
  fill_byte_tiles<2, 6>(s.dot8[1]);
  fill_byte_tiles<4, 3>(s.dot8[2]);
  fill_tiles<Words256, 1, 13>(s.dot16[0]);
  fill_tiles<Words256, 2, 6>(s.dot16[1]);
  fill_tiles<Words256, 4, 3>(s.dot16[2]);
  s.decode8 = decode8<Codes256>;
  s.decode16 = decode16<Codes256>;
  s.packed_dot8 = packed_dot8<Codes256, NarrowBytes256, Bytes256>;
  s.winograd =
      winograd_kernels<Word256, Int256>({.input = 160, .weights = 80, .output = 110, .call = 80});
  s.finish = finish<Int256, Quad256>;
  s.map = map<Int256>;
}

}  // namespace nbq::infer
