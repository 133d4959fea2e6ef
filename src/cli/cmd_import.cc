#include "cli/cli.h"
#include "core/log.h"
#include "exchange/onnx_import.h"
#include "model/nbq_file.h"

namespace nbq::cli {
namespace {

struct ImportCommand {
  std::string model, out;
  ImportOptions options;
  std::vector<int> input;
};

Status import_command(ImportCommand o, Context& context) {
  if (!o.input.empty()) o.options.input = Shape{o.input[0], o.input[1], o.input[2]};
  std::vector<std::string> notes;
  NBQ_ASSIGN(const Graph graph, import_onnx(o.model, o.options, &notes));
  const bool integer = graph.stage == Stage::kInteger;
  if (o.options.mean.empty() && !integer)
    notes.emplace_back(
        "no --mean and --std: pixels become (byte - 128) / 128; a network that expects 0..1 wants "
        "--mean 0 --std 1");
  for (const std::string& note : notes) log_info("{}", note);
  NBQ_TRY(save_nbq(o.out, graph));
  const Shape& in = graph.input().shape;
  const std::int64_t outputs = graph.output().shape.size();
  context.print({{"model", o.out},
                 {"name", graph.name},
                 {"stage", integer ? "integer" : "float"},
                 {"input", {in.c, in.h, in.w}},
                 {"outputs", outputs},
                 {"layers", graph.nodes.size() - 1},
                 {"parameters", total_params(graph)},
                 {"macs", total_macs(graph)},
                 {"notes", notes}},
                fmt::format("{}: {} network {}, {}x{}x{} images, {} outputs, {} layers, {} "
                            "parameters\n",
                            o.out, integer ? "integer" : "float", graph.name, in.c, in.h, in.w,
                            outputs, graph.nodes.size() - 1, total_params(graph)));
  return ok_status();
}

}  // namespace

void add_import(CLI::App& app, Context& context) {
  auto o = std::make_shared<ImportCommand>();
  CLI::App* cmd = add_command(app, context, "import", "make a network from an ONNX model",
                              [o, &context] { return import_command(*o, context); });
  cmd->add_option("model", o->model, ".onnx file, opset 9 to 28")->required();
  cmd->add_option("-o,--out", o->out,
                  "file to write: a float .nbq, or an integer one where the model is quantised")
      ->required();
  cmd->add_option(
         "--mean", o->options.mean,
         "what the network's training took off pixels of 0..1, one number or one a channel")
      ->delimiter(',');
  cmd->add_option("--std", o->options.std, "and what it divided them by")->delimiter(',');
  cmd->add_option("--input", o->input, "C,H,W of the image, where the model leaves it open")
      ->delimiter(',')
      ->expected(3)
      ->check(CLI::Range(1, 1 << 14));
  cmd->add_option("--name", o->options.name, "of the network [the file's]");
}

}  // namespace nbq::cli
