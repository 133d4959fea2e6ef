#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"

namespace nbq {

inline constexpr int kMinWeightBits = 1;
inline constexpr int kMaxWeightBits = 5;

/// n-bit power-of-two format, n in [1, 5] (spec/numerics.md, "Weight codes").
/// n >= 2: bit n-1 is the sign, the rest is k: k = 0 is zero, else |w| = 2^(k-1).
/// n == 1: the one bit is the sign, |w| = 1.
/// "Minus zero" is illegal; is_valid() says so and loaders refuse it.
struct Po2Format {
  int bits;
  constexpr int max_k() const { return bits == 1 ? 1 : (1 << (bits - 1)) - 1; }
  /// Largest |w_int|: 2^(K-1).
  constexpr std::int32_t max_level() const { return std::int32_t{1} << (max_k() - 1); }
};

/// One weight code as it is stored: only the low `bits` bits are used.
struct Po2Code {
  std::uint8_t raw = 0;

  constexpr bool neg(Po2Format f) const { return ((raw >> (f.bits - 1)) & 1) != 0; }
  constexpr int k(Po2Format f) const { return f.bits == 1 ? 1 : raw & ((1 << (f.bits - 1)) - 1); }
  constexpr bool is_valid(Po2Format f) const {
    return raw < (1 << f.bits) && !(f.bits > 1 && neg(f) && k(f) == 0);
  }
  /// Integer value: 0 or +-2^(k-1).
  constexpr std::int32_t value(Po2Format f) const {
    const std::int32_t level = k(f) == 0 ? 0 : std::int32_t{1} << (k(f) - 1);
    return neg(f) ? -level : level;
  }
  static constexpr Po2Code make(Po2Format f, bool negative, int k) {
    const int magnitude = f.bits == 1 ? 0 : k;
    const bool sign = negative && (f.bits == 1 || k != 0);
    return {static_cast<std::uint8_t>((int{sign} << (f.bits - 1)) | magnitude)};
  }
  bool operator==(const Po2Code&) const = default;
};

/// Normative x * w without a multiplier. |x| < 2^17 and k <= 15, so |result| < 2^31.
constexpr std::int64_t shift_mul(Po2Format f, std::int32_t x, Po2Code w) {
  const int k = w.k(f);
  const std::int64_t p = k != 0 ? std::int64_t{x} << (k - 1) : 0;
  return w.neg(f) ? -p : p;
}

/// Values of all 2^n codes, by Po2Code::raw.
constexpr std::array<std::int32_t, 1 << kMaxWeightBits> code_values(Po2Format f) {
  std::array<std::int32_t, 1 << kMaxWeightBits> values{};
  for (unsigned raw = 0; raw < (1u << f.bits); ++raw)
    values[raw] = Po2Code{static_cast<std::uint8_t>(raw)}.value(f);
  return values;
}

/// Index of the first code that is_valid() refuses, or codes.size().
std::size_t first_illegal(Po2Format f, std::span<const Po2Code> codes);

/// Bytes that `count` codes of `bits` bits take when packed.
constexpr std::size_t packed_bytes(std::size_t count, int bits) {
  return (count * static_cast<std::size_t>(bits) + 7) / 8;
}

/// Packs codes little-endian: code i takes bits [i*n, (i+1)*n) of the byte string; the rest is 0.
std::vector<std::uint8_t> pack_codes(Po2Format f, std::span<const Po2Code> codes);

/// Inverse of pack_codes for `count` codes.
/// Errors kBadFile: wrong byte count, a minus zero (names the index), bits set past the end.
Result<std::vector<Po2Code>> unpack_codes(Po2Format f, std::span<const std::uint8_t> bytes,
                                          std::size_t count);

}  // namespace nbq
