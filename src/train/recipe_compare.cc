#include <algorithm>

#include "train/compare_rows.h"
#include "train/field_reader.h"

namespace nbq {
namespace {

bool plain(const std::string& label) {
  return !label.empty() && label.size() <= 40 && label != kSharedFolder && label[0] != '.' &&
         std::all_of(label.begin(), label.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.' || c == ':';
         });
}

Status read_row(StrictTable t, const Recipe& recipe, CompareRow& row) {
  std::string name, label;
  int bits = 0;
  t.get_choice("name", name, compare_names());
  t.get("bits", bits, 0, 32);
  t.get("label", label);
  if (name.empty()) t.fail("name", "is needed: a row of docs/baselines.md");
  if (t.failed()) return t.finish();
  auto made = compare_row(recipe, name, bits);
  if (!made.ok()) {
    t.fail(t.has("bits") ? "bits" : "name", made.error().message);
    return t.finish();
  }
  row = *made;
  if (t.has("label")) {
    if (!plain(label))
      t.fail(
          "label",
          fmt::format("must be of letters, digits and _ - . :, at most 40, not begin with a point, "
                      "and not be {}",
                      kSharedFolder));
    row.label = label;
  }
  for (PhaseSpec& p : row.phases) {
    read_settings(t, p);
    if (!p.quantised) t.get("first_last_float", p.first_last_float);
  }
  return t.finish();
}

}  // namespace

Status read_compare(StrictTable t, Recipe& recipe) {
  t.get("seeds", recipe.compare.seeds);
  for (StrictTable& row : t.tables("method")) {
    CompareRow made;
    NBQ_TRY(read_row(row, recipe, made));
    for (const CompareRow& other : recipe.compare.rows)
      if (row_folder(other) == row_folder(made)) {
        row.fail("name", fmt::format("another row is labelled {} already; give this one a label",
                                     made.label));
        return row.finish();
      }
    recipe.compare.rows.push_back(std::move(made));
  }
  return t.finish();
}

}  // namespace nbq
