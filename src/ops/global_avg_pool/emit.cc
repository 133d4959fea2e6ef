#include "hw/job.h"

namespace nbq::hw {

Result<ArrayJob> emit_global_avg_pool(const EmitContext& e) {
  Window whole;
  whole.kernel_h = e.operand(0).shape.h;
  whole.kernel_w = e.operand(0).shape.w;
  return ArrayJob{
      ArrayJob::Kind::kConv, {average_pass(whole, e.node().shape.c, e.max_level_log2)}, -1};
}

}  // namespace nbq::hw
