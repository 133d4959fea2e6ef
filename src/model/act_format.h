#pragma once
#include <algorithm>
#include <cstdint>

namespace nbq {

/// Integer activations x_int * 2^exp, x_int in [lo, hi] (spec/numerics.md, "Activations").
/// bits == 0: not quantised; in an integer graph, raw accumulators (the logits).
struct ActFormat {
  int bits = 0;
  bool is_signed = true;
  int exp = 0;
  std::int32_t lo = 0, hi = 0;

  static ActFormat make(int bits, bool is_signed, int exp);
  bool quantised() const { return bits != 0; }
  std::int64_t max_abs() const { return std::max<std::int64_t>(-std::int64_t{lo}, hi); }
  bool operator==(const ActFormat&) const = default;
};

}  // namespace nbq
