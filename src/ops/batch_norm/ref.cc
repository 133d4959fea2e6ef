#include "ops/ref_op.h"

namespace nbq {

// A batch norm with nothing to fold into: +-2^s per channel and an offset.
void ref_batch_norm(const RefLayer& l) {
  const IntBatch& x = *l.in[0];
  const Po2Format f{l.node.po2.bits};
  std::vector<std::int64_t> acc(static_cast<std::size_t>(x.row_size()));
  for (int c = 0; c < x.shape.c; ++c) {
    const Po2Code code = l.node.po2.codes[static_cast<std::size_t>(c)];
    for (int y = 0; y < x.shape.h; ++y) {
      std::fill(acc.begin(), acc.end(), l.bias(c));
      if (const int k = code.k(f); k != 0)
        add_shifted(acc.data(), x.row(c, y), x.row_size(), k - 1, code.neg(f));
      l.store(c, y, acc.data());
    }
  }
}

}  // namespace nbq
