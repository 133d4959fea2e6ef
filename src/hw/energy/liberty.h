#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace nbq::hw {

/// One group of a Liberty file: type (arguments) { name : value; name (values); groups }.
struct LibertyGroup {
  std::string type;
  std::vector<std::string> arguments;  ///< without quotes
  /// Simple and complex attributes; the values of a complex one are joined by commas.
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<LibertyGroup> groups;
  std::size_t begin = 0, end = 0;  ///< where it lies in the text

  /// The attribute's value; nullptr without.
  const std::string* find(std::string_view name) const;
  /// The attribute as a number; nothing when it is absent or none.
  std::optional<double> number(std::string_view name) const;
  /// The first group of that type; nullptr without.
  const LibertyGroup* group(std::string_view name) const;
  std::string argument() const { return arguments.empty() ? std::string() : arguments.front(); }
};

/// Reads the `library` group of a Liberty file. `name` is for messages.
/// Error kBadFile: not Liberty (names the line), or a file that ends within a group.
Result<LibertyGroup> parse_liberty(std::string_view text, const std::string& name);

/// Numbers of a Liberty list: "0.1, 0.2". Nothing when one of them is no number.
std::optional<std::vector<double>> liberty_numbers(std::string_view list);

}  // namespace nbq::hw
