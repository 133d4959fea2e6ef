#include "cli/cli.h"
#include "cli/model_info.h"

namespace nbq::cli {
namespace {

std::string layer_table(const nlohmann::ordered_json& layers) {
  const auto row = [](const auto&... cells) {
    return fmt::format("{:<24} {:<16} {:>14} {:>10} {:>12} {:>10} {:>5} {:>5} {:>5}\n", cells...);
  };
  const auto bits = [](const nlohmann::ordered_json& b) {
    return b.get<int>() == 0 ? std::string("-") : b.dump();
  };
  std::string out = row("layer", "op", "output", "params", "MACs", "bytes", "w", "act", "acc");
  for (const auto& l : layers) {
    const auto& s = l["shape"];
    out += row(l["name"].get<std::string>(), l["op"].get<std::string>(),
               fmt::format("{}x{}x{}", s[0].dump(), s[1].dump(), s[2].dump()), l["params"].dump(),
               l["macs"].dump(), bits(l["code_bytes"]), bits(l["weight_bits"]), bits(l["act_bits"]),
               bits(l["acc_bits"]));
  }
  return out;
}

Status info_command(const std::string& path, Context& context) {
  NBQ_ASSIGN(const auto j, model_info(path));
  context.print(
      j, fmt::format("{} ({}): {} parameters, {} multiply-accumulates an image\n{} bytes, of them "
                     "{} weight codes; as float32 {}\n\n{}",
                     j["name"].get<std::string>(), j["stage"].get<std::string>(),
                     j["params"].dump(), j["macs"].dump(), j["model_bytes"].dump(),
                     j["code_bytes"].dump(), j["float_bytes"].dump(), layer_table(j["layers"])));
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
