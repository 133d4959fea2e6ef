#include "ops/ref_op.h"

namespace nbq {

// Padding is the integer 0.
void ref_pad(const RefLayer& l) {
  const auto& a = std::get<PadAttrs>(l.node.attrs);
  const IntBatch& x = *l.in[0];
  const std::int64_t left = std::int64_t{a.left} * x.n;
  const std::vector<std::int32_t> zeros(static_cast<std::size_t>(l.out.row_size()), 0);
  std::vector<std::int32_t> row = zeros;
  for (int c = 0; c < l.out.shape.c; ++c)
    for (int y = 0; y < l.out.shape.h; ++y) {
      const int from_c = c - a.before_c;
      const int from_y = y - a.top;
      const bool inside = from_c >= 0 && from_c < x.shape.c && from_y >= 0 && from_y < x.shape.h;
      if (inside) std::copy_n(x.row(from_c, from_y), x.row_size(), row.begin() + left);
      l.store(c, y, inside ? row.data() : zeros.data());
    }
}

}  // namespace nbq
