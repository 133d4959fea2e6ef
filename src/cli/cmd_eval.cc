#include "cli/cli.h"
#include "cli/evaluate.h"
#include "model/nbq_file.h"
#include "train/executor.h"

namespace nbq::cli {
namespace {

struct EvalOptions {
  std::string model, data, executor = "cpu", isa;
  std::size_t images = 0;
  int threads = 0, resize = 0;
  bool confusion = false;
};

Result<Evaluation> evaluate_with(const EvalOptions& o, const Graph& graph,
                                 const ImageSource& source) {
  const auto outputs = static_cast<int>(graph.output().shape.size());
  if (o.executor == "ref") {
    NBQ_ASSIGN(const RefExecutor ref, RefExecutor::create(graph));
    return evaluate_integer(runner(ref), outputs, source, o.images, o.threads);
  }
  NBQ_ASSIGN(const infer::Engine engine, engine_for_evaluation(graph, o.threads, o.isa));
  return evaluate_integer(runner(engine), outputs, source, o.images, o.threads);
}

/// A row for each class: how many images of it were given which class.
void add_confusion(const Evaluation& e, const std::vector<std::string>& classes,
                   nlohmann::ordered_json& j, std::string& text) {
  const auto n = static_cast<std::ptrdiff_t>(classes.size());
  j["classes"] = classes;
  auto& rows = j["confusion"] = nlohmann::ordered_json::array();
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    const std::vector<std::int64_t> row(e.confusion.begin() + i * n,
                                        e.confusion.begin() + (i + 1) * n);
    text += fmt::format("{:<16}", classes[static_cast<std::size_t>(i)]);
    for (const std::int64_t images : row) text += fmt::format(" {:>5}", images);
    text += "\n";
    rows.push_back(row);
  }
}

Status eval_command(const EvalOptions& o, Context& context) {
  NBQ_ASSIGN(Graph graph, load_nbq(o.model));
  NBQ_ASSIGN(const ImageSourcePtr source, open_for_model(o.data, graph, Split::kTest, o.resize));
  nlohmann::ordered_json j{{"model", o.model}, {"data", o.data}};
  Evaluation e;
  if (graph.stage == Stage::kInteger) {
    NBQ_ASSIGN(e, evaluate_with(o, graph, *source));
    j["stage"] = "integer";
    j["executor"] = o.executor;
  } else {
    if (o.images != 0)
      return make_error(ErrorCode::kInvalidArgument, "--images is for integer networks");
    NBQ_ASSIGN(const EvalResult r, evaluate_torch(graph, *source));
    j["stage"] = graph.stage == Stage::kFloat ? "float" : "quantised";
    j["executor"] = "torch";
    e = {r.images, r.correct, r.seconds, r.confusion};
  }
  j["images"] = e.images;
  j["correct"] = e.correct;
  j["accuracy"] = e.accuracy();
  j["seconds"] = e.seconds;
  std::string text = fmt::format("{:.2f} % of {} images ({} network, {:.1f} s)\n", e.accuracy(),
                                 e.images, j["stage"].get<std::string>(), e.seconds);
  if (o.confusion) add_confusion(e, source->class_names(), j, text);
  context.print(j, text);
  return ok_status();
}

}  // namespace

void add_eval(CLI::App& app, Context& context) {
  auto o = std::make_shared<EvalOptions>();
  CLI::App* cmd = add_command(app, context, "eval", "accuracy of a model on test images",
                              [o, &context] { return eval_command(*o, context); });
  cmd->add_option("model", o->model, ".nbq file, of any stage")->required();
  cmd->add_option("--data", o->data, "digits, CIFAR batches, or a folder of class folders")
      ->required();
  cmd->add_option("--images", o->images, "only the first so many; 0: all [0]")
      ->check(CLI::Range(0, kMaxImages));
  cmd->add_option("--resize", o->resize,
                  "shorter side before the centre is cropped, as the recipe's; 0: the largest "
                  "centre [0]")
      ->check(CLI::Range(0, 4096));
  cmd->add_option("--executor", o->executor,
                  "of integer networks: cpu, the engine, or ref, the reference [cpu]")
      ->check(CLI::IsMember({"cpu", "ref"}));
  cmd->add_option("--isa", o->isa, "instruction set of the engine, a row of `nbq bench --isas`");
  cmd->add_option("--threads", o->threads, "0: one a core")->check(CLI::NonNegativeNumber);
  cmd->add_flag("--confusion", o->confusion,
                "also how many images of each class are taken for which");
}

}  // namespace nbq::cli
