// Compiled for AVX2 alone (CMakeLists.txt).
#include <immintrin.h>

#include "hw/reduce_impl.h"

namespace nbq::hw {
namespace {

/// One or two registers.
template <int N>
struct Lanes {
  static constexpr int kRegisters = N / 8;
  struct Sums {
    __m256i of[kRegisters];
  };
  static Sums load(const std::uint32_t* p) {
    Sums v;
    for (int i = 0; i < kRegisters; ++i)
      v.of[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p) + i);
    return v;
  }
  static void store(std::uint32_t* p, const Sums& v) {
    for (int i = 0; i < kRegisters; ++i)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(p) + i, v.of[i]);
  }
  template <Packing kPacking>
  static void dot(Sums& sum, const Sums& weights, std::uint32_t x) {
    const __m256i all = _mm256_set1_epi32(static_cast<int>(x));
    for (int i = 0; i < kRegisters; ++i) {
      // Bytes: a pair's sum is at most 2 * 255 * 64, within the 16 bits it gets.
      const __m256i products =
          kPacking == Packing::kBytes
              ? _mm256_madd_epi16(_mm256_maddubs_epi16(all, weights.of[i]), _mm256_set1_epi16(1))
              : _mm256_madd_epi16(all, weights.of[i]);
      sum.of[i] = _mm256_add_epi32(sum.of[i], products);
    }
  }
};

}  // namespace

void pack_avx2(const PackRow& row, std::uint32_t* words) { pack_with(row, words); }
void reduce_avx2(const ReduceRow& row, std::uint32_t* sums) { reduce_with<Lanes>(row, sums); }
void finish_avx2(const FinishRow& row, const std::uint32_t* sums, std::uint32_t* out) {
  finish_with(row, sums, out);
}

}  // namespace nbq::hw
