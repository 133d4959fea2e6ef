#include "model/families/blocks.h"

namespace nbq {
namespace {

/// Batch norm where it is asked for (the layer has no bias then), and relu.
int activate(Graph& g, const std::string& name, int in, bool norm) {
  return norm ? bn_relu(g, name, in) : g.add(name + ".relu", ReluAttrs{}, {in});
}

}  // namespace

// No dropout: batch norm and weight decay regularise here, and a quantised phase has no use for it.
Result<Graph> build_alexnet(const BuildSpec& s) {
  NBQ_TRY(check_stem(s));
  const bool large = s.stem == "imagenet";
  Graph g = image_graph(s);
  int id = 0, layer = 0;
  const auto conv = [&](int out_channels, const Window& window) {
    const std::string name = fmt::format("conv{}", ++layer);
    id = g.add(name, Conv2dAttrs{out_channels, 1, !s.norm, window}, {id});
    id = activate(g, name, id, s.norm);
  };
  const auto pool = [&] {
    const Window window = large ? square(3, 2, 0) : square(2, 2, 0);
    id = g.add(fmt::format("pool{}", layer), MaxPoolAttrs{window}, {id});
  };
  const int w = s.base_width;
  conv(w, large ? square(11, 4, 2) : square(3, 2));
  pool();
  conv(3 * w, square(5, 1));
  pool();
  conv(6 * w, square(3, 1));
  conv(4 * w, square(3, 1));
  conv(4 * w, square(3, 1));
  pool();
  id = g.add("flatten", FlattenAttrs{}, {id});
  for (int i = 1; i <= 2; ++i) {
    const std::string name = fmt::format("fc{}", i);
    id = g.add(name, LinearAttrs{(large ? 64 : 8) * w, !s.norm}, {id});
    id = activate(g, name, id, s.norm);
  }
  g.add("fc3", LinearAttrs{s.classes, true}, {id});
  return g;
}

}  // namespace nbq
