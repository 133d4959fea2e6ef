#include "hw/job.h"

namespace nbq::hw {

// A copy of one operand with the other as residual; the compiler lets a convolution that only feeds
// the addition take the copy's place.
Result<ArrayJob> emit_add(const EmitContext& e) {
  if (!e.node().act.quantised())
    return make_error(ErrorCode::kUnsupported,
                      "{}: an add whose raw sums are the network's output has no "
                      "mapping on the array; quantise its output",
                      e.node().name);
  return ArrayJob{ArrayJob::Kind::kConv, {copy_pass(0, 0, e.node().shape.c)}, 1};
}

}  // namespace nbq::hw
