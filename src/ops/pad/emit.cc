#include "hw/job.h"

namespace nbq::hw {

// A copy through a 1x1 window whose padding is the map's; added channels have no weight but zeros.
Result<ArrayJob> emit_pad(const EmitContext& e) {
  const auto& a = std::get<PadAttrs>(e.node().attrs);
  const int channels = e.operand(0).shape.c;
  Pass p = pad_channels(copy_pass(0, 0, channels), a.before_c, channels);
  p.window.pad_top = a.top;
  p.window.pad_bottom = a.bottom;
  p.window.pad_left = a.left;
  p.window.pad_right = a.right;
  return ArrayJob{ArrayJob::Kind::kConv, {std::move(p)}, -1};
}

}  // namespace nbq::hw
