#pragma once
#include "core/strict_toml.h"
#include "train/phase_fields.h"

// Private to src/train.
namespace nbq {

/// Reads a phase's fields.
struct FieldReader {
  StrictTable& table;
  template <class Field, class Low, class High>
  void number(const char* key, Field& field, Low lowest, High highest) {
    table.get(key, field, static_cast<Field>(lowest), static_cast<Field>(highest));
  }
  void flag(const char* key, bool& field) { table.get(key, field); }
  void choice(const char* key, std::string& field, const std::vector<std::string>& names) {
    table.get_choice(key, field, names);
  }
};

/// What a [[phase]] and a row of [compare] may both set; what is not there stays as it is.
void read_settings(StrictTable& table, PhaseSpec& phase);

/// [compare], after the phases, which its rows begin from.
Status read_compare(StrictTable table, Recipe& recipe);

}  // namespace nbq
