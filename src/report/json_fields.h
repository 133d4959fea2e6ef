#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

namespace nbq::report {

/// What the readers below throw: says which key is wrong. Goes no further than read_inputs(), which
/// adds the file's name.
struct BadInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Absent for null and for no such key; +-2^53 at most.
std::optional<double> maybe_number(const nlohmann::json& j, const char* key);
double number(const nlohmann::json& j, const char* key);
double amount(const nlohmann::json& j, const char* key);  ///< 0 at least
/// `key` names the value in errors.
std::int64_t whole(const nlohmann::json& value, const char* key);
std::int64_t count(const nlohmann::json& value, const char* key);  ///< 0 at least
std::int64_t count_of(const nlohmann::json& j, const char* key);
int small_of(const nlohmann::json& j, const char* key);  ///< 0 to a million
const nlohmann::json& member(const nlohmann::json& j, const char* key);
std::string text(const nlohmann::json& j, const char* key);
const nlohmann::json& list(const nlohmann::json& j, const char* key);
void expect(const nlohmann::json& j, const char* key, const std::string& wanted);

}  // namespace nbq::report
