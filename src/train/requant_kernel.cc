#include "train/requant_kernel.h"

#include <bit>
#include <cmath>

namespace nbq {
namespace {

using Bf16 = std::uint16_t;

inline float load(const float* p, std::int64_t i) { return p[i]; }
inline double load(const double* p, std::int64_t i) { return p[i]; }
inline float load(const Bf16* p, std::int64_t i) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(p[i]) << 16);
}

/// Of values with at most 8 significant bits, whose upper half is all.
inline void store_exact(float* p, std::int64_t i, float v) { p[i] = v; }
inline void store_exact(Bf16* p, std::int64_t i, float v) {
  p[i] = static_cast<Bf16>(std::bit_cast<std::uint32_t>(v) >> 16);
}

/// Rounds to the nearest, ties to even. A NaN may become infinity, which is found as well.
inline void store_rounded(float* p, std::int64_t i, float v) { p[i] = v; }
inline void store_rounded(Bf16* p, std::int64_t i, float v) {
  const auto bits = std::bit_cast<std::uint32_t>(v);
  p[i] = static_cast<Bf16>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

template <bool kMask, class In, class Out>
void run(const In* __restrict acc, Out* __restrict out, bool* __restrict mask, std::int64_t count,
         const ActFormat& f) {
  using Real = decltype(load(acc, 0));
  const Real to_units = std::ldexp(Real{1}, -f.exp);
  const float unit = std::ldexp(1.0f, f.exp);
  const Real lo = static_cast<Real>(f.lo), hi = static_cast<Real>(f.hi), end = hi + 1;
  for (std::int64_t i = 0; i < count; ++i) {
    const Real t = load(acc, i) * to_units + Real{0.5};
    if (kMask) mask[i] = (t >= lo) & (t < end);
    // Clamping to integers commutes with floor, and makes the conversion below safe.
    Real u = t > lo ? t : lo;
    u = u < hi ? u : hi;
    const auto cut = static_cast<Real>(static_cast<std::int32_t>(u));
    const Real above = cut > u ? Real{1} : Real{0};
    store_exact(out, i, static_cast<float>(cut - above) * unit);
  }
}

}  // namespace

template <class In, class Out>
void requantise_run(const In* acc, Out* out, bool* mask, std::int64_t count,
                    const ActFormat& format) {
  if (mask != nullptr)
    run<true>(acc, out, mask, count, format);
  else
    run<false>(acc, out, mask, count, format);
}

template <class In, class Out>
void mask_run(const In* __restrict grad, const bool* __restrict mask, Out* __restrict out,
              std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = load(grad, i);
    store_rounded(out, i, mask[i] ? g : 0.0f);
  }
}

#define NBQ_REQUANTISE(In, Out) \
  template void requantise_run(const In*, Out*, bool*, std::int64_t, const ActFormat&);
NBQ_REQUANTISE(float, float)
NBQ_REQUANTISE(float, Bf16)
NBQ_REQUANTISE(Bf16, float)
NBQ_REQUANTISE(Bf16, Bf16)
NBQ_REQUANTISE(double, float)
NBQ_REQUANTISE(double, Bf16)
#define NBQ_MASK(In, Out) template void mask_run(const In*, const bool*, Out*, std::int64_t);
NBQ_MASK(float, float)
NBQ_MASK(float, Bf16)
NBQ_MASK(Bf16, float)
NBQ_MASK(Bf16, Bf16)

}  // namespace nbq
