#include "model/families/blocks.h"

namespace nbq {

Result<Graph> build_vgg_small(const BuildSpec& s) {
  Graph g = image_graph(s);
  int id = 0;
  for (int stage = 0; stage < 3; ++stage) {
    for (int i = 1; i <= 2; ++i)
      id =
          conv_bn(g, fmt::format("conv{}_{}", stage + 1, i), id, s.base_width << stage, 3, 1, true);
    id = g.add(fmt::format("pool{}", stage + 1), MaxPoolAttrs{square(2, 2, 0)}, {id});
  }
  id = g.add("flatten", FlattenAttrs{}, {id});
  g.add("fc", LinearAttrs{s.classes, true}, {id});
  return g;
}

}  // namespace nbq
