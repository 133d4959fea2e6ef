#pragma once
#include <toml++/toml.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

// For recipes and boards. toml++ stays out of other headers.
namespace nbq {

/// A TOML table of which every key must be asked for. Getters leave `value` alone when the key is
/// absent, and remember the first error, which finish() returns.
class StrictTable {
 public:
  StrictTable(const toml::table& table, std::string file, std::string section)
      : table_(table), file_(std::move(file)), section_(std::move(section)) {}

  bool has(std::string_view key) const { return table_.contains(key); }
  void get(std::string_view key, std::string& value);
  void get(std::string_view key, bool& value);
  void get(std::string_view key, int& value, std::int64_t lo, std::int64_t hi);
  void get(std::string_view key, std::uint64_t& value);
  void get(std::string_view key, std::vector<std::uint64_t>& value);
  /// lo <= value <= hi, finite.
  void get(std::string_view key, double& value, double lo, double hi);
  void get(std::string_view key, std::vector<float>& value);
  void get(std::string_view key, std::vector<int>& value, std::int64_t lo, std::int64_t hi);
  void get(std::string_view key, std::vector<std::string>& value);
  void get(std::string_view key, std::vector<std::vector<int>>& value, std::int64_t lo,
           std::int64_t hi);
  /// One integer, or a list of integers of one of the `lengths`.
  void get_sizes(std::string_view key, std::vector<int>& value, std::vector<std::size_t> lengths,
                 std::int64_t lo, std::int64_t hi);
  /// A name out of `choices`.
  void get_choice(std::string_view key, std::string& value,
                  const std::vector<std::string>& choices);

  std::optional<StrictTable> table(std::string_view key);
  /// [[key]]
  std::vector<StrictTable> tables(std::string_view key);

  /// The first error so far; else the first key that was not asked for. Sub-tables are finished by
  /// their users.
  Status finish();
  /// Notes an error at `key` (at the table when it is absent).
  void fail(std::string_view key, std::string reason);
  bool failed() const { return error_.has_value(); }

 private:
  const toml::node* find(std::string_view key);
  std::string where(const toml::node& node, std::string_view key) const;
  bool integer(const toml::node* node, std::string_view key, int& value, std::int64_t lo,
               std::int64_t hi);

  const toml::table& table_;
  std::string file_, section_;
  std::set<std::string, std::less<>> known_;
  std::optional<Error> error_;
};

/// Error kBadFile: no TOML; names `file` and the line.
Result<toml::table> parse_toml(std::string_view text, const std::string& file);

/// The one of `words` with the fewest edits to `word`, or empty when none is near.
std::string nearest_word(std::string_view word, const std::vector<std::string>& words);

}  // namespace nbq
