#include "ops/ref_op.h"

namespace nbq {

// The clamp of the output stage (lo = 0) does the work.
void ref_relu(const RefLayer& l) {
  const IntBatch& x = *l.in[0];
  for (int c = 0; c < x.shape.c; ++c)
    for (int y = 0; y < x.shape.h; ++y) l.store(c, y, x.row(c, y));
}

}  // namespace nbq
