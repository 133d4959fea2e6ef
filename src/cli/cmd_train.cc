#include <cstdlib>

#include "cli/cli.h"
#include "cli/launch.h"
#include "train/trainer.h"

namespace nbq::cli {
namespace {

struct TrainOptions {
  std::string recipe, run_dir, data, init, bits, device = "cpu";
  bool resume = false, overwrite = false;
  int threads = 0, nproc = 1, weight_bits = 0, act_bits = 0;
  std::int64_t seed = -1, checkpoint_steps = 0, budget_bytes = 0;
  double epochs_scale = 1;
  std::vector<std::string> set;
};

/// Of "32,4,3".
Result<std::vector<int>> parse_bits(const std::string& text) {
  std::vector<int> bits;
  for (const std::string& part : CLI::detail::split(text, ',')) {
    int& b = bits.emplace_back(0);
    if (!CLI::detail::lexical_cast(part, b))
      return make_error(ErrorCode::kInvalidArgument,
                        "--bits {}: \"{}\" is no number; give widths such as 32,4,3", text, part);
  }
  return bits;
}

Status launch_command(int count, Context& context) {
  NBQ_ASSIGN(const Launched done, launch(count));
  std::fwrite(done.out.data(), 1, done.out.size(), stdout);
  context.exit = done.exit;
  return ok_status();
}

Status train_command(const TrainOptions& o, Context& context) {
  if (o.nproc > 1 && !is_launched()) {
    if (std::getenv("WORLD_SIZE") != nullptr)
      return make_error(ErrorCode::kInvalidArgument,
                        "--nproc starts processes itself: leave it out, or WORLD_SIZE");
    return launch_command(o.nproc, context);
  }
  if (!(o.epochs_scale > 0 && o.epochs_scale <= 1000))
    return make_error(ErrorCode::kInvalidArgument, "--epochs-scale must be in (0, 1000], it is {}",
                      o.epochs_scale);
  TrainRequest request;
  NBQ_ASSIGN(request.peers, peers_of_environment());
  const bool writes = !request.peers || request.peers->rank == 0;
  if (!writes) ::setenv("NBQ_LOG", "warn", 0);  // rank 0 tells the same
  NBQ_ASSIGN(request.recipe, load_recipe(o.recipe, o.set));
  Recipe& r = request.recipe;
  if (!o.data.empty()) r.data.source = o.data;
  if (!o.init.empty()) r.init = o.init;
  if (o.seed >= 0) r.seed = static_cast<std::uint64_t>(o.seed);
  if (o.weight_bits != 0) r.quant.weight_bits = o.weight_bits;
  if (o.act_bits != 0) r.quant.act_bits = o.act_bits;
  if (o.budget_bytes != 0) r.budget.bytes = o.budget_bytes;
  if (!o.bits.empty()) {
    NBQ_ASSIGN(const std::vector<int> widths, parse_bits(o.bits));
    NBQ_ASSIGN(r, progressive_bits(r, widths));
  }
  if (o.epochs_scale != 1) r = scale_epochs(r, o.epochs_scale);
  request.run_dir = o.run_dir.empty() ? "runs/" + r.name : o.run_dir;
  request.resume = o.resume;
  request.overwrite = o.overwrite;
  request.threads = o.threads;
  request.device = o.device;
  request.checkpoint_steps = o.checkpoint_steps;
  NBQ_ASSIGN(const TrainReport report, train(request));
  nlohmann::ordered_json j{{"name", r.name},
                           {"run", request.run_dir.string()},
                           {"interrupted", report.interrupted},
                           {"seconds", report.metrics.seconds},
                           {"epochs", report.metrics.epochs.size()}};
  std::string text = fmt::format("{}: {} epochs, {:.1f} s\n", request.run_dir.string(),
                                 report.metrics.epochs.size(), report.metrics.seconds);
  const auto note = [&](const char* key, const char* what, double accuracy,
                        const std::filesystem::path& model) {
    if (model.empty()) return;
    j[key] = accuracy;
    text += fmt::format("{}: {:.2f} % of the test images, {}\n", what, accuracy, model.string());
  };
  note("float_accuracy", "float", report.metrics.float_accuracy, report.float_model);
  note("nbit_accuracy", "integer network", report.metrics.nbit_accuracy, report.integer_model);
  if (!report.float_model.empty()) j["float_model"] = report.float_model.string();
  if (!report.integer_model.empty()) j["integer_model"] = report.integer_model.string();
  if (report.interrupted) {
    j["message"] = report.message;
    text += report.message + "\n";
    context.exit = 130;
  }
  if (writes) context.print(j, text);
  return ok_status();
}

}  // namespace

void add_train(CLI::App& app, Context& context) {
  auto o = std::make_shared<TrainOptions>();
  CLI::App* cmd = add_command(app, context, "train", "learn a network from a recipe",
                              [o, &context] { return train_command(*o, context); });
  cmd->add_option("recipe", o->recipe, "TOML recipe, see zoo/")->required();
  cmd->add_option("--run", o->run_dir,
                  "run folder: log, checkpoint, models [runs/<name of the recipe>]");
  cmd->add_option("--data", o->data, "digits, CIFAR batches, or a folder of class folders");
  cmd->add_option("--init", o->init, "float .nbq to start from");
  cmd->add_flag("--resume", o->resume, "go on exactly where the run folder's checkpoint stops");
  cmd->add_flag("--overwrite", o->overwrite, "begin anew in a run folder that holds a training")
      ->excludes("--resume");
  cmd->add_option("--seed", o->seed, "instead of the recipe's")->check(CLI::NonNegativeNumber);
  cmd->add_option("--weight-bits", o->weight_bits, "1..5, instead of the recipe's")
      ->check(CLI::Range(1, 5));
  cmd->add_option("--bits", o->bits,
                  "32,4,3: the float phases, then the quantised phase with 4 and with 3 bits; "
                  "without 32 from --init")
      ->excludes("--weight-bits");
  cmd->add_option("--act-bits", o->act_bits, "2..16, instead of the recipe's")
      ->check(CLI::Range(2, 16));
  add_set_option(cmd, o->set);
  cmd->add_option("--budget-bytes", o->budget_bytes,
                  "choose each layer's weight bits when the float phases end, so that all weight "
                  "codes take at most so many bytes")
      ->check(CLI::PositiveNumber);
  cmd->add_option("--epochs-scale", o->epochs_scale,
                  "every phase's epochs times this (0.1: a short try)");
  cmd->add_option("--checkpoint-steps", o->checkpoint_steps, "checkpoint also every so many steps")
      ->check(CLI::NonNegativeNumber);
  cmd->add_option("--threads", o->threads, "0: one a core; of all processes on this machine")
      ->check(CLI::NonNegativeNumber);
  cmd->add_option("--device", o->device,
                  "cpu, cuda, cuda:1; with cuda each of many processes takes the next GPU [cpu]");
  cmd->add_option("--nproc", o->nproc,
                  "so many processes on this machine share each batch; for several machines see "
                  "docs/learning.md")
      ->check(CLI::Range(1, 1024));
}

}  // namespace nbq::cli
