#include "hw/job.h"

namespace nbq::hw {

Result<ArrayJob> emit_max_pool(const EmitContext& e) {
  Pass p = copy_pass(0, 0, e.node().shape.c);
  p.window = std::get<MaxPoolAttrs>(e.node().attrs).window;
  return ArrayJob{ArrayJob::Kind::kMaxPool, {std::move(p)}, -1};
}

}  // namespace nbq::hw
