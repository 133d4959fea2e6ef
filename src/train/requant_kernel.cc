#include "train/requant_kernel.h"

#include <algorithm>
#include <cmath>

#include "core/clones.h"

namespace nbq {
namespace {

template <class In, class Out>
NBQ_INLINE void requantise_lanes(const In* __restrict acc, Out* __restrict out,
                                 MaskWord* __restrict mask, std::int64_t count,
                                 const ActFormat& f) {
  using Real = decltype(load(acc, 0));
  const Rounding<Real> r(f);
  const Real to_units = std::ldexp(Real{1}, -f.exp);
  const auto some = [=](std::int64_t i, int lanes) __attribute__((always_inline)) {
    std::uint32_t word = 0;
    for (int l = 0; l < lanes; ++l) {
      const Real t = load(acc, i + l) * to_units + Real{0.5};
      word |= r.inside(t, kBit[l]);
      store_exact(out, i + l, r.value(t));
    }
    if (mask != nullptr) mask[i / kLanes] = static_cast<MaskWord>(word);
  };
  const std::int64_t whole = count / kLanes * kLanes;
  for (std::int64_t i = 0; i < whole; i += kLanes) some(i, kLanes);
  if (whole < count) some(whole, static_cast<int>(count - whole));
}

template <class In, class Out>
NBQ_INLINE void mask_lanes(const In* __restrict grad, const MaskWord* __restrict mask,
                           Out* __restrict out, std::int64_t count) {
  const auto some = [=](std::int64_t i, int lanes) __attribute__((always_inline)) {
    const MaskWord word = mask[i / kLanes];
    for (int l = 0; l < lanes; ++l)
      store_rounded(out, i + l, where_bit(word, l, load(grad, i + l)));
  };
  const std::int64_t whole = count / kLanes * kLanes;
  for (std::int64_t i = 0; i < whole; i += kLanes) some(i, kLanes);
  if (whole < count) some(whole, static_cast<int>(count - whole));
}

// Overloads, as clones can't be templates.
#define NBQ_REQUANTISE(In, Out)                                                                 \
  NBQ_CLONES void clone_requantise(const In* acc, Out* out, MaskWord* mask, std::int64_t count, \
                                   const ActFormat& f) {                                        \
    requantise_lanes(acc, out, mask, count, f);                                                 \
  }
#define NBQ_MASK(In, Out)                                                                          \
  NBQ_CLONES void clone_mask(const In* grad, const MaskWord* mask, Out* out, std::int64_t count) { \
    mask_lanes(grad, mask, out, count);                                                            \
  }
NBQ_REQUANTISE(float, float)
NBQ_REQUANTISE(float, Bf16)
NBQ_REQUANTISE(Bf16, float)
NBQ_REQUANTISE(Bf16, Bf16)
NBQ_REQUANTISE(double, float)
NBQ_REQUANTISE(double, Bf16)
NBQ_MASK(float, float)
NBQ_MASK(float, Bf16)
NBQ_MASK(Bf16, float)
NBQ_MASK(Bf16, Bf16)
#undef NBQ_REQUANTISE
#undef NBQ_MASK

}  // namespace

template <class In, class Out>
void requantise_run(const In* acc, Out* out, MaskWord* mask, std::int64_t count,
                    const ActFormat& format) {
  clone_requantise(acc, out, mask, count, format);
}

template <class In, class Out>
void mask_run(const In* grad, const MaskWord* mask, Out* out, std::int64_t count) {
  clone_mask(grad, mask, out, count);
}

#define NBQ_REQUANTISE(In, Out) \
  template void requantise_run(const In*, Out*, MaskWord*, std::int64_t, const ActFormat&);
NBQ_REQUANTISE(float, float)
NBQ_REQUANTISE(float, Bf16)
NBQ_REQUANTISE(Bf16, float)
NBQ_REQUANTISE(Bf16, Bf16)
NBQ_REQUANTISE(double, float)
NBQ_REQUANTISE(double, Bf16)
#define NBQ_MASK(In, Out) template void mask_run(const In*, const MaskWord*, Out*, std::int64_t);
NBQ_MASK(float, float)
NBQ_MASK(float, Bf16)
NBQ_MASK(Bf16, float)
NBQ_MASK(Bf16, Bf16)

}  // namespace nbq
