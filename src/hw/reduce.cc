#include "hw/reduce.h"

#include <bit>

#include "hw/reduce_impl.h"

namespace nbq::hw {
namespace {

template <int N>
using Narrow = PortableLanes<std::uint32_t, N>;
template <int N>
using Wide = PortableLanes<std::uint64_t, N>;

const ArrayIsa& best_isa() {
  static const ArrayIsa* const best = [] {
    std::size_t count = 0;
    const ArrayIsa* isa = array_isas(&count);
    while (!isa->available) ++isa;
    return isa;
  }();
  return *best;
}

}  // namespace

static_assert(std::endian::native == std::endian::little);  // operands in words
void pack_portable(const PackRow& row, std::uint32_t* words) { pack_with(row, words); }
void reduce_portable(const ReduceRow& row, std::uint32_t* sums) { reduce_with<Narrow>(row, sums); }
void finish_portable(const FinishRow& row, const std::uint32_t* sums, std::uint32_t* out) {
  finish_with(row, sums, out);
}

const ArrayIsa* array_isas(std::size_t* count) {
#if defined(__x86_64__)
  static const bool avx512 =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
      __builtin_cpu_supports("avx512vnni") != 0;
  static const ArrayIsa rows[] = {
      {"avx512vnni", avx512, pack_avx512, reduce_avx512, finish_avx512},
      {"avx2", __builtin_cpu_supports("avx2") != 0, pack_avx2, reduce_avx2, finish_avx2},
      {"portable", true, pack_portable, reduce_portable, finish_portable}};
#else
  static const ArrayIsa rows[] = {
      {"portable", true, pack_portable, reduce_portable, finish_portable}};
#endif
  *count = sizeof rows / sizeof rows[0];
  return rows;
}

void pack(const PackRow& row, std::uint32_t* words) { best_isa().pack(row, words); }
void reduce(const ReduceRow& row, std::uint32_t* sums) { best_isa().reduce(row, sums); }
void reduce(const ReduceRow& row, std::uint64_t* sums) { reduce_with<Wide>(row, sums); }
void finish(const FinishRow& row, const std::uint32_t* sums, std::uint32_t* out) {
  best_isa().finish(row, sums, out);
}

}  // namespace nbq::hw
