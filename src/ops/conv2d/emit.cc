#include "hw/job.h"

namespace nbq::hw {

Result<ArrayJob> emit_conv2d(const EmitContext& e) {
  const Node& n = e.node();
  const auto& a = std::get<Conv2dAttrs>(n.attrs);
  const int per_group = e.operand(0).shape.c / a.groups;
  const int out_per_group = a.out_channels / a.groups;
  Pass p;
  p.window = a.window;
  p.weight = [&n, &a, per_group, out_per_group](int, int oc, int ic, int ky, int kx) {
    const int local = ic - (oc / out_per_group) * per_group;
    if (local < 0 || local >= per_group) return 0;  // another group's channel
    const std::int64_t row = std::int64_t{oc} * per_group + local;
    const std::int64_t at = (row * a.window.kernel_h + ky) * a.window.kernel_w + kx;
    return n.po2.codes[static_cast<std::size_t>(at)].value(Po2Format{n.po2.bits});
  };
  p.range = [per_group, out_per_group](int first, int last) {
    return ChannelRange{first / out_per_group * per_group,
                        ((last - 1) / out_per_group + 1) * per_group};
  };
  return ArrayJob{ArrayJob::Kind::kConv, {std::move(p)}, -1};
}

}  // namespace nbq::hw
