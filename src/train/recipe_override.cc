#include "train/recipe_override.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

namespace nbq {
namespace {

Error bad(std::string_view text, std::string_view why) {
  return make_error(ErrorCode::kInvalidArgument, "--set {}: {}", text, why);
}

/// Letters, digits, - and _, as in TOML's bare keys.
bool is_bare_key(std::string_view key) {
  const auto bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), bare);
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

std::vector<std::string_view> split_key(std::string_view key) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t dot = key.find('.');
    parts.push_back(trimmed(key.substr(0, dot)));
    if (dot == std::string_view::npos) return parts;
    key.remove_prefix(dot + 1);
  }
}

/// A table with the value under "value".
toml::table parse_value(std::string_view text) {
  try {
    toml::table parsed = toml::parse("value = " + std::string(text));
    if (parsed.size() == 1) return parsed;
  } catch (const toml::parse_error&) {  // a bare word: a string
  }
  toml::table as_string;
  as_string.insert("value", std::string(text));
  return as_string;
}

/// The element of a list of sections that `part` numbers, or null.
toml::table* element(toml::array& list, std::string_view part) {
  std::size_t place = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), place);
  if (error != std::errc() || end != part.data() + part.size()) return nullptr;
  return place >= 1 && place <= list.size() ? list[place - 1].as_table() : nullptr;
}

}  // namespace

Status apply_override(toml::table& recipe, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos)
    return bad(text, "must be key=value, such as model.depth=110");
  const std::vector<std::string_view> key = split_key(text.substr(0, equals));
  for (const std::string_view part : key)
    if (!is_bare_key(part)) return bad(text, "the key must be names joined by dots");
  toml::table* table = &recipe;
  for (std::size_t i = 0; i + 1 < key.size(); ++i) {
    toml::node* node = table->get(key[i]);
    if (node == nullptr) node = &table->insert(key[i], toml::table{}).first->second;
    if (toml::array* list = node->as_array(); list != nullptr && i + 2 < key.size()) {
      table = element(*list, key[++i]);
      if (table == nullptr)
        return bad(text, fmt::format("{} has {} elements, counted from 1; \"{}\" is none of them",
                                     key[i - 1], list->size(), key[i]));
    } else if (node->is_table()) {
      table = node->as_table();
    } else {
      return bad(text, fmt::format("{} is not a section{}", key[i],
                                   node->is_array() ? "; name one of its elements by its place, "
                                                      "such as phase.1.lr"
                                                    : ""));
    }
  }
  const toml::table value = parse_value(trimmed(text.substr(equals + 1)));
  // A copy has no line number, by which messages know that the file doesn't say this.
  table->insert_or_assign(key.back(), *value.get("value"));
  return ok_status();
}

}  // namespace nbq
