#include "ops/ref_op.h"

namespace nbq {
namespace {

template <class Acc>
void conv2d(const RefLayer& l) {
  const auto& a = std::get<Conv2dAttrs>(l.node.attrs);
  const Window& w = a.window;
  const IntBatch& x = *l.in[0];
  const Po2Format f{l.node.po2.bits};
  const int per_group = x.shape.c / a.groups;
  const int out_per_group = a.out_channels / a.groups;
  const Shape& out = l.out.shape;
  std::vector<Acc> acc(static_cast<std::size_t>(l.out.row_size()));
  for (int oc = 0; oc < out.c; ++oc) {
    const Po2Code* codes =
        l.node.po2.codes.data() + std::int64_t{oc} * per_group * w.kernel_h * w.kernel_w;
    for (int oy = 0; oy < out.h; ++oy) {
      std::fill(acc.begin(), acc.end(), static_cast<Acc>(l.bias(oc)));
      for (int ic = 0; ic < per_group; ++ic)
        for (int ky = 0; ky < w.kernel_h; ++ky) {
          const int iy = oy * w.stride_h + ky * w.dilation_h - w.pad_top;
          if (iy < 0 || iy >= x.shape.h) continue;  // padding adds the integer 0
          const std::int32_t* row = x.row((oc / out_per_group) * per_group + ic, iy);
          for (int kx = 0; kx < w.kernel_w; ++kx) {
            const Po2Code code = codes[(ic * w.kernel_h + ky) * w.kernel_w + kx];
            if (const int k = code.k(f); k != 0)
              accumulate_tap(acc.data(), row, w, kx, x.shape.w, out.w, x.n, k - 1, code.neg(f));
          }
        }
      l.store(oc, oy, acc.data());
    }
  }
}

}  // namespace

void ref_conv2d(const RefLayer& l) {
  l.node.po2.acc_bits <= 32 ? conv2d<std::int32_t>(l) : conv2d<std::int64_t>(l);
}

}  // namespace nbq
