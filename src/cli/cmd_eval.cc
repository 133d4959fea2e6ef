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

Status eval_command(const EvalOptions& o, Context& context) {
  NBQ_ASSIGN(Graph graph, load_nbq(o.model));
  NBQ_ASSIGN(const ImageSourcePtr source, open_for_model(o.data, graph, Split::kTest, o.resize));
  nlohmann::ordered_json j{{"model", o.model}, {"data", o.data}};
  double accuracy = 0, seconds = 0;
  std::size_t images = 0, correct = 0;
  if (graph.stage == Stage::kInteger) {
    NBQ_ASSIGN(const Evaluation e, evaluate_with(o, graph, *source));
    j["stage"] = "integer";
    j["executor"] = o.executor;
    accuracy = e.accuracy();
    images = e.images;
    correct = e.correct;
    seconds = e.seconds;
  } else {
    if (o.images != 0)
      return make_error(ErrorCode::kInvalidArgument, "--images is for integer networks");
    NBQ_ASSIGN(const EvalResult e, evaluate_torch(graph, *source));
    j["stage"] = graph.stage == Stage::kFloat ? "float" : "quantised";
    j["executor"] = "torch";
    accuracy = e.accuracy;
    images = e.images;
    correct = e.correct;
    seconds = e.seconds;
  }
  j["images"] = images;
  j["correct"] = correct;
  j["accuracy"] = accuracy;
  j["seconds"] = seconds;
  context.print(j, fmt::format("{:.2f} % of {} images ({} network, {:.1f} s)\n", accuracy, images,
                               j["stage"].get<std::string>(), seconds));
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
}

}  // namespace nbq::cli
