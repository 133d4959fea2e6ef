// Compiled for AVX-512 with VNNI alone (CMakeLists.txt).
#include <immintrin.h>

#include "hw/reduce_impl.h"

namespace nbq::hw {
namespace {

template <int N>
struct Lanes;

template <>
struct Lanes<16> {
  using Sums = __m512i;
  static __m512i load(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  static void store(std::uint32_t* p, __m512i v) { _mm512_storeu_si512(p, v); }
  template <Packing kPacking>
  static void dot(__m512i& sum, __m512i weights, std::uint32_t x) {
    const __m512i all = _mm512_set1_epi32(static_cast<int>(x));
    sum = kPacking == Packing::kBytes ? _mm512_dpbusd_epi32(sum, all, weights)
                                      : _mm512_dpwssd_epi32(sum, all, weights);
  }
};

template <>
struct Lanes<8> {
  using Sums = __m256i;
  static __m256i load(const std::uint32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static void store(std::uint32_t* p, __m256i v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  template <Packing kPacking>
  static void dot(__m256i& sum, __m256i weights, std::uint32_t x) {
    const __m256i all = _mm256_set1_epi32(static_cast<int>(x));
    sum = kPacking == Packing::kBytes ? _mm256_dpbusd_epi32(sum, all, weights)
                                      : _mm256_dpwssd_epi32(sum, all, weights);
  }
};

}  // namespace

void pack_avx512(const PackRow& row, std::uint32_t* words) { pack_with(row, words); }
void reduce_avx512(const ReduceRow& row, std::uint32_t* sums) { reduce_with<Lanes>(row, sums); }
void finish_avx512(const FinishRow& row, const std::uint32_t* sums, std::uint32_t* out) {
  finish_with(row, sums, out);
}

}  // namespace nbq::hw
