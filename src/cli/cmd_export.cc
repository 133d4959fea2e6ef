#include <algorithm>

#include "cli/cli.h"
#include "cli/evaluate.h"
#include "core/file.h"
#include "exchange/c_export.h"
#include "exchange/onnx_export.h"
#include "model/nbq_file.h"
#include "train/executor.h"

namespace nbq::cli {
namespace {

/// Those of post-training quantisation.
constexpr const char* kQuantising[] = {"--data",      "--weight-bits", "--act-bits",
                                       "--quantizer", "--scale",       "--calibration-images"};

struct ExportOptions {
  std::string model, out, data, granularity = "channel", to = "nbq", input, name;
  bool all_uint8 = false;
  QuantSpec spec;
  std::size_t calibration = 256;
  CLI::App* command = nullptr;
};

/// Options that the form has no use for.
Status check_form(const ExportOptions& o) {
  const auto only = [&](bool given, const char* option, std::initializer_list<const char*> forms) {
    if (!given || std::find(forms.begin(), forms.end(), o.to) != forms.end()) return ok_status();
    return Status(make_error(ErrorCode::kInvalidArgument,
                             "{}: goes with --to {}; {} has no use for it", option,
                             fmt::join(forms, ", "), o.to));
  };
  NBQ_TRY(only(!o.input.empty(), "--input", {"onnx-qdq", "qonnx", "onnx-float"}));
  NBQ_TRY(only(o.all_uint8, "--all-uint8", {"onnx-qdq"}));
  return only(!o.name.empty(), "--name", {"c"});
}

/// Options that a network which is quantised already has no use for.
Status check_stage(const ExportOptions& o, Stage stage) {
  if (stage == Stage::kFloat) return ok_status();
  for (const char* option : kQuantising)
    if (o.command->count(option) > 0)
      return make_error(ErrorCode::kInvalidArgument,
                        "{}: {} is quantised already; the option is for float models", option,
                        o.model);
  return ok_status();
}

/// A run folder stands for its quantised.nbq.
std::filesystem::path model_of(const std::string& given) {
  const std::filesystem::path p = given;
  std::error_code ec;
  return std::filesystem::is_directory(p, ec) ? p / "quantised.nbq" : p;
}

/// The integer network of a float or quantised one.
Result<Graph> deployed(Graph graph, const ExportOptions& o) {
  if (graph.stage == Stage::kFloat) {
    if (o.data.empty())
      return make_error(ErrorCode::kInvalidArgument,
                        "{}: is a float network; give --data with training "
                        "images to choose the activations' formats, or learn it with nbq train",
                        o.model);
    NBQ_ASSIGN(const ImageSourcePtr source, open_for_model(o.data, graph, Split::kTrain));
    QuantSpec spec = o.spec;
    spec.granularity =
        o.granularity == "layer" ? ScaleGranularity::kPerLayer : ScaleGranularity::kPerChannel;
    NBQ_ASSIGN(graph, quantise_post_training(graph, spec, *source, o.calibration));
  }
  return deploy(graph);
}

OnnxForm form_of(const std::string& to) {
  if (to == "onnx-float") return OnnxForm::kFloat;
  return to == "qonnx" ? OnnxForm::kQonnx : OnnxForm::kQdq;
}

Result<std::vector<std::uint8_t>> encode(const Graph& integer, const ExportOptions& o) {
  if (o.to == "nbq") return encode_nbq(integer);
  return export_onnx_bytes(integer,
                           {.form = form_of(o.to),
                            .input = o.input == "float" ? OnnxInput::kFloat : OnnxInput::kUint8,
                            .all_uint8 = o.all_uint8});
}

Status write_c(const Graph& integer, const ExportOptions& o, Context& context) {
  NBQ_ASSIGN(const CSource c, export_c(o.out, integer, o.name));
  context.print(
      {{"model", o.out},
       {"weight_bytes", c.weight_bytes},
       {"table_bytes", c.table_bytes},
       {"constant_bytes", c.constant_bytes()},
       {"ram_bytes", c.ram_bytes}},
      fmt::format("{}: constants (flash) {} bytes, of which weights {} and tables {} with "
                  "32-bit pointers; static buffers (RAM) {} bytes; code and stack not "
                  "counted\n",
                  o.out, c.constant_bytes(), c.weight_bytes, c.table_bytes, c.ram_bytes));
  return ok_status();
}

Status export_command(const ExportOptions& o, Context& context) {
  NBQ_TRY(check_form(o));
  NBQ_ASSIGN(Graph graph, load_nbq(model_of(o.model)));
  NBQ_TRY(check_stage(o, graph.stage));
  if (graph.stage != Stage::kInteger) {
    NBQ_ASSIGN(graph, deployed(std::move(graph), o));
  } else if (o.to == "nbq") {
    return make_error(ErrorCode::kInvalidArgument,
                      "{}: is an integer network already; --to onnx-qdq, qonnx, onnx-float or c "
                      "writes it for others",
                      o.model);
  }
  if (o.to == "c") return write_c(graph, o, context);
  NBQ_ASSIGN(const std::vector<std::uint8_t> bytes, encode(graph, o));
  NBQ_TRY(write_file(o.out, bytes));
  context.print({{"model", o.out}, {"model_bytes", bytes.size()}},
                fmt::format("{}: {} bytes\n", o.out, bytes.size()));
  return ok_status();
}

}  // namespace

void add_export(CLI::App& app, Context& context) {
  auto o = std::make_shared<ExportOptions>();
  CLI::App* cmd = add_command(app, context, "export", "make the integer network to deploy",
                              [o, &context] { return export_command(*o, context); });
  cmd->add_option(
         "model", o->model,
         "run folder, quantised .nbq, or float .nbq (with --data); integer .nbq (with --to)")
      ->required();
  cmd->add_option("-o,--out", o->out, "file to write")->required();
  cmd->add_option(
         "--to", o->to,
         "integer .nbq; ONNX with int8 operands (QDQ), with QONNX's Quant nodes, or in float, "
         "of the same weights; C99 with a header beside it [nbq]")
      ->check(CLI::IsMember({"nbq", "onnx-qdq", "qonnx", "onnx-float", "c"}));
  cmd->add_option("--name", o->name, "C: what its identifiers begin with [the file's name]");
  cmd->add_option("--input", o->input, "ONNX: uint8 pixels, or float (pixel - 128) / 128 [uint8]")
      ->check(CLI::IsMember({"uint8", "float"}));
  cmd->add_flag("--all-uint8", o->all_uint8,
                "onnx-qdq: signed activations as uint8 around 128, for engines that want one type");
  o->command = cmd;
  const std::string ptq = "float models, quantised without learning: ";
  cmd->add_option("--data", o->data, ptq + "images that choose the activations' formats");
  cmd->add_option("--weight-bits", o->spec.weight_bits, ptq + "1..5 [3]")->check(CLI::Range(1, 5));
  cmd->add_option("--act-bits", o->spec.act_bits, ptq + "2..16 [8]")->check(CLI::Range(2, 16));
  cmd->add_option("--quantizer", o->spec.quantizer, ptq + "row of quantizers.def [least_squares]");
  cmd->add_option("--scale", o->granularity, ptq + "one scale a layer or a channel [channel]")
      ->check(CLI::IsMember({"layer", "channel"}));
  cmd->add_option("--calibration-images", o->calibration, ptq + "how many [256]")
      ->check(CLI::PositiveNumber);
}

}  // namespace nbq::cli
