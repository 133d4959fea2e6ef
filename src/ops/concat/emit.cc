#include "hw/job.h"

namespace nbq::hw {

// One copy per operand; where a block of lanes spans two operands the later copy adds itself to
// what the earlier one wrote there (zeros in its channels).
Result<ArrayJob> emit_concat(const EmitContext& e) {
  if (!e.node().act.quantised())
    return make_error(ErrorCode::kUnsupported,
                      "{}: a concat whose raw values are the network's output has "
                      "no mapping on the array; quantise its output",
                      e.node().name);
  ArrayJob job;
  int offset = 0;
  for (std::size_t i = 0; i < e.node().inputs.size(); ++i) {
    const int channels = e.operand(i).shape.c;
    job.passes.push_back(copy_pass(static_cast<int>(i), offset, channels));
    offset += channels;
  }
  return job;
}

}  // namespace nbq::hw
