#include "ops/ref_op.h"

namespace nbq {

// Both operands go left onto the finer scale, exactly; then they are added.
void ref_add(const RefLayer& l) {
  std::vector<std::int64_t> acc(static_cast<std::size_t>(l.out.row_size()));
  for (int c = 0; c < l.out.shape.c; ++c)
    for (int y = 0; y < l.out.shape.h; ++y) {
      std::fill(acc.begin(), acc.end(), 0);
      for (std::size_t i = 0; i < 2; ++i)
        add_shifted(acc.data(), l.in[i]->row(c, y), l.out.row_size(), l.operand_shift(i), false);
      l.store(c, y, acc.data());
    }
}

}  // namespace nbq
