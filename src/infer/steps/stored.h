#pragma once
#include <cstring>

#include "infer/step.h"

// One stored activation: for what is not worth a kernel.
namespace nbq::infer {

/// x_int of channel c of the pixel at `p`.
inline std::int32_t stored(const Place& place, const std::uint8_t* p, int c) {
  if (!place.wide) return p[c] - place.zero;
  std::int16_t v;
  std::memcpy(&v, p + 2 * c, 2);
  return v - place.zero;
}

inline void store(const Place& place, std::uint8_t* p, int c, std::int32_t x_int) {
  if (!place.wide) {
    p[c] = static_cast<std::uint8_t>(x_int + place.zero);
    return;
  }
  const auto v = static_cast<std::int16_t>(x_int + place.zero);
  std::memcpy(p + 2 * c, &v, 2);
}

}  // namespace nbq::infer
