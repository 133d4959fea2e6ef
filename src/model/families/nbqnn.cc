#include "model/families/blocks.h"

namespace nbq {

std::vector<std::vector<int>> nbqnn_form(std::string_view form) {
  if (form == "T") return {{48, 48}, {96, 96, 96}, {176, 176, 176, 176}};
  if (form == "S") return {{64, 64}, {128, 128, 128}, {256, 256, 256, 256}};
  if (form == "L") return {{128, 128}, {256, 256, 256}, {512, 512, 512, 512}};
  return {};
}

Result<Graph> build_nbqnn(const BuildSpec& s) {
  if (s.stages.empty() || s.stages[0].empty())
    return make_error(ErrorCode::kInvalidArgument,
                      "model.stages: a list of lists of widths is needed");
  NBQ_TRY(check_stem(s));
  Graph g = image_graph(s);
  int id = 0;
  if (s.stem == "imagenet") {
    const int width = s.stages[0][0];
    id = conv_bn(g, "stem1", id, (width + 1) / 2, 3, 2, true);
    id = conv_bn(g, "stem2", id, width, 3, 2, true);
  }
  for (std::size_t i = 0; i < s.stages.size(); ++i)
    for (std::size_t j = 0; j < s.stages[i].size(); ++j)
      id = conv_bn(g, fmt::format("conv{}_{}", i + 1, j + 1), id, s.stages[i][j], 3,
                   i > 0 && j == 0 ? 2 : 1, true);
  id = g.add("classes", Conv2dAttrs{s.classes, 1, true, square(3, 1)}, {id});
  g.add("pool", GlobalAvgPoolAttrs{}, {id});
  return g;
}

}  // namespace nbq
