#include "model/families/blocks.h"

namespace nbq {

Window square(int kernel, int stride, int pad) {
  Window w;
  w.kernel_h = w.kernel_w = kernel;
  w.stride_h = w.stride_w = stride;
  w.pad_top = w.pad_left = w.pad_bottom = w.pad_right = pad;
  return w;
}

Window square(int kernel, int stride) { return square(kernel, stride, kernel / 2); }

Graph image_graph(const BuildSpec& s) {
  Graph g;
  g.add("image", InputAttrs{s.channels, s.height, s.width, {}, {}}, {});
  return g;
}

int conv_bn(Graph& g, const std::string& name, int in, int out_channels, int kernel, int stride,
            bool relu) {
  int id = g.add(name, Conv2dAttrs{out_channels, 1, false, square(kernel, stride)}, {in});
  id = g.add(name + ".bn", BatchNormAttrs{}, {id});
  return relu ? g.add(name + ".relu", ReluAttrs{}, {id}) : id;
}

int bn_relu(Graph& g, const std::string& name, int in) {
  const int id = g.add(name + ".bn", BatchNormAttrs{}, {in});
  return g.add(name + ".relu", ReluAttrs{}, {id});
}

void classify(Graph& g, int in, int classes) {
  int id = g.add("pool", GlobalAvgPoolAttrs{}, {in});
  id = g.add("flatten", FlattenAttrs{}, {id});
  g.add("fc", LinearAttrs{classes, true}, {id});
}

Status check_stem(const BuildSpec& s) {
  if (s.stem == "cifar" || s.stem == "imagenet") return ok_status();
  return make_error(ErrorCode::kInvalidArgument,
                    "model.stem: must be \"cifar\" or \"imagenet\", it is \"{}\"", s.stem);
}

int imagenet_stem(Graph& g, int width) {
  const int id = conv_bn(g, "conv1", 0, width, 7, 2, true);
  return g.add("pool1", MaxPoolAttrs{square(3, 2)}, {id});
}

}  // namespace nbq
