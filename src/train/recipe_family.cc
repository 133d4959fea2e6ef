#include <algorithm>

#include "train/recipe_model.h"

namespace nbq {
namespace {

constexpr int kMaxWidth = 1 << 16;

/// One key of [model] that families use: how it is read, and written with its value in a spec.
struct ModelKey {
  const char* name;
  void (*read)(StrictTable& t, BuildSpec& s);
  std::string (*write)(const BuildSpec& s);
};

std::string list_toml(const std::vector<int>& v) { return fmt::format("[{}]", fmt::join(v, ", ")); }

std::string stages_toml(const BuildSpec& s) {
  std::string rows;
  for (const auto& stage : s.stages) rows += (rows.empty() ? "" : ", ") + list_toml(stage);
  return "[" + rows + "]";
}

/// `stages`, or `form`, the name of documented ones.
void read_stages(StrictTable& t, BuildSpec& s) {
  t.get("stages", s.stages, 1, kMaxWidth);
  std::string form;
  t.get_choice("form", form, {"T", "S", "L"});
  if (!form.empty() && t.has("stages")) t.fail("form", "stands for stages: give one of the two");
  if (!form.empty()) s.stages = nbqnn_form(form);
}

const std::vector<ModelKey>& model_keys() {
  static const std::vector<ModelKey> keys = {
      {"depth", [](StrictTable& t, BuildSpec& s) { t.get("depth", s.depth, 1, 10000); },
       [](const BuildSpec& s) { return fmt::format("{}", s.depth); }},
      {"stages", read_stages, stages_toml},
      {"stem",
       [](StrictTable& t, BuildSpec& s) {
         t.get_choice("stem", s.stem, {"cifar", "imagenet"});
       },
       [](const BuildSpec& s) { return "\"" + s.stem + "\""; }},
      {"shortcut",
       [](StrictTable& t, BuildSpec& s) {
         t.get_choice("shortcut", s.shortcut, {"conv", "pad"});
       },
       [](const BuildSpec& s) { return "\"" + s.shortcut + "\""; }},
      {"base_width",
       [](StrictTable& t, BuildSpec& s) { t.get("base_width", s.base_width, 1, 4096); },
       [](const BuildSpec& s) { return fmt::format("{}", s.base_width); }},
      {"blocks", [](StrictTable& t, BuildSpec& s) { t.get("blocks", s.blocks, 1, 1000); },
       [](const BuildSpec& s) { return list_toml(s.blocks); }},
      {"growth", [](StrictTable& t, BuildSpec& s) { t.get("growth", s.growth, 1, 4096); },
       [](const BuildSpec& s) { return fmt::format("{}", s.growth); }},
      {"compression",
       [](StrictTable& t, BuildSpec& s) { t.get("compression", s.compression, 0.01, 1); },
       [](const BuildSpec& s) { return fmt::format("{}", s.compression); }},
      {"norm", [](StrictTable& t, BuildSpec& s) { t.get("norm", s.norm); },
       [](const BuildSpec& s) { return std::string(s.norm ? "true" : "false"); }}};
  return keys;
}

bool uses(const BuildSpec& s, const char* key) {
  const std::vector<std::string> keys = family_keys(s.family);
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

}  // namespace

void read_family(StrictTable& t, BuildSpec& s) {
  t.get_choice("family", s.family, family_names());
  s = with_family_defaults(s);
  for (const ModelKey& k : model_keys()) {
    if (uses(s, k.name))
      k.read(t, s);
    else if (t.has(k.name) && !s.family.empty())
      t.fail(k.name, fmt::format("is no key of {}, whose keys are {}", s.family,
                                 fmt::join(family_keys(s.family), ", ")));
  }
}

std::string family_toml(const BuildSpec& s) {
  std::string out = fmt::format("family = \"{}\"\n", s.family);
  for (const ModelKey& k : model_keys())
    if (uses(s, k.name)) out += fmt::format("{} = {}\n", k.name, k.write(s));
  return out;
}

}  // namespace nbq
