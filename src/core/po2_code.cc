#include "core/po2_code.h"

namespace nbq {

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
  const unsigned mask = (1u << f.bits) - 1;
  std::size_t bit = 0;
  for (std::size_t i = 0; i < count; ++i, bit += static_cast<std::size_t>(f.bits)) {
    unsigned window = bytes[bit / 8];
    if (bit / 8 + 1 < bytes.size()) window |= static_cast<unsigned>(bytes[bit / 8 + 1]) << 8;
    out[i].raw = static_cast<std::uint8_t>((window >> (bit % 8)) & mask);
    if (!out[i].is_valid(f))
      return make_error(ErrorCode::kBadFile, "weight {} is a minus zero, an illegal code", i);
  }
  if (bit % 8 != 0 && (bytes.back() >> (bit % 8)) != 0)
    return make_error(ErrorCode::kBadFile, "bits are set after the last of {} codes", count);
  return out;
}

}  // namespace nbq
