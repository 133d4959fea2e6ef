#include "cli/cli.h"
#include "cli/evaluate.h"
#include "data/image.h"
#include "model/nbq_file.h"
#include "ops/ref_executor.h"

namespace nbq::cli {
namespace {

struct RunOptions {
  std::string model;
  std::vector<std::string> images;
  int threads = 1;
  std::string isa;
};

Status run_command(const RunOptions& o, Context& context) {
  NBQ_ASSIGN(Graph graph, load_nbq(o.model));
  infer::EngineOptions options;
  options.threads = o.threads;
  options.isa = o.isa;
  NBQ_ASSIGN(const infer::Engine engine, infer::Engine::create(std::move(graph), options));
  const Shape& want = engine.image();
  const RunImages run = runner(engine);
  auto results = nlohmann::ordered_json::array();
  std::string text;
  for (const std::string& path : o.images) {
    NBQ_ASSIGN(Image image, decode_image(std::filesystem::path(path)));
    if (want.c != 1 && want.c != 3)
      return make_error(ErrorCode::kUnsupported,
                        "{}: the model takes {} channels, image files have 1 or 3", path, want.c);
    image = resize_to(to_channels(std::move(image), want.c), want.h, want.w);
    NBQ_ASSIGN(const auto logits, run(image.pixels, 1));
    const auto best = static_cast<std::size_t>(argmax(logits));
    const std::string name =
        engine.class_names().empty() ? std::to_string(best) : engine.class_names()[best];
    results.push_back({{"path", path}, {"class", name}, {"index", best}, {"logits", logits}});
    text += fmt::format("{}: {}\n", path, name);
  }
  context.print({{"model", o.model}, {"logit_exp", engine.logit_exp()}, {"results", results}},
                text);
  return ok_status();
}

}  // namespace

void add_run(CLI::App& app, Context& context) {
  auto o = std::make_shared<RunOptions>();
  CLI::App* cmd = add_command(app, context, "run", "classify image files with an integer network",
                              [o, &context] { return run_command(*o, context); });
  cmd->add_option("model", o->model, "integer .nbq file")->required();
  cmd->add_option("images", o->images, "JPEG or PNG files")->required();
  cmd->add_option("--threads", o->threads, "that share an image; 0: one a core [1]")
      ->check(CLI::NonNegativeNumber);
  cmd->add_option("--isa", o->isa, "instruction set, of `nbq bench --isas` [the best]");
}

}  // namespace nbq::cli
