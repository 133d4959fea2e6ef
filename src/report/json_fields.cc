#include "report/json_fields.h"

#include <fmt/format.h>

#include <cmath>

namespace nbq::report {

using nlohmann::json;

namespace {
constexpr double kExact = 9007199254740992.0;  // 2^53
}

std::optional<double> maybe_number(const json& j, const char* key) {
  const auto it = j.find(key);
  if (it == j.end() || it->is_null()) return std::nullopt;
  if (!it->is_number()) throw BadInput(fmt::format("\"{}\" is not a number", key));
  const double v = it->get<double>();
  if (!std::isfinite(v) || std::fabs(v) > kExact)
    throw BadInput(fmt::format("\"{}\" is out of range", key));
  return v;
}

double number(const json& j, const char* key) {
  if (!j.is_object()) throw BadInput(fmt::format("expected an object with \"{}\"", key));
  const std::optional<double> v = maybe_number(j, key);
  if (!v) throw BadInput(fmt::format("\"{}\" is missing", key));
  return *v;
}

double amount(const json& j, const char* key) {
  const double v = number(j, key);
  if (v < 0) throw BadInput(fmt::format("\"{}\" is negative", key));
  return v;
}

std::int64_t whole(const json& value, const char* key) {
  if (!value.is_number_integer()) throw BadInput(fmt::format("\"{}\" is not an integer", key));
  const double v = value.get<double>();
  if (std::fabs(v) > kExact) throw BadInput(fmt::format("\"{}\" is out of range", key));
  return static_cast<std::int64_t>(v);
}

std::int64_t count(const json& value, const char* key) {
  const std::int64_t v = whole(value, key);
  if (v < 0) throw BadInput(fmt::format("\"{}\" is negative", key));
  return v;
}

const json& member(const json& j, const char* key) {
  if (!j.is_object() || !j.contains(key)) throw BadInput(fmt::format("\"{}\" is missing", key));
  return j.at(key);
}

std::int64_t count_of(const json& j, const char* key) { return count(member(j, key), key); }

int small_of(const json& j, const char* key) {
  const std::int64_t v = count_of(j, key);
  if (v > 1'000'000) throw BadInput(fmt::format("\"{}\" is out of range", key));
  return static_cast<int>(v);
}

std::string text(const json& j, const char* key) {
  const json& value = member(j, key);
  if (!value.is_string()) throw BadInput(fmt::format("\"{}\" is not a string", key));
  return value.get<std::string>();
}

const json& list(const json& j, const char* key) {
  const json& value = member(j, key);
  if (!value.is_array()) throw BadInput(fmt::format("\"{}\" is not a list", key));
  return value;
}

void expect(const json& j, const char* key, const std::string& wanted) {
  const std::string is = text(j, key);
  if (is != wanted)
    throw BadInput(fmt::format("\"{}\" is \"{}\", expected \"{}\"", key, is, wanted));
}

}  // namespace nbq::report
