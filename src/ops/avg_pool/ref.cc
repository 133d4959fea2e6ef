#include "ops/avg_pool/average.h"

namespace nbq {

void ref_avg_pool(const RefLayer& l) { average(l, std::get<AvgPoolAttrs>(l.node.attrs).window); }

void average(const RefLayer& l, const Window& w) {
  const IntBatch& x = *l.in[0];
  const Shape& out = l.out.shape;
  const Po2Reciprocal r = po2_reciprocal(w.kernel_h * w.kernel_w);
  std::vector<std::int64_t> acc(static_cast<std::size_t>(l.out.row_size()));
  for (int c = 0; c < out.c; ++c)
    for (int oy = 0; oy < out.h; ++oy) {
      std::fill(acc.begin(), acc.end(), 0);
      for (const Po2Reciprocal::Term& t : r.terms)
        for (int ky = 0; ky < w.kernel_h; ++ky) {
          const int iy = oy * w.stride_h + ky * w.dilation_h - w.pad_top;
          if (iy < 0 || iy >= x.shape.h) continue;
          for (int kx = 0; kx < w.kernel_w; ++kx)
            accumulate_tap(acc.data(), x.row(c, iy), w, kx, x.shape.w, out.w, x.n, t.shift,
                           t.negative);
        }
      l.store(c, oy, acc.data());
    }
}

}  // namespace nbq
