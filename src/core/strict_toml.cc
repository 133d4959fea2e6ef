#include "core/strict_toml.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nbq {
namespace {

/// Levenshtein distance.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

Result<toml::table> parse_toml(std::string_view text, const std::string& file) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& e) {
    return make_error(ErrorCode::kBadFile, "{}:{}: {}", file, e.source().begin.line,
                      e.description());
  }
}

std::string nearest_word(std::string_view word, const std::vector<std::string>& words) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 2) + 1;
  for (const std::string& w : words)
    if (const std::size_t d = edits(word, w); d < least) {
      least = d;
      best = w;
    }
  return best;
}

std::string StrictTable::where(const toml::node& node, std::string_view key) const {
  const std::string dotted = section_.empty() ? std::string(key)
                             : key.empty()    ? section_
                                              : section_ + "." + std::string(key);
  const auto line = node.source().begin.line;
  return line == 0 ? fmt::format("--set {}", dotted)  // put in by apply_override()
                   : fmt::format("{}:{}: {}", file_, line, dotted);
}

void StrictTable::fail(std::string_view key, std::string reason) {
  if (error_) return;
  const toml::node* node = table_.get(key);
  error_ = Error{ErrorCode::kBadFile,
                 where(node == nullptr ? static_cast<const toml::node&>(table_) : *node, key) +
                     ": " + std::move(reason)};
}

const toml::node* StrictTable::find(std::string_view key) {
  known_.emplace(key);
  return table_.get(key);
}

void StrictTable::get(std::string_view key, std::string& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (const auto v = node->value_exact<std::string>())
    value = *v;
  else
    fail(key, "must be a string");
}

void StrictTable::get(std::string_view key, bool& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  if (const auto v = node->value_exact<bool>())
    value = *v;
  else
    fail(key, "must be true or false");
}

bool StrictTable::integer(const toml::node* node, std::string_view key, int& value, std::int64_t lo,
                          std::int64_t hi) {
  const auto v = node->value_exact<std::int64_t>();
  if (!v)
    fail(key, "must be a whole number");
  else if (*v < lo || *v > hi)
    fail(key, fmt::format("must be in {}..{}, it is {}", lo, hi, *v));
  else
    value = static_cast<int>(*v);
  return !failed();
}

void StrictTable::get(std::string_view key, int& value, std::int64_t lo, std::int64_t hi) {
  if (const toml::node* node = find(key)) integer(node, key, value, lo, hi);
}

void StrictTable::get(std::string_view key, std::uint64_t& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto v = node->value_exact<std::int64_t>();
  if (v && *v >= 0)
    value = static_cast<std::uint64_t>(*v);
  else
    fail(key, "must be a whole number, not negative");
}

void StrictTable::get(std::string_view key, std::vector<std::uint64_t>& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) return fail(key, "must be a list of whole numbers");
  value.clear();
  for (const toml::node& item : *list) {
    const auto v = item.value_exact<std::int64_t>();
    if (!v || *v < 0) return fail(key, "must be a list of whole numbers, none negative");
    value.push_back(static_cast<std::uint64_t>(*v));
  }
}

void StrictTable::get(std::string_view key, double& value, double lo, double hi) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const auto v = node->is_number() ? node->value<double>() : std::nullopt;
  if (!v)
    fail(key, "must be a number");
  else if (!std::isfinite(*v) || *v < lo || *v > hi)
    fail(key, fmt::format("must be in {}..{}, it is {}", lo, hi, *v));
  else
    value = *v;
}

void StrictTable::get(std::string_view key, std::vector<float>& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) return fail(key, "must be a list of numbers");
  value.clear();
  for (const toml::node& item : *list) {
    const auto v = item.is_number() ? item.value<double>() : std::nullopt;
    if (!v || !std::isfinite(*v)) return fail(key, "must be a list of numbers");
    value.push_back(static_cast<float>(*v));
  }
}

