#include "train/compare_rows.h"

#include <algorithm>
#include <charconv>

#include "core/strict_toml.h"
#include "train/schedules.h"
#include "train/weight_methods.h"

namespace nbq {
namespace {

constexpr const char* kControl = "float";

bool is_gradient(std::string_view name) {
  const auto rows = gradient_rows();
  return std::any_of(rows.begin(), rows.end(), [&](const auto& r) { return r.name == name; });
}

Error out_of_range(std::string_view name, int bits, int lo, int hi) {
  return make_error(ErrorCode::kInvalidArgument, "{} has {} bits, not {}", name,
                    lo == hi ? fmt::format("{}", lo) : fmt::format("{} to {}", lo, hi), bits);
}

/// nbq's own: the quantised phases with this gradient. Earlier phases keep bits above the last's.
Status take_gradient(CompareRow& row, const Recipe& recipe) {
  const int last = row.phases.back().weight_bits;
  const int own = last != 0 ? last : recipe.quant.weight_bits;
  if (row.bits == 0) row.bits = own;
  if (row.bits < kMinWeightBits || row.bits > kMaxWeightBits)
    return out_of_range(row.name, row.bits, kMinWeightBits, kMaxWeightBits);
  for (PhaseSpec& p : row.phases) {
    p.gradient = row.name;
    p.weight_bits =
        std::max(p.weight_bits != 0 ? p.weight_bits : recipe.quant.weight_bits, row.bits);
  }
  row.phases.back().weight_bits = row.bits;
  return ok_status();
}

/// A method: one float phase as long as the quantised ones.
Status take_method(CompareRow& row) {
  NBQ_ASSIGN(const MethodRow* method, find_method(row.name));
  if (row.bits == 0) row.bits = method->default_bits;
  if (row.bits < method->min_bits || row.bits > method->max_bits)
    return out_of_range(row.name, row.bits, method->min_bits, method->max_bits);
  PhaseSpec phase = row.phases.front();
  for (std::size_t i = 1; i < row.phases.size(); ++i) phase.epochs += row.phases[i].epochs;
  phase.quantised = false;
  phase.method = row.name;
  phase.bits = method->quantises() ? row.bits : 0;
  phase.first_last_float = method->first_last_float;
  row.phases = {phase};
  return ok_status();
}

/// "name" or "name:bits".
Result<CompareRow> row_by_text(const Recipe& recipe, const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return compare_row(recipe, text);
  int bits = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, bits);
  if (read.ec != std::errc() || read.ptr != end || bits < 1)
    return make_error(ErrorCode::kInvalidArgument,
                      "method {}: after the colon comes a number of bits", text);
  return compare_row(recipe, text.substr(0, colon), bits);
}

}  // namespace

std::vector<std::string> compare_names() {
  std::vector<std::string> names = row_names(gradient_rows());
  for (std::string& n : method_names()) names.push_back(std::move(n));
  return names;
}

bool is_integer_row(const CompareRow& row) { return is_gradient(row.name); }

std::string row_folder(const CompareRow& row) {
  std::string folder = row.label;
  std::replace(folder.begin(), folder.end(), ':', '-');
  return folder;
}

Result<CompareRow> compare_row(const Recipe& recipe, std::string_view name, int bits) {
  CompareRow row{std::string(name), {}, bits, {}};
  for (PhaseSpec p : recipe.phases)
    if (p.quantised) {
      p.distill = 0;
      row.phases.push_back(std::move(p));
    }
  if (row.phases.empty())
    return make_error(
        ErrorCode::kInvalidArgument,
        "the recipe has no quantised phase, whose budget the compared rows would get");
  const std::vector<std::string> names = compare_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const std::string near = nearest_word(name, names);
    return make_error(ErrorCode::kInvalidArgument, "no method is named {}; there are {}{}", name,
                      fmt::join(names, ", "), near.empty() ? "" : "; did you mean " + near + "?");
  }
  if (is_gradient(name)) {
    NBQ_TRY(take_gradient(row, recipe));
  } else {
    NBQ_TRY(take_method(row));
  }
  row.label = name == kControl ? row.name : fmt::format("{}:{}", name, row.bits);
  return row;
}

Result<std::vector<CompareRow>> choose_rows(const Recipe& recipe,
                                            std::span<const std::string> wanted) {
  std::vector<CompareRow> rows;
  for (const std::string& text : wanted) {
    bool known = false;
    for (const CompareRow& r : recipe.compare.rows)
      if (r.label == text || r.name == text) {
        known = true;
        const auto same = [&](const CompareRow& other) { return other.label == r.label; };
        if (std::none_of(rows.begin(), rows.end(), same)) rows.push_back(r);
      }
    if (known) continue;
    NBQ_ASSIGN(CompareRow made, row_by_text(recipe, text));
    rows.push_back(std::move(made));
  }
  if (wanted.empty()) rows = recipe.compare.rows;
  if (rows.empty())
    for (const std::string& name : compare_names()) {
      NBQ_ASSIGN(CompareRow made, compare_row(recipe, name));
      rows.push_back(std::move(made));
    }
  const auto control = std::find_if(rows.begin(), rows.end(),
                                    [](const CompareRow& r) { return r.name == kControl; });
  if (control == rows.end()) {
    NBQ_ASSIGN(CompareRow made, compare_row(recipe, kControl));
    rows.insert(rows.begin(), std::move(made));
  } else {
    std::rotate(rows.begin(), control, control + 1);
  }
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (row_folder(rows[i]) == row_folder(rows[j]))
        return make_error(ErrorCode::kInvalidArgument, "method {} is asked for twice",
                          rows[i].label);
  return rows;
}

}  // namespace nbq
