#include "cli/model_info.h"

#include "core/file.h"
#include "model/nbq_file.h"

namespace nbq::cli {
namespace {

const char* stage_name(Stage s) {
  constexpr const char* kNames[] = {"float", "quantised", "integer"};
  return kNames[static_cast<int>(s)];
}

/// Numbers of a layer, and the bits that its codes take.
struct Counts {
  std::int64_t params = 0, weights = 0, code_bits = 0, macs = 0;
};

Result<Counts> count(const Graph& g, std::size_t id) {
  const Node& n = g.nodes[id];
  NBQ_ASSIGN(const LayerInfo info, describe(g, static_cast<int>(id)));
  Counts c;
  c.macs = info.macs;
  for (const ParamSpec& p : info.params) {
    std::int64_t elements = 1;
    for (const std::int64_t d : p.dims) elements *= d;
    if (p.learnt) c.params += elements;
    if (p.name == "weight" && n.po2.bits != 0) {
      c.weights += elements;
      c.code_bits += elements * n.po2.bits;
    }
  }
  return c;
}

}  // namespace

Result<nlohmann::ordered_json> model_info(const std::filesystem::path& path) {
  NBQ_ASSIGN(const Graph g, load_nbq(path));
  NBQ_ASSIGN(const auto bytes, read_file(path));
  int weight_bits = 0, act_bits = 0, acc_bits = 0;
  Counts all;
  auto layers = nlohmann::ordered_json::array();
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    const Node& n = g.nodes[id];
    NBQ_ASSIGN(const Counts c, count(g, id));
    all.params += c.params;
    all.weights += c.weights;
    all.code_bits += c.code_bits;
    all.macs += c.macs;
    if (n.kind() != OpKind::kBatchNorm) weight_bits = std::max(weight_bits, n.po2.bits);
    act_bits = std::max(act_bits, n.act.bits);
    acc_bits = std::max(acc_bits, n.po2.acc_bits);
    layers.push_back({{"name", n.name},
                      {"op", op_name(n.kind())},
                      {"shape", {n.shape.c, n.shape.h, n.shape.w}},
                      {"params", c.params},
                      {"macs", c.macs},
                      {"code_bytes", (c.code_bits + 7) / 8},
                      {"weight_bits", n.po2.bits},
                      {"act_bits", n.act.bits},
                      {"acc_bits", n.po2.acc_bits}});
  }
  return nlohmann::ordered_json{{"model", path.string()},
                                {"name", g.name},
                                {"stage", stage_name(g.stage)},
                                {"quantizer", g.quantizer},
                                {"model_bytes", bytes.size()},
                                {"code_bytes", (all.code_bits + 7) / 8},
                                {"float_bytes", all.params * 4},
                                {"weight_bits", weight_bits},
                                {"act_bits", act_bits},
                                {"acc_bits", acc_bits},
                                {"params", all.params},
                                {"weights", all.weights},
                                {"macs", all.macs},
                                {"classes", g.class_names},
                                {"layers", layers}};
}

}  // namespace nbq::cli
