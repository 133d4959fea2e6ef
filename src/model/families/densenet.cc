#include <cmath>

#include "model/families/blocks.h"

namespace nbq {
namespace {

/// Layers of each block: three equal blocks of two convolutions a layer, or as given.
Result<std::vector<int>> block_sizes(const BuildSpec& s) {
  if (!s.blocks.empty()) return s.blocks;
  if (s.depth < 10 || (s.depth - 4) % 6 != 0)
    return make_error(ErrorCode::kInvalidArgument,
                      "model.depth: must be 6 n + 4 (40, 100, 190) without blocks, it is {}",
                      s.depth);
  return std::vector<int>(3, (s.depth - 4) / 6);
}

/// 1x1 to 4 growth channels, 3x3 to growth, joined to what the layer read; returns the join.
int dense_layer(Graph& g, const std::string& name, int in, int growth) {
  int id = bn_relu(g, name + ".pre", in);
  id = conv_bn(g, name + ".conv1", id, 4 * growth, 1, 1, true);
  id = g.add(name + ".conv2", Conv2dAttrs{growth, 1, false, square(3, 1)}, {id});
  return g.add(name + ".join", ConcatAttrs{}, {in, id});
}

/// 1x1 to `out_channels`, then the average of every 2x2.
int transition(Graph& g, const std::string& name, int in, int out_channels) {
  int id = bn_relu(g, name + ".pre", in);
  id = g.add(name + ".conv", Conv2dAttrs{out_channels, 1, false, square(1, 1)}, {id});
  return g.add(name + ".pool", AvgPoolAttrs{square(2, 2, 0)}, {id});
}

}  // namespace

Result<Graph> build_densenet_bc(const BuildSpec& s) {
  NBQ_TRY(check_stem(s));
  NBQ_ASSIGN(const std::vector<int> blocks, block_sizes(s));
  if (!(s.compression > 0 && s.compression <= 1))
    return make_error(ErrorCode::kInvalidArgument,
                      "model.compression: must be above 0 and up to 1, it is {}", s.compression);
  Graph g = image_graph(s);
  int channels = 2 * s.growth;
  int id = s.stem == "imagenet"
               ? imagenet_stem(g, channels)
               : g.add("conv1", Conv2dAttrs{channels, 1, false, square(3, 1)}, {0});
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    for (int layer = 0; layer < blocks[block]; ++layer, channels += s.growth)
      id = dense_layer(g, fmt::format("block{}.layer{}", block + 1, layer + 1), id, s.growth);
    if (block + 1 == blocks.size()) break;
    channels = std::max(1, static_cast<int>(std::floor(channels * s.compression)));
    id = transition(g, fmt::format("transition{}", block + 1), id, channels);
  }
  id = bn_relu(g, "last", id);
  classify(g, id, s.classes);
  return g;
}

}  // namespace nbq
