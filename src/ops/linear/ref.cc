#include "ops/ref_op.h"

namespace nbq {

void ref_linear(const RefLayer& l) {
  const IntBatch& x = *l.in[0];
  const Po2Format f{l.node.po2.bits};
  std::vector<std::int64_t> acc(static_cast<std::size_t>(x.n));
  for (int o = 0; o < l.out.shape.c; ++o) {
    std::fill(acc.begin(), acc.end(), l.bias(o));
    const Po2Code* codes = l.node.po2.codes.data() + std::int64_t{o} * x.shape.c;
    for (int i = 0; i < x.shape.c; ++i)
      if (const int k = codes[i].k(f); k != 0)
        add_shifted(acc.data(), x.row(i, 0), x.n, k - 1, codes[i].neg(f));
    l.store(o, 0, acc.data());
  }
}

}  // namespace nbq
