#include "hw/job.h"

namespace nbq::hw {

Result<ArrayJob> emit_avg_pool(const EmitContext& e) {
  const Window& w = std::get<AvgPoolAttrs>(e.node().attrs).window;
  return ArrayJob{ArrayJob::Kind::kConv, {average_pass(w, e.node().shape.c, e.max_level_log2)}, -1};
}

}  // namespace nbq::hw
