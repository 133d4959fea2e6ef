#include "core/fixed_point.h"

#include <cmath>

namespace nbq {

double Po2Reciprocal::value() const {
  double sum = 0;
  for (const Term& t : terms) sum += std::ldexp(t.negative ? -1.0 : 1.0, t.shift);
  return std::ldexp(sum, -frac_bits);
}

std::int64_t Po2Reciprocal::magnitude() const {
  std::int64_t sum = 0;
  for (const Term& t : terms) sum += std::int64_t{1} << t.shift;
  return sum;
}

Po2Reciprocal po2_reciprocal(int n) {
  constexpr int kMaxSpan = 15;  // bits; a further term would cost width and give nothing
  const double target = 1.0 / n;
  struct Signed {
    bool negative;
    int exp;
  };
  std::vector<Signed> parts;
  double sum = 0;
  for (int i = 0; i < 3 && sum != target; ++i) {
    const double rest = target - sum;
    // Nearest power of two in value: 2^e for mantissas below 1.5, else 2^(e+1).
    int e = 0;
    const double mantissa = std::frexp(std::fabs(rest), &e);  // in [0.5, 1)
    const int exp = mantissa >= 0.75 ? e : e - 1;
    if (!parts.empty() && exp < parts[0].exp - kMaxSpan) break;
    parts.push_back({rest < 0, exp});
    sum += std::ldexp(rest < 0 ? -1.0 : 1.0, exp);
  }
  Po2Reciprocal r;
  r.frac_bits = -parts.back().exp;
  for (const Signed& p : parts) r.terms.push_back({p.negative, p.exp + r.frac_bits});
  r.relative_error = std::fabs(sum - target) / target;
  return r;
}

}  // namespace nbq
