#include "ops/ref_op.h"

namespace nbq {

void ref_slice(const RefLayer& l) {
  const auto& a = std::get<SliceAttrs>(l.node.attrs);
  const IntBatch& x = *l.in[0];
  std::vector<std::int32_t> row(static_cast<std::size_t>(l.out.row_size()));
  for (int c = 0; c < a.size_c; ++c)
    for (int y = 0; y < a.size_h; ++y) {
      const std::int32_t* from = x.row(a.start_c + c * a.step_c, a.start_h + y * a.step_h);
      for (std::int64_t i = 0; i < a.size_w; ++i)
        std::copy_n(from + (a.start_w + i * a.step_w) * x.n, x.n, row.begin() + i * x.n);
      l.store(c, y, row.data());
    }
}

}  // namespace nbq
