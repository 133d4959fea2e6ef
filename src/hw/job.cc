#include "hw/job.h"

#include <algorithm>

#include "core/fixed_point.h"

namespace nbq::hw {

EmitFn op_emit(OpKind kind) {
  static constexpr EmitFn kRows[] = {
#define NBQ_OP(Kind, folder, name) emit_##folder,
#include "ops.def"
  };
  return kRows[static_cast<int>(kind)];
}

bool flatten_in_place(const Graph& graph, int id) {
  const Node& n = graph.nodes[static_cast<std::size_t>(id)];
  const Shape& map = graph.nodes[static_cast<std::size_t>(n.inputs[0])].shape;
  const auto readers = graph.consumers()[static_cast<std::size_t>(id)];
  if (readers.empty()) return false;  // the output: goes to the result memory
  return map.h * map.w == 1 || std::all_of(readers.begin(), readers.end(), [&](int r) {
           return graph.nodes[static_cast<std::size_t>(r)].kind() == OpKind::kLinear;
         });
}

Pass copy_pass(int operand, int offset, int channels) {
  Pass p;
  p.operand = operand;
  p.weight = [offset](int, int oc, int ic, int, int) { return oc - offset == ic ? 1 : 0; };
  p.range = [offset, channels](int first, int last) {
    return ChannelRange{std::max(0, first - offset), std::min(channels, last - offset)};
  };
  return p;
}

Pass pad_channels(const Pass& inner, int before, int channels) {
  Pass p = inner;
  p.weight = [inner, before, channels](int term, int oc, int ic, int ky, int kx) {
    const bool zero = oc < before || oc >= before + channels;
    return zero ? 0 : inner.weight(term, oc - before, ic, ky, kx);
  };
  // Channels of zeros are written, too: through any operand channel.
  p.range = [inner, before, channels](int first, int last) {
    first = std::max(0, first - before);
    last = std::min(channels, last - before);
    return first < last ? inner.range(first, last) : ChannelRange{0, 1};
  };
  return p;
}

Pass average_pass(const Window& window, int channels, int max_level_log2) {
  std::vector<std::int32_t> levels;
  for (const Po2Reciprocal::Term& t : po2_reciprocal(window.kernel_h * window.kernel_w).terms) {
    const int step = std::min(t.shift, max_level_log2);
    const std::int32_t level = std::int32_t{1} << step;
    levels.insert(levels.end(), std::size_t{1} << (t.shift - step), t.negative ? -level : level);
  }
  Pass p = copy_pass(0, 0, channels);
  p.window = window;
  p.terms = static_cast<int>(levels.size());
  p.weight = [levels](int term, int oc, int ic, int, int) {
    return oc == ic ? levels[static_cast<std::size_t>(term)] : 0;
  };
  return p;
}

}  // namespace nbq::hw
