#include "train/norm_requant_kernel.h"

#include <algorithm>

#include "core/clones.h"

namespace nbq {
namespace {

/// Calls f(first element, its place in the period, lanes) for every kLanes elements. Lanes are a
/// constant to the compiler but for the last ones.
template <class F>
NBQ_INLINE void for_lanes(NormStrip s, F f) {
  std::int64_t i = 0;
  while (i + kLanes <= s.count) {
    const std::int64_t end = std::min(s.count - i, s.period) / kLanes * kLanes;
    for (std::int64_t k = 0; k < end; k += kLanes) f(i + k, k, kLanes);
    i += end;
  }
  if (i < s.count) f(i, i % s.period, static_cast<int>(s.count - i));
}

template <class In>
NBQ_INLINE void sums(const In* __restrict z, NormStrip s, const float* __restrict pivot,
                     float* __restrict sum, float* __restrict square) {
  for_lanes(
      s, [=](std::int64_t i, std::int64_t k, int lanes) __attribute__((always_inline)) {
        for (int l = 0; l < lanes; ++l) {
          const float d = load(z, i + l) - pivot[k + l];
          sum[k + l] += d;
          square[k + l] += d * d;
        }
      });
}

template <class In, class Out>
NBQ_INLINE void apply(const In* __restrict z, NormStrip s, const float* __restrict mean,
                      const float* __restrict gain, const float* __restrict offset,
                      Out* __restrict y) {
  for_lanes(
      s, [=](std::int64_t i, std::int64_t k, int lanes) __attribute__((always_inline)) {
        for (int l = 0; l < lanes; ++l)
          store_rounded(y, i + l, (load(z, i + l) - mean[k + l]) * gain[k + l] + offset[k + l]);
      });
}

template <class In, class Out>
NBQ_INLINE void apply_rounded(const In* __restrict z, NormStrip s, const float* __restrict mean,
                              const float* __restrict gain, const float* __restrict offset,
                              const ActFormat& f, Out* __restrict y, MaskWord* __restrict mask) {
  const Rounding<float> r(f);
  for_lanes(
      s, [=](std::int64_t i, std::int64_t k, int lanes) __attribute__((always_inline)) {
        std::uint32_t word = 0;
        for (int l = 0; l < lanes; ++l) {
          const float t = (load(z, i + l) - mean[k + l]) * gain[k + l] + offset[k + l];
          word |= r.inside(t, kBit[l]);
          store_exact(y, i + l, r.value(t));
        }
        if (mask != nullptr) mask[i / kLanes] = static_cast<MaskWord>(word);
      });
}

constexpr MaskWord kAll = 0xffff;

template <class Out, class In>
NBQ_INLINE void gradient_sums(const Out* __restrict g, const MaskWord* __restrict mask,
                              const In* __restrict z, NormStrip s, const float* __restrict mean,
                              float* __restrict sum, float* __restrict product) {
  for_lanes(
      s, [=](std::int64_t i, std::int64_t k, int lanes) __attribute__((always_inline)) {
        const MaskWord word = mask == nullptr ? kAll : mask[i / kLanes];
        for (int l = 0; l < lanes; ++l) {
          const float m = where_bit(word, l, load(g, i + l));
          sum[k + l] += m;
          product[k + l] += m * (load(z, i + l) - mean[k + l]);
        }
      });
}

template <class Out, class In>
NBQ_INLINE void gradient(const Out* __restrict g, const MaskWord* __restrict mask,
                         const In* __restrict z, NormStrip s, NormGradient n, In* __restrict dz) {
  for_lanes(
      s, [=](std::int64_t i, std::int64_t k, int lanes) __attribute__((always_inline)) {
        const MaskWord word = mask == nullptr ? kAll : mask[i / kLanes];
        for (int l = 0; l < lanes; ++l) {
          const float m = where_bit(word, l, load(g, i + l));
          const float d = load(z, i + l) - n.mean[k + l];
          store_rounded(dz, i + l, n.gain[k + l] * m + n.slope[k + l] * d + n.offset[k + l]);
        }
      });
}

// Overloads, as clones can't be templates.
#define NBQ_OF_IN(In)                                                                  \
  NBQ_CLONES void clone_sums(const In* z, NormStrip s, const float* pivot, float* sum, \
                             float* square) {                                          \
    sums(z, s, pivot, sum, square);                                                    \
  }
#define NBQ_OF_PAIR(In, Out)                                                                     \
  NBQ_CLONES void clone_apply(const In* z, NormStrip s, const float* mean, const float* gain,    \
                              const float* offset, const ActFormat* f, Out* y, MaskWord* mask) { \
    if (f == nullptr)                                                                            \
      apply(z, s, mean, gain, offset, y);                                                        \
    else                                                                                         \
      apply_rounded(z, s, mean, gain, offset, *f, y, mask);                                      \
  }                                                                                              \
  NBQ_CLONES void clone_gradient_sums(const Out* g, const MaskWord* mask, const In* z,           \
                                      NormStrip s, const float* mean, float* sum,                \
                                      float* product) {                                          \
    gradient_sums(g, mask, z, s, mean, sum, product);                                            \
  }                                                                                              \
  NBQ_CLONES void clone_gradient(const Out* g, const MaskWord* mask, const In* z, NormStrip s,   \
                                 const NormGradient& n, In* dz) {                                \
    gradient(g, mask, z, s, n, dz);                                                              \
  }
NBQ_OF_IN(float)
NBQ_OF_IN(Bf16)
NBQ_OF_PAIR(float, float)
NBQ_OF_PAIR(float, Bf16)
NBQ_OF_PAIR(Bf16, float)
NBQ_OF_PAIR(Bf16, Bf16)

}  // namespace

template <class In>
void norm_sums(const In* z, NormStrip s, const float* pivot, float* sum, float* square) {
  clone_sums(z, s, pivot, sum, square);
}

template <class In, class Out>
void norm_apply(const In* z, NormStrip s, const float* mean, const float* gain, const float* offset,
                const ActFormat* format, Out* y, MaskWord* mask) {
  clone_apply(z, s, mean, gain, offset, format, y, mask);
}

template <class Out, class In>
void norm_gradient_sums(const Out* grad, const MaskWord* mask, const In* z, NormStrip s,
                        const float* mean, float* sum, float* product) {
  clone_gradient_sums(grad, mask, z, s, mean, sum, product);
}

template <class Out, class In>
void norm_gradient(const Out* grad, const MaskWord* mask, const In* z, NormStrip s,
                   const NormGradient& numbers, In* dz) {
  clone_gradient(grad, mask, z, s, numbers, dz);
}

template void norm_sums(const float*, NormStrip, const float*, float*, float*);
template void norm_sums(const Bf16*, NormStrip, const float*, float*, float*);
#define NBQ_PAIR(In, Out)                                                                  \
  template void norm_apply(const In*, NormStrip, const float*, const float*, const float*, \
                           const ActFormat*, Out*, MaskWord*);                             \
  template void norm_gradient_sums(const Out*, const MaskWord*, const In*, NormStrip,      \
                                   const float*, float*, float*);                          \
  template void norm_gradient(const Out*, const MaskWord*, const In*, NormStrip,           \
                              const NormGradient&, In*);
NBQ_PAIR(float, float)
NBQ_PAIR(float, Bf16)
NBQ_PAIR(Bf16, float)
NBQ_PAIR(Bf16, Bf16)

}  // namespace nbq