void StrictTable::get(std::string_view key, std::vector<int>& value, std::int64_t lo,
                      std::int64_t hi) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) return fail(key, "must be a list of whole numbers");
  value.clear();
  for (const toml::node& item : *list)
    if (!integer(&item, key, value.emplace_back(), lo, hi)) return;
}

void StrictTable::get(std::string_view key, std::vector<std::string>& value) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) return fail(key, "must be a list of strings");
  value.clear();
  for (const toml::node& item : *list) {
    const auto v = item.value_exact<std::string>();
    if (!v) return fail(key, "must be a list of strings");
    value.push_back(*v);
  }
}

void StrictTable::get(std::string_view key, std::vector<std::vector<int>>& value, std::int64_t lo,
                      std::int64_t hi) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr) return fail(key, "must be a list of lists of numbers");
  value.clear();
  for (const toml::node& row : *list) {
    const toml::array* items = row.as_array();
    if (items == nullptr || items->empty()) return fail(key, "must be a list of lists of numbers");
    auto& out = value.emplace_back();
    for (const toml::node& item : *items)
      if (!integer(&item, key, out.emplace_back(), lo, hi)) return;
  }
}

void StrictTable::get_sizes(std::string_view key, std::vector<int>& value,
                            std::vector<std::size_t> lengths, std::int64_t lo, std::int64_t hi) {
  const toml::node* node = find(key);
  if (node == nullptr) return;
  std::vector<int> read;
  if (const toml::array* list = node->as_array()) {
    for (const toml::node& item : *list)
      if (!integer(&item, key, read.emplace_back(), lo, hi)) return;
    if (std::find(lengths.begin(), lengths.end(), read.size()) == lengths.end())
      return fail(key, fmt::format("a list must have {} numbers", fmt::join(lengths, " or ")));
  } else if (!integer(node, key, read.emplace_back(), lo, hi)) {
    return;
  }
  value = std::move(read);
}

void StrictTable::get_choice(std::string_view key, std::string& value,
                             const std::vector<std::string>& choices) {
  std::string read = value;
  get(key, read);
  if (!has(key) || failed()) return;
  if (std::find(choices.begin(), choices.end(), read) != choices.end()) {
    value = read;
    return;
  }
  const std::string near = nearest_word(read, choices);
  fail(key, fmt::format("\"{}\" is none of {}{}", read, fmt::join(choices, ", "),
                        near.empty() ? "" : "; did you mean \"" + near + "\"?"));
}

std::optional<StrictTable> StrictTable::table(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const toml::table* t = node->as_table()) return StrictTable(*t, file_, std::string(key));
  fail(key, fmt::format("must be a section [{}]", key));
  return std::nullopt;
}

std::vector<StrictTable> StrictTable::tables(std::string_view key) {
  std::vector<StrictTable> out;
  const toml::node* node = find(key);
  if (node == nullptr) return out;
  const std::string name = section_.empty() ? std::string(key) : section_ + "." + std::string(key);
  const toml::array* list = node->as_array();
  if (list == nullptr || !list->is_homogeneous(toml::node_type::table)) {
    fail(key, fmt::format("must be a list of sections [[{}]]", name));
    return out;
  }
  for (const toml::node& item : *list) out.emplace_back(*item.as_table(), file_, name);
  return out;
}

Status StrictTable::finish() {
  if (error_) return *error_;
  for (const auto& [key, node] : table_) {
    if (known_.contains(key.str())) continue;
    const std::string near = nearest_word(key.str(), {known_.begin(), known_.end()});
    return Error{
        ErrorCode::kBadFile,
        fmt::format("{}: unknown key{}", where(node, key.str()),
                    near.empty() ? "; known are " + fmt::format("{}", fmt::join(known_, ", "))
                                 : "; did you mean \"" + near + "\"?")};
  }
  return ok_status();
}

}  // namespace nbq
