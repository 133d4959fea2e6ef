#include "train/recipe.h"

#include <algorithm>
#include <cmath>

#include "core/file.h"
#include "train/field_reader.h"
#include "train/recipe_model.h"
#include "train/recipe_override.h"

namespace nbq {
namespace {

std::vector<std::string> quantizer_names() {
  std::vector<std::string> names;
  for (const Quantizer& q : quantizers()) names.emplace_back(q.name);
  return names;
}

void read_part(StrictTable& t, DataSpec& d) {
  std::vector<float> range;
  t.get("random_resized_crop", range);
  if (!t.has("random_resized_crop")) return;
  if (range.size() != 2 || !(range[0] > 0 && range[0] <= range[1] && range[1] <= 1))
    return t.fail("random_resized_crop",
                  "must be two numbers above 0 and up to 1: least and largest part of the area");
  d.min_area = static_cast<double>(range[0]);
  d.max_area = static_cast<double>(range[1]);
}

Status read_data(StrictTable t, DataSpec& d) {
  t.get("source", d.source);
  t.get("channels", d.channels, 0, 3);
  t.get("height", d.height, 0, 4096);
  t.get("width", d.width, 0, 4096);
  t.get("pad_crop", d.pad_crop, 0, 1024);
  t.get("flip", d.flip);
  t.get("crop", d.crop, 0, 4096);
  if (d.crop > 0 && (d.height > 0 || d.width > 0))
    t.fail("crop", "is short for height and width: give it or them");
  t.get("resize", d.resize, 0, 4096);
  const int longest = std::max({d.crop, d.height, d.width});
  if (d.resize > 0 && d.crop == 0 && (d.height == 0 || d.width == 0))
    t.fail("resize", "needs crop, or height and width: what is cropped from the resized image");
  if (d.resize > 0 && d.resize < longest)
    t.fail("resize", fmt::format("is {}, smaller than the crop of {}", d.resize, longest));
  read_part(t, d);
  t.get("validation", d.validation, 0, 0.9);
  return t.finish();
}

Status read_quant(StrictTable t, QuantSpec& q, BudgetSpec& budget) {
  t.get("weight_bits", q.weight_bits, kMinWeightBits, kMaxWeightBits);
  t.get("act_bits", q.act_bits, 2, 16);
  t.get_choice("quantizer", q.quantizer, quantizer_names());
  std::string granularity = "channel";
  t.get_choice("granularity", granularity, {"channel", "layer"});
  q.granularity =
      granularity == "layer" ? ScaleGranularity::kPerLayer : ScaleGranularity::kPerChannel;
  auto bytes = static_cast<std::uint64_t>(budget.bytes);
  t.get("budget_bytes", bytes);
  budget.bytes = static_cast<std::int64_t>(bytes);
  t.get("budget_images", budget.images, 1, 1 << 24);
  for (StrictTable& l : t.tables("layer")) {
    QuantSpec::Layer& out = q.layers.emplace_back();
    l.get("match", out.match);
    l.get("weight_bits", out.weight_bits, kMinWeightBits, kMaxWeightBits);
    l.get("act_bits", out.act_bits, 2, 16);
    if (out.match.empty())
      l.fail("match", "is needed: a layer's name, * for any run of characters");
    NBQ_TRY(l.finish());
  }
  return t.finish();
}

/// `method` and, where it quantises, its keys; the registry's row has their defaults.
void read_method(StrictTable& t, PhaseSpec& p) {
  t.get_choice("method", p.method, method_names());
  if (!p.has_method()) return;
  const MethodRow& row = **find_method(p.method);
  p.bits = row.default_bits;
  p.first_last_float = row.first_last_float;
  visit_method(p, row, FieldReader{t});
}

void read_alpha(StrictTable& t, PhaseSpec& p) {
  std::vector<float> ends = {static_cast<float>(p.one_minus_alpha_from),
                             static_cast<float>(p.one_minus_alpha_to)};
  t.get("one_minus_alpha", ends);
  const auto sound = [](float v) { return v > 0 && v <= 1; };
  if (ends.size() != 2 || !sound(ends[0]) || !sound(ends[1]))
    return t.fail("one_minus_alpha", "must be two numbers above 0 and up to 1: first and last");
  if (t.has("one_minus_alpha")) {
    p.one_minus_alpha_from = static_cast<double>(ends[0]);
    p.one_minus_alpha_to = static_cast<double>(ends[1]);
  }
}

Status read_phase(StrictTable t, PhaseSpec& p) {
  std::string kind;
  t.get_choice("kind", kind, {"float", "quantised"});
  if (kind.empty()) t.fail("kind", "is needed: \"float\" or \"quantised\"");
  p.quantised = kind == "quantised";
  if (p.quantised) p.lr = 0.01;
  read_settings(t, p);
  if (!p.quantised) read_method(t, p);
  if (p.reestimate_batches > 0 && p.freeze_norms_epochs == 0)
    t.fail("reestimate_batches", "needs freeze_norms_epochs above 0: it is done when norms freeze");
  if (p.quantised && p.freeze_norms_epochs > p.epochs && t.has("freeze_norms_epochs"))
    t.fail("freeze_norms_epochs",
           fmt::format("is {}, of {} epochs", p.freeze_norms_epochs, p.epochs));
  if (p.quantised && p.final_epochs_at_one > p.epochs)
    t.fail("final_epochs_at_one",
           fmt::format("is {}, of {} epochs", p.final_epochs_at_one, p.epochs));
  return t.finish();
}

}  // namespace

void read_settings(StrictTable& t, PhaseSpec& p) {
  visit_phase(p, FieldReader{t});
  if (p.nesterov && p.momentum == 0 && p.optimizer == "sgd")
    t.fail("momentum", "must be above 0 with nesterov; set nesterov = false");
  if (!p.quantised) return;
  visit_quantised(p, FieldReader{t});
  read_alpha(t, p);
}

Result<Recipe> parse_recipe(std::string_view text, const std::string& file,
                            std::span<const std::string> overrides) {
  NBQ_ASSIGN(toml::table parsed, parse_toml(text, file));
  for (const std::string& o : overrides) NBQ_TRY(apply_override(parsed, o));
  Recipe r;
  StrictTable t(parsed, file, "");
  t.get("name", r.name);
  t.get("seed", r.seed);
  t.get("init", r.init);
  t.get("teacher", r.teacher);
  t.get("restore_norms", r.restore_norms, 0, 1 << 20);
  t.get_choice("precision", r.precision, {"auto", "float32", "bfloat16"});
  if (auto data = t.table("data")) NBQ_TRY(read_data(*data, r.data));
  if (auto model = t.table("model")) NBQ_TRY(read_model(*model, r.model));
  if (auto quant = t.table("quant")) NBQ_TRY(read_quant(*quant, r.quant, r.budget));
  bool quantised = false;
  for (StrictTable& phase : t.tables("phase")) {
    NBQ_TRY(read_phase(phase, r.phases.emplace_back()));
    if (quantised && !r.phases.back().quantised)
      return make_error(ErrorCode::kBadFile,
                        "{}: phase {}: a float phase can't follow a quantised one", file,
                        r.phases.size());
    quantised = r.phases.back().quantised;
    if (r.phases.size() > 1 && r.phases[r.phases.size() - 2].has_method())
      return make_error(
          ErrorCode::kBadFile,
          "{}: phase {}: no phase can follow one of method = \"{}\", whose result has "
          "its weights quantised already; make it the last, or drop the method",
          file, r.phases.size(), r.phases[r.phases.size() - 2].method);
  }
  if (auto compare = t.table("compare")) NBQ_TRY(read_compare(*compare, r));
  NBQ_TRY(t.finish());
  if (r.phases.empty()) return make_error(ErrorCode::kBadFile, "{}: no [[phase]] to train", file);
  if (r.init.empty() && r.model.build.family.empty() && r.model.layers.empty())
    return make_error(ErrorCode::kBadFile,
                      "{}: no network: give [model] a family or [[model.layer]]s, or init a .nbq",
                      file);
  if (r.name.empty()) r.name = std::filesystem::path(file).stem().string();
  return r;
}

Result<Recipe> load_recipe(const std::filesystem::path& path,
                           std::span<const std::string> overrides) {
  NBQ_ASSIGN(const std::string text, read_text_file(path));
  NBQ_ASSIGN(Recipe r, parse_recipe(text, path.string(), overrides));
  const auto beside = [&](std::string& given) {
    if (given.empty() || given == "digits") return;
    const auto candidate = path.parent_path() / given;
    std::error_code ignored;
    if (!std::filesystem::exists(given, ignored) && std::filesystem::exists(candidate, ignored))
      given = candidate.string();
  };
  beside(r.data.source);
  beside(r.init);
  beside(r.teacher);
  return r;
}

namespace {

int quantised_epochs(const Recipe& r) {
  int epochs = 0;
  for (const PhaseSpec& p : r.phases) epochs += p.quantised ? p.epochs : 0;
  return epochs;
}

}  // namespace

Recipe scale_epochs(Recipe recipe, double scale) {
  const auto scaled = [&](int epochs) {
    return static_cast<int>(std::clamp(std::round(epochs * scale), 1.0, double{kMaxEpochs}));
  };
  const auto scale_phase = [&](PhaseSpec& p) {
    const int epochs = scaled(p.epochs);
    const double ratio = static_cast<double>(epochs) / p.epochs;
    p.epochs = epochs;
    for (double* part :
         {&p.final_epochs_at_one, &p.warmup_epochs, &p.step_epochs, &p.lock_exps_epochs,
          &p.settle_norms_epochs, &p.freeze_norms_epochs, &p.alpha_epochs})
      *part *= ratio;
  };
  const int before = quantised_epochs(recipe);
  for (PhaseSpec& p : recipe.phases) scale_phase(p);
  for (CompareRow& row : recipe.compare.rows) {
    // A method's one phase is as long as all quantised ones, each of which is rounded on its own.
    const bool as_long = row.phases.size() == 1 && row.phases[0].epochs == before;
    for (PhaseSpec& p : row.phases) scale_phase(p);
    if (as_long) row.phases[0].epochs = quantised_epochs(recipe);
  }
  return recipe;
}

}  // namespace nbq
