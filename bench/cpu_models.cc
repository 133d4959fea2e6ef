// The networks that bench/cpu and bench/cycle_model measure, with random weights, for nbq and for
// other engines: bench/cpu_models FOLDER writes NAME.nbq, NAME.qdq.onnx, NAME.uint8.qdq.onnx (all
// activations uint8) and NAME.float.onnx of each. All ONNX models take pixels.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "exchange/onnx_export.h"
#include "model/builders.h"
#include "model/nbq_file.h"
#include "random_network.h"

namespace nbq {
namespace {

struct Options {
  std::filesystem::path folder;
  std::vector<std::string> only;
  std::uint32_t seed = 1;
  QuantSpec quant;
};

struct Network {
  const char* name;
  BuildSpec spec;
};

const std::vector<Network>& networks() {
  const auto make = [](const char* family, int side, int classes) {
    BuildSpec s;
    s.family = family;
    s.height = s.width = side;
    s.classes = classes;
    s.norm = true;
    return s;
  };
  BuildSpec nbqnn;  // its T form, as zoo/nbqnn-cifar10.toml
  nbqnn.family = "nbqnn";
  nbqnn.stages = {{48, 48}, {96, 96, 96}, {176, 176, 176, 176}};
  static const std::vector<Network> rows = {{"resnet20", make("resnet_cifar", 32, 10)},
                                            {"alexnet", make("alexnet", 224, 1000)},
                                            {"densenet40", make("densenet_bc", 32, 10)},
                                            {"vgg", make("vgg_small", 32, 10)},
                                            {"nbqnn", nbqnn},
                                            {"resnet18", make("resnet", 224, 1000)}};
  return rows;
}

bool wanted(const Options& o, const std::string& name) {
  return o.only.empty() || std::find(o.only.begin(), o.only.end(), name) != o.only.end();
}

Status write_models(const Options& o) {
  for (const Network& n : networks()) {
    if (!wanted(o, n.name)) continue;
    NBQ_ASSIGN(Graph structure, build_graph(n.spec));
    structure.name = n.name;
    NBQ_ASSIGN(const Graph integer, random_network(std::move(structure), o.quant, o.seed));
    const auto path = [&](const char* suffix) { return o.folder / (std::string(n.name) + suffix); };
    NBQ_TRY(save_nbq(path(".nbq"), integer));
    NBQ_TRY(export_onnx(path(".qdq.onnx"), integer, {}));
    NBQ_TRY(export_onnx(path(".uint8.qdq.onnx"), integer, {.all_uint8 = true}));
    NBQ_TRY(export_onnx(path(".float.onnx"), integer, {.form = OnnxForm::kFloat}));
    std::printf("%s: %lld weights and biases, %lld multiply-accumulates\n", n.name,
                static_cast<long long>(total_params(integer)),
                static_cast<long long>(total_macs(integer)));
  }
  return ok_status();
}

int run(int argc, char** argv) {
  Options o;
  std::vector<std::string> names;
  for (const Network& n : networks()) names.emplace_back(n.name);
  CLI::App app{"random networks as .nbq and ONNX, for bench/cpu"};
  app.add_option("folder", o.folder, "to write to")->required();
  app.add_option("--only", o.only, "these networks")->check(CLI::IsMember(names));
  app.add_option("--seed", o.seed, "of the weights");
  app.add_option("--weight-bits", o.quant.weight_bits)->check(CLI::Range(1, 4));
  app.add_option("--act-bits", o.quant.act_bits)->check(CLI::Range(2, 8));
  CLI11_PARSE(app, argc, argv);
  if (const Status s = write_models(o); !s.ok()) {
    std::fprintf(stderr, "cpu_models: %s\n", s.error().message.c_str());
    return exit_code(s.error());
  }
  return 0;
}

}  // namespace
}  // namespace nbq

int main(int argc, char** argv) { return nbq::run(argc, argv); }
