#include "core/po2_code.h"

#include <algorithm>

namespace nbq {

std::size_t first_illegal(Po2Format f, std::span<const Po2Code> codes) {
  constexpr std::size_t kChunk = 4096;
  const unsigned end = 1u << f.bits, minus_zero = f.bits == 1 ? end : end >> 1;
  for (std::size_t first = 0; first < codes.size(); first += kChunk) {
    const std::size_t last = std::min(codes.size(), first + kChunk);
    unsigned bad = 0;  // without a branch: nearly always all are legal
    for (std::size_t i = first; i < last; ++i)
      bad |= static_cast<unsigned>(codes[i].raw >= end) |
             static_cast<unsigned>(codes[i].raw == minus_zero);
    if (bad == 0) continue;
    while (codes[first].is_valid(f)) ++first;
    return first;
  }
  return codes.size();
}

std::vector<std::uint8_t> pack_codes(Po2Format f, std::span<const Po2Code> codes) {
  std::vector<std::uint8_t> out(packed_bytes(codes.size(), f.bits), 0);
  std::size_t bit = 0;
  for (const Po2Code c : codes) {
    const unsigned shifted = static_cast<unsigned>(c.raw) << (bit % 8);
    out[bit / 8] = static_cast<std::uint8_t>(out[bit / 8] | (shifted & 0xff));
    if (bit % 8 + static_cast<std::size_t>(f.bits) > 8)
      out[bit / 8 + 1] = static_cast<std::uint8_t>(shifted >> 8);
    bit += static_cast<std::size_t>(f.bits);
  }
  return out;
}

Result<std::vector<Po2Code>> unpack_codes(Po2Format f, std::span<const std::uint8_t> bytes,
                                          std::size_t count) {
  if (bytes.size() != packed_bytes(count, f.bits))
    return make_error(ErrorCode::kBadFile, "{} bytes of {}-bit codes, expected {} for {} weights",
                      bytes.size(), f.bits, packed_bytes(count, f.bits), count);
  std::vector<Po2Code> out(count);
  const auto n = static_cast<std::size_t>(f.bits);
  const unsigned mask = (1u << f.bits) - 1;
  // 8 codes are n whole bytes; the last ones may be fewer.
  for (std::size_t first = 0; first < count; first += 8) {
    const std::size_t byte = first / 8 * n;
    std::uint64_t window = 0;
    for (std::size_t i = 0; i < n && byte + i < bytes.size(); ++i)
      window |= std::uint64_t{bytes[byte + i]} << (8 * i);
    const std::size_t some = std::min<std::size_t>(8, count - first);
    for (std::size_t i = 0; i < some; ++i, window >>= n)
      out[first + i].raw = static_cast<std::uint8_t>(window & mask);
  }
  if (const std::size_t bad = first_illegal(f, out); bad != count)
    return make_error(ErrorCode::kBadFile, "weight {} is a minus zero, an illegal code", bad);
  const std::size_t bit = count * n;
  if (bit % 8 != 0 && (bytes.back() >> (bit % 8)) != 0)
    return make_error(ErrorCode::kBadFile, "bits are set after the last of {} codes", count);
  return out;
}

}  // namespace nbq
