#include <optional>

#include "cli/cli.h"
#include "cli/evaluate.h"
#include "core/file.h"
#include "model/nbq_file.h"
#include "train/recipe.h"
#include "train/sensitivity.h"

namespace nbq::cli {
namespace {

namespace fs = std::filesystem;

struct SensitivityOptions {
  std::string model, data, granularity = "channel", recipe_out;
  std::size_t images = 512;
  std::vector<int> bits = {1, 2, 3, 4, 5};
  QuantSpec base;
  bool base_given = false;
  std::int64_t budget_bytes = 0;
};

/// The network, and how it is quantised where that isn't locked already.
struct Subject {
  Graph graph;
  std::optional<Recipe> recipe;  ///< of a run folder
  QuantSpec base;
};

/// A run folder stands for its float network at its recipe's bits, or for its quantised network
/// when it began with none.
Result<Subject> open_subject(const SensitivityOptions& o) {
  Subject s;
  s.base = o.base;
  s.base.granularity =
      o.granularity == "layer" ? ScaleGranularity::kPerLayer : ScaleGranularity::kPerChannel;
  fs::path model = o.model;
  std::error_code ec;
  if (fs::is_directory(model, ec)) {
    NBQ_ASSIGN(s.recipe, load_recipe(model / "recipe.toml"));
    if (!o.base_given) s.base = s.recipe->quant;
    model /= fs::exists(model / "float.nbq", ec) ? "float.nbq" : "quantised.nbq";
  }
  NBQ_ASSIGN(s.graph, load_nbq(model));
  if (s.graph.stage == Stage::kInteger)
    return make_error(ErrorCode::kInvalidArgument,
                      "{}: an integer network has no float weights to quantise otherwise; give the "
                      "run folder, float.nbq or quantised.nbq that it came from",
                      model.string());
  return s;
}

std::string table(const Sensitivity& s, const std::vector<int>& bits) {
  std::string out = fmt::format("{}: loss {:.4f}, {:.2f} % of {} training images", s.name, s.loss,
                                s.accuracy, s.images);
  if (s.float_loss == s.float_loss)
    out += fmt::format("; in float {:.4f}, {:.2f} %", s.float_loss, s.float_accuracy);
  out += "\nrise of the loss (fall of the accuracy) with this layer alone at other bits:\n\n";
  out += fmt::format("{:<24} {:>10} {:>5}", "layer", "weights", "base");
  for (const int b : bits) out += fmt::format(" {:>19}", fmt::format("{} bits", b));
  for (const LayerSensitivity& l : s.layers) {
    out += fmt::format("\n{:<24} {:>10} {:>5}", l.layer, l.weights, l.base_bits);
    for (const BitsEffect& e : l.at)
      out += fmt::format(
          " {:>19}", fmt::format("{:+.4f} ({:+.2f} %)", e.loss - s.loss, s.accuracy - e.accuracy));
  }
  return out + "\n";
}

/// The bits of the budget: into the JSON, the text and the recipe asked for.
Status allocate(const SensitivityOptions& o, const Subject& subject, const Sensitivity& s,
                nlohmann::ordered_json& j, std::string& text) {
  NBQ_ASSIGN(const QuantSpec fitted, fit_budget(s, subject.base, o.budget_bytes));
  std::int64_t bits = s.other_code_bits;
  text += fmt::format("\nbits for {} bytes of weight codes:\n", o.budget_bytes);
  for (const LayerSensitivity& l : s.layers) {
    const int n = fitted.weight_bits_of(l.layer);
    bits += l.weights * n;
    j["allocation"][l.layer] = n;
    text += fmt::format("{:<24} {}\n", l.layer, n);
  }
  j["budget_bytes"] = o.budget_bytes;
  j["code_bytes"] = (bits + 7) / 8;
  text += fmt::format("together {} bytes\n", (bits + 7) / 8);
  if (o.recipe_out.empty()) return ok_status();
  std::string toml = quant_toml(fitted);
  if (subject.recipe) {
    Recipe recipe = *subject.recipe;
    recipe.quant = fitted;
    recipe.budget = {};
    toml = recipe_toml(recipe);
  }
  NBQ_TRY(write_file(o.recipe_out, std::string_view(toml)));
  j["recipe"] = o.recipe_out;
  text += o.recipe_out + "\n";
  return ok_status();
}

Status sensitivity_command(const SensitivityOptions& o, Context& context) {
  if (!o.recipe_out.empty() && o.budget_bytes == 0)
    return make_error(ErrorCode::kInvalidArgument, "--write-recipe needs --budget-bytes");
  NBQ_ASSIGN(const Subject subject, open_subject(o));
  const std::string data =
      !o.data.empty() || !subject.recipe ? o.data : subject.recipe->data.source;
  if (data.empty())
    return make_error(ErrorCode::kInvalidArgument, "--data is needed: training images");
  NBQ_ASSIGN(const ImageSourcePtr source, open_for_model(data, subject.graph, Split::kTrain));
  const auto& r = subject.recipe;
  NBQ_ASSIGN(const auto images, sensitivity_images(source->size(), r ? r->data.validation : 0,
                                                   r ? r->seed : 1, o.images));
  std::optional<Progress> progress;
  const auto at = [&](std::size_t done, std::size_t total) {
    if (!progress) progress.emplace("measuring", total);
    progress->at(done);
  };
  const auto measured =
      subject.graph.stage == Stage::kFloat
          ? measure_sensitivity(subject.graph, subject.base, o.bits, *source, images, at)
          : measure_sensitivity(subject.graph, o.bits, *source, images, at);
  progress.reset();
  if (!measured.ok()) return measured.error();
  const std::string json = sensitivity_json(*measured);
  if (subject.recipe) NBQ_TRY(write_file(fs::path(o.model) / "sensitivity.json", json));
  auto j = nlohmann::ordered_json::parse(json);
  std::string text = table(*measured, o.bits);
  if (o.budget_bytes > 0) NBQ_TRY(allocate(o, subject, *measured, j, text));
  context.print(j, text);
  return ok_status();
}

}  // namespace

void add_sensitivity(CLI::App& app, Context& context) {
  auto o = std::make_shared<SensitivityOptions>();
  o->base.weight_bits = 5;
  CLI::App* cmd = add_command(app, context, "sensitivity",
                              "what each layer's weight bits do to loss and accuracy",
                              [o, &context] { return sensitivity_command(*o, context); });
  cmd->add_option("model", o->model,
                  "run folder (its float network; sensitivity.json goes there), float or quantised "
                  ".nbq")
      ->required();
  cmd->add_option("--data", o->data,
                  "digits, CIFAR batches, or a folder of class folders: the training images are "
                  "used [the run's]");
  cmd->add_option("--images", o->images, "measure with so many of them [512]")
      ->check(CLI::Range(1, kMaxImages));
  cmd->add_option("--bits", o->bits, "for each layer in turn [1,2,3,4,5]")
      ->delimiter(',')
      ->check(CLI::Range(1, 5));
  const std::string base = "of the other layers, for float networks: ";
  const auto given = [o](const auto&) { o->base_given = true; };
  cmd->add_option("--weight-bits", o->base.weight_bits, base + "1..5 [the run's, or 5]")
      ->check(CLI::Range(1, 5))
      ->each(given);
  cmd->add_option("--act-bits", o->base.act_bits, base + "2..16 [the run's, or 8]")
      ->check(CLI::Range(2, 16))
      ->each(given);
  cmd->add_option("--quantizer", o->base.quantizer,
                  base + "row of quantizers.def [the run's, or least_squares]")
      ->each(given);
  cmd->add_option("--scale", o->granularity, base + "a scale a layer or a channel [channel]")
      ->check(CLI::IsMember({"layer", "channel"}))
      ->each(given);
  cmd->add_option("--budget-bytes", o->budget_bytes,
                  "choose each layer's bits so that all weight codes take at most so many bytes")
      ->check(CLI::PositiveNumber);
  cmd->add_option("--write-recipe", o->recipe_out,
                  "TOML with the chosen bits: the run's recipe, or a [quant] section");
}

}  // namespace nbq::cli
