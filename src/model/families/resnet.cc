#include "model/families/blocks.h"

namespace nbq {
namespace {

/// One residual block.
struct Block {
  std::string name;
  int width;   ///< of its 3x3 convolutions
  int stride;  ///< 1 or 2
  bool bottleneck;
  int out_channels() const { return bottleneck ? 4 * width : width; }
};

/// `in_channels` are those of node `in`; returns the last relu.
int residual_block(Graph& g, const Block& b, int in, int in_channels) {
  int main = in;
  if (b.bottleneck) {
    main = conv_bn(g, b.name + ".conv1", main, b.width, 1, 1, true);
    main = conv_bn(g, b.name + ".conv2", main, b.width, 3, b.stride, true);
    main = conv_bn(g, b.name + ".conv3", main, b.out_channels(), 1, 1, false);
  } else {
    main = conv_bn(g, b.name + ".conv1", main, b.width, 3, b.stride, true);
    main = conv_bn(g, b.name + ".conv2", main, b.width, 3, 1, false);
  }
  const bool same = b.stride == 1 && in_channels == b.out_channels();
  const int shortcut =
      same ? in : conv_bn(g, b.name + ".shortcut", in, b.out_channels(), 1, b.stride, false);
  const int id = g.add(b.name + ".add", AddAttrs{}, {main, shortcut});
  return g.add(b.name + ".relu", ReluAttrs{}, {id});
}

/// Stages of `blocks[i]` blocks, each stage twice as wide as the one before and, after the first,
/// entered by a stride of 2.
int residual_stages(Graph& g, int in, int base_width, const std::vector<int>& blocks,
                    bool bottleneck) {
  int id = in, channels = base_width;
  for (std::size_t stage = 0; stage < blocks.size(); ++stage)
    for (int block = 0; block < blocks[stage]; ++block) {
      const Block b{fmt::format("stage{}.block{}", stage + 1, block + 1), base_width << stage,
                    stage > 0 && block == 0 ? 2 : 1, bottleneck};
      id = residual_block(g, b, id, channels);
      channels = b.out_channels();
    }
  return id;
}

/// Blocks a stage, and their kind, by depth: table 1 of He et al. 2016.
struct ResnetForm {
  int depth;
  std::vector<int> blocks;
  bool bottleneck;
};
const std::vector<ResnetForm>& resnet_forms() {
  static const std::vector<ResnetForm> forms = {{18, {2, 2, 2, 2}, false},
                                                {34, {3, 4, 6, 3}, false},
                                                {50, {3, 4, 6, 3}, true},
                                                {101, {3, 4, 23, 3}, true},
                                                {152, {3, 8, 36, 3}, true}};
  return forms;
}

}  // namespace

Result<Graph> build_resnet_cifar(const BuildSpec& s) {
  if (s.depth < 8 || (s.depth - 2) % 6 != 0)
    return make_error(ErrorCode::kInvalidArgument,
                      "model.depth: must be 6 n + 2 (20, 32, 44, 56, 110), "
                      "it is {}",
                      s.depth);
  if (s.shortcut != "conv")
    return make_error(ErrorCode::kInvalidArgument, "model.shortcut: must be \"conv\", it is \"{}\"",
                      s.shortcut);
  Graph g = image_graph(s);
  int id = conv_bn(g, "conv1", 0, s.base_width, 3, 1, true);
  id = residual_stages(g, id, s.base_width, std::vector<int>(3, (s.depth - 2) / 6), false);
  classify(g, id, s.classes);
  return g;
}

Result<Graph> build_resnet(const BuildSpec& s) {
  NBQ_TRY(check_stem(s));
  for (const ResnetForm& form : resnet_forms()) {
    if (form.depth != s.depth) continue;
    Graph g = image_graph(s);
    int id = s.stem == "imagenet" ? imagenet_stem(g, s.base_width)
                                  : conv_bn(g, "conv1", 0, s.base_width, 3, 1, true);
    id = residual_stages(g, id, s.base_width, form.blocks, form.bottleneck);
    classify(g, id, s.classes);
    return g;
  }
  return make_error(ErrorCode::kInvalidArgument,
                    "model.depth: must be 18, 34, 50, 101 or 152, it is {}", s.depth);
}

}  // namespace nbq
