#include "model/families/blocks.h"

namespace nbq {
namespace {

/// One residual block.
struct Block {
  std::string name;
  int width;   ///< of its 3x3 convolutions
  int stride;  ///< 1 or 2
  bool bottleneck;
  Shape in;           ///< what the block reads
  bool pads = false;  ///< the shortcut is option A of He et al. 2016: nothing is learnt
  int out_channels() const { return bottleneck ? 4 * width : width; }
};

/// Every second pixel, and zeros for the new channels, half of them before the old ones.
int padded_shortcut(Graph& g, const Block& b, int in) {
  const SliceAttrs every_second{.size_c = b.in.c,
                                .size_h = (b.in.h + b.stride - 1) / b.stride,
                                .size_w = (b.in.w + b.stride - 1) / b.stride,
                                .step_h = b.stride,
                                .step_w = b.stride};
  const int id = g.add(b.name + ".slice", every_second, {in});
  const int added = b.out_channels() - b.in.c;
  return g.add(b.name + ".pad", PadAttrs{.before_c = added / 2, .after_c = added - added / 2},
               {id});
}

/// Returns the last relu.
int residual_block(Graph& g, const Block& b, int in) {
  int main = in;
  if (b.bottleneck) {
    main = conv_bn(g, b.name + ".conv1", main, b.width, 1, 1, true);
    main = conv_bn(g, b.name + ".conv2", main, b.width, 3, b.stride, true);
    main = conv_bn(g, b.name + ".conv3", main, b.out_channels(), 1, 1, false);
  } else {
    main = conv_bn(g, b.name + ".conv1", main, b.width, 3, b.stride, true);
    main = conv_bn(g, b.name + ".conv2", main, b.width, 3, 1, false);
  }
  int shortcut = in;
  if (b.stride != 1 || b.in.c != b.out_channels())
    shortcut = b.pads ? padded_shortcut(g, b, in)
                      : conv_bn(g, b.name + ".shortcut", in, b.out_channels(), 1, b.stride, false);
  const int id = g.add(b.name + ".add", AddAttrs{}, {main, shortcut});
  return g.add(b.name + ".relu", ReluAttrs{}, {id});
}

/// Stages of `blocks[i]` blocks, each stage twice as wide as the one before and, after the first,
/// entered by a stride of 2. `map`: of node `in`.
int residual_stages(Graph& g, int in, Shape map, const std::vector<int>& blocks, bool bottleneck,
                    bool pads = false) {
  const int base_width = map.c;
  int id = in;
  for (std::size_t stage = 0; stage < blocks.size(); ++stage)
    for (int block = 0; block < blocks[stage]; ++block) {
      const Block b{fmt::format("stage{}.block{}", stage + 1, block + 1),
                    base_width << stage,
                    stage > 0 && block == 0 ? 2 : 1,
                    bottleneck,
                    map,
                    pads};
      id = residual_block(g, b, id);
      map = {b.out_channels(), (map.h + b.stride - 1) / b.stride,
             (map.w + b.stride - 1) / b.stride};
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
  if (s.shortcut != "conv" && s.shortcut != "pad")
    return make_error(ErrorCode::kInvalidArgument,
                      "model.shortcut: must be \"conv\" or \"pad\", it is \"{}\"", s.shortcut);
  Graph g = image_graph(s);
  int id = conv_bn(g, "conv1", 0, s.base_width, 3, 1, true);
  id = residual_stages(g, id, {s.base_width, s.height, s.width},
                       std::vector<int>(3, (s.depth - 2) / 6), false, s.shortcut == "pad");
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
    // Only the width is needed: these shortcuts are convolutions.
    id = residual_stages(g, id, {s.base_width, s.height, s.width}, form.blocks, form.bottleneck);
    classify(g, id, s.classes);
    return g;
  }
  return make_error(ErrorCode::kInvalidArgument,
                    "model.depth: must be 18, 34, 50, 101 or 152, it is {}", s.depth);
}

}  // namespace nbq
