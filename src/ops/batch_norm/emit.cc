#include "hw/job.h"

namespace nbq::hw {

Result<ArrayJob> emit_batch_norm(const EmitContext& e) {
  const Node& n = e.node();
  Pass p = copy_pass(0, 0, n.shape.c);
  p.weight = [&n](int, int oc, int ic, int, int) {
    return oc == ic ? n.po2.codes[static_cast<std::size_t>(oc)].value(Po2Format{n.po2.bits}) : 0;
  };
  return ArrayJob{ArrayJob::Kind::kConv, {std::move(p)}, -1};
}

}  // namespace nbq::hw
