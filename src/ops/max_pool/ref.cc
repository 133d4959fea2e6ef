#include <limits>

#include "ops/ref_op.h"

namespace nbq {

void ref_max_pool(const RefLayer& l) {
  const Window& w = std::get<MaxPoolAttrs>(l.node.attrs).window;
  const IntBatch& x = *l.in[0];
  const Shape& out = l.out.shape;
  std::vector<std::int32_t> best(static_cast<std::size_t>(l.out.row_size()));
  for (int c = 0; c < out.c; ++c)
    for (int oy = 0; oy < out.h; ++oy) {
      std::fill(best.begin(), best.end(), std::numeric_limits<std::int32_t>::min());
      for (int ky = 0; ky < w.kernel_h; ++ky) {
        const int iy = oy * w.stride_h + ky * w.dilation_h - w.pad_top;
        if (iy < 0 || iy >= x.shape.h) continue;  // padding never wins
        const std::int32_t* row = x.row(c, iy);
        for (int kx = 0; kx < w.kernel_w; ++kx) {
          const ColumnRange r = tap_columns(w, kx, x.shape.w, out.w);
          for (int ox = r.first; ox < r.last; ++ox)
            for (int i = 0; i < x.n; ++i) {
              const int ix = ox * w.stride_w + kx * w.dilation_w - w.pad_left;
              auto& b = best[static_cast<std::size_t>(std::int64_t{ox} * x.n + i)];
              b = std::max(b, row[std::int64_t{ix} * x.n + i]);
            }
        }
      }
      l.store(c, oy, best.data());
    }
}

}  // namespace nbq
