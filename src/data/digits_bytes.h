#pragma once
#include <cstdint>
#include <span>

namespace nbq {

/// data/digits.csv.gz as it was when the library was built (the build generates the source).
std::span<const std::uint8_t> digits_bytes();

}  // namespace nbq
