#include "model/builders.h"

namespace nbq {
namespace {

Window square(int kernel, int stride) {
  Window w;
  w.kernel_h = w.kernel_w = kernel;
  w.stride_h = w.stride_w = stride;
  w.pad_top = w.pad_left = w.pad_bottom = w.pad_right = kernel / 2;
  return w;
}

/// Convolution and batch norm, and a relu when asked; returns the last id.
int conv_bn(Graph& g, const std::string& name, int in, int out_channels, int kernel, int stride,
            bool relu) {
  int id = g.add(name, Conv2dAttrs{out_channels, 1, false, square(kernel, stride)}, {in});
  id = g.add(name + ".bn", BatchNormAttrs{}, {id});
  return relu ? g.add(name + ".relu", ReluAttrs{}, {id}) : id;
}

Result<Graph> build_nbqnn(const BuildSpec& s) {
  if (s.stages.empty())
    return make_error(ErrorCode::kInvalidArgument,
                      "model.stages: a list of lists of widths is needed");
  Graph g;
  int id = g.add("image", InputAttrs{s.channels, s.height, s.width, {}, {}}, {});
  for (std::size_t i = 0; i < s.stages.size(); ++i)
    for (std::size_t j = 0; j < s.stages[i].size(); ++j)
      id = conv_bn(g, fmt::format("conv{}_{}", i + 1, j + 1), id, s.stages[i][j], 3,
                   i > 0 && j == 0 ? 2 : 1, true);
  id = g.add("classes", Conv2dAttrs{s.classes, 1, true, square(3, 1)}, {id});
  g.add("pool", GlobalAvgPoolAttrs{}, {id});
  return g;
}

Result<Graph> build_resnet_cifar(const BuildSpec& s) {
  if (s.depth < 8 || (s.depth - 2) % 6 != 0)
    return make_error(ErrorCode::kInvalidArgument,
                      "model.depth: must be 6 n + 2 (20, 32, 44, 56, 110), "
                      "it is {}",
                      s.depth);
  Graph g;
  int id = g.add("image", InputAttrs{s.channels, s.height, s.width, {}, {}}, {});
  id = conv_bn(g, "conv1", id, 16, 3, 1, true);
  const int blocks = (s.depth - 2) / 6;
  for (int stage = 0; stage < 3; ++stage)
    for (int block = 0; block < blocks; ++block) {
      const std::string name = fmt::format("stage{}.block{}", stage + 1, block + 1);
      const int width = 16 << stage;
      const int stride = stage > 0 && block == 0 ? 2 : 1;
      int main = conv_bn(g, name + ".conv1", id, width, 3, stride, true);
      main = conv_bn(g, name + ".conv2", main, width, 3, 1, false);
      const int shortcut =
          stride == 1 ? id : conv_bn(g, name + ".shortcut", id, width, 1, stride, false);
      id = g.add(name + ".add", AddAttrs{}, {main, shortcut});
      id = g.add(name + ".relu", ReluAttrs{}, {id});
    }
  id = g.add("pool", GlobalAvgPoolAttrs{}, {id});
  id = g.add("flatten", FlattenAttrs{}, {id});
  g.add("fc", LinearAttrs{s.classes, true}, {id});
  return g;
}

struct Builder {
  const char* family;
  Result<Graph> (*build)(const BuildSpec&);
};
constexpr Builder kBuilders[] = {{"nbqnn", build_nbqnn}, {"resnet_cifar", build_resnet_cifar}};

}  // namespace

Result<Graph> build_graph(const BuildSpec& spec) {
  std::string known;
  for (const Builder& b : kBuilders) {
    if (spec.family == b.family) {
      NBQ_ASSIGN(Graph g, b.build(spec));
      NBQ_TRY(infer_shapes(g));
      return g;
    }
    known += (known.empty() ? "" : ", ") + std::string(b.family);
  }
  return make_error(ErrorCode::kInvalidArgument,
                    "model.family: no family is named {}; there are {}", spec.family, known);
}

}  // namespace nbq
