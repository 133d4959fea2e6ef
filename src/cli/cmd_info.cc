#include "cli/cli.h"
#include "core/file.h"
#include "model/nbq_file.h"

namespace nbq::cli {
namespace {

const char* stage_name(Stage s) {
  constexpr const char* kNames[] = {"float", "quantised", "integer"};
  return kNames[static_cast<int>(s)];
}

Status info_command(const std::string& path, Context& context) {
  NBQ_ASSIGN(const Graph g, load_nbq(path));
  NBQ_ASSIGN(const auto bytes, read_file(path));
  int weight_bits = 0, act_bits = 0, acc_bits = 0;
  std::int64_t params = 0, weights = 0, code_bits = 0, macs = 0;
  auto layers = nlohmann::ordered_json::array();
  std::string table = fmt::format("{:<24} {:<16} {:>14} {:>10} {:>12} {:>5} {:>5} {:>5}\n", "layer",
                                  "op", "output", "params", "MACs", "w", "act", "acc");
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    const Node& n = g.nodes[id];
    NBQ_ASSIGN(const LayerInfo info, describe(g, static_cast<int>(id)));
    std::int64_t count = 0;
    for (const ParamSpec& p : info.params) {
      std::int64_t elements = 1;
      for (const std::int64_t d : p.dims) elements *= d;
      if (p.learnt) count += elements;
      if (p.name == "weight" && n.po2.bits != 0) {
        weights += elements;
        code_bits += elements * n.po2.bits;
      }
    }
    params += count;
    macs += info.macs;
    if (n.kind() != OpKind::kBatchNorm) weight_bits = std::max(weight_bits, n.po2.bits);
    act_bits = std::max(act_bits, n.act.bits);
    acc_bits = std::max(acc_bits, n.po2.acc_bits);
    layers.push_back({{"name", n.name},
                      {"op", op_name(n.kind())},
                      {"shape", {n.shape.c, n.shape.h, n.shape.w}},
                      {"params", count},
                      {"macs", info.macs},
                      {"weight_bits", n.po2.bits},
                      {"act_bits", n.act.bits},
                      {"acc_bits", n.po2.acc_bits}});
    const auto bits = [](int b) { return b == 0 ? std::string("-") : std::to_string(b); };
    table +=
        fmt::format("{:<24} {:<16} {:>14} {:>10} {:>12} {:>5} {:>5} {:>5}\n", n.name,
                    op_name(n.kind()), fmt::format("{}x{}x{}", n.shape.c, n.shape.h, n.shape.w),
                    count, info.macs, bits(n.po2.bits), bits(n.act.bits), bits(n.po2.acc_bits));
  }
  const nlohmann::ordered_json j{{"model", path},
                                 {"name", g.name},
                                 {"stage", stage_name(g.stage)},
                                 {"quantizer", g.quantizer},
                                 {"model_bytes", bytes.size()},
                                 {"code_bytes", (code_bits + 7) / 8},
                                 {"float_bytes", params * 4},
                                 {"weight_bits", weight_bits},
                                 {"act_bits", act_bits},
                                 {"acc_bits", acc_bits},
                                 {"params", params},
                                 {"weights", weights},
                                 {"macs", macs},
                                 {"classes", g.class_names},
                                 {"layers", layers}};
  context.print(
      j, fmt::format("{} ({}): {} parameters, {} multiply-accumulates an image\n{} bytes, as "
                     "float32 {}\n\n{}",
                     g.name, stage_name(g.stage), params, macs, bytes.size(), params * 4, table));
  return ok_status();
}

}  // namespace

void add_info(CLI::App& app, Context& context) {
  auto path = std::make_shared<std::string>();
  CLI::App* cmd = add_command(app, context, "info", "layers, bits, bytes and work of a model",
                              [path, &context] { return info_command(*path, context); });
  cmd->add_option("model", *path, ".nbq file")->required();
}

}  // namespace nbq::cli
