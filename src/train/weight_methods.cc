#include "train/weight_methods.h"

#include <algorithm>

#include "model/op_table.h"

namespace nbq {

#define NBQ_WEIGHT_METHOD(suffix, ...) MethodFacts facts_##suffix(int, std::int64_t);
#include "train/weight_methods.def"

std::span<const MethodRow> method_rows() {
  static constexpr MethodRow kRows[] = {
#define NBQ_WEIGHT_METHOD(suffix, name, lo, hi, bits, ends, paper) \
  {name, lo, hi, bits, ends, paper, facts_##suffix},
#include "train/weight_methods.def"
  };
  return kRows;
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const MethodRow& r : method_rows()) names.emplace_back(r.name);
  return names;
}

Result<const MethodRow*> find_method(std::string_view name) {
  for (const MethodRow& r : method_rows())
    if (r.name == name) return &r;
  return make_error(ErrorCode::kInvalidArgument, "no weight method is named {}; there are {}", name,
                    fmt::join(method_names(), ", "));
}

std::vector<int> method_layers(const Graph& graph, bool first_last_float) {
  std::vector<int> ids;
  for (std::size_t id = 0; id < graph.nodes.size(); ++id)
    if (is_matrix(graph.nodes[id].kind())) ids.push_back(static_cast<int>(id));
  if (!first_last_float) return ids;
  if (ids.size() <= 2) return {};
  return {ids.begin() + 1, ids.end() - 1};
}

Result<WeightSize> weight_size(const Graph& graph, const MethodRow& method, int bits,
                               bool first_last_float) {
  WeightSize size;
  const std::vector<int> chosen = method_layers(graph, first_last_float);
  for (const int id : method_layers(graph, false)) {
    NBQ_ASSIGN(const LayerInfo info, describe(graph, id));
    const std::vector<std::int64_t>& dims = info.params[0].dims;
    std::int64_t count = 1;
    for (const std::int64_t d : dims) count *= d;
    size.weights += count;
    const Po2Weights& po2 = graph.nodes[static_cast<std::size_t>(id)].po2;
    const bool by_method =
        method.quantises() && std::find(chosen.begin(), chosen.end(), id) != chosen.end();
    const int width = graph.stage != Stage::kFloat ? po2.bits : by_method ? bits : 32;
    size.bytes += static_cast<std::int64_t>(packed_bytes(static_cast<std::size_t>(count), width));
    if (graph.stage != Stage::kFloat)
      size.bytes += static_cast<std::int64_t>(po2.exps.size());
    else if (by_method)
      size.bytes += method.facts(bits, dims[0]).scale_bytes;
  }
  return size;
}

}  // namespace nbq
