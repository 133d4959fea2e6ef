#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/recipe.h"

namespace nbq {

/// Names of comparable rows: nbq's gradients, which learn integer networks in the recipe's
/// quantised phases, then the rows of weight_methods.def.
std::vector<std::string> compare_names();
/// The row learns an all-integer network (8-bit activations and so on), not a float one.
bool is_integer_row(const CompareRow& row);

/// A row with the budget of the recipe's quantised phases: nbq's own go through these phases; a
/// method gets one float phase of as many epochs, with the first one's batch and optimizer. No row
/// learns from a teacher. bits  0: the recipe's, or the method's own.
/// Errors kInvalidArgument: unknown name, bits out of its range, a recipe without quantised phase.
Result<CompareRow> compare_row(const Recipe& recipe, std::string_view name, int bits = 0);

/// Name of the row's run folder: its label, ':' as '-'.
std::string row_folder(const CompareRow& row);
/// The folder of the phases that all rows share.
inline constexpr const char* kSharedFolder = "shared";

/// Rows by `wanted`, each a label or a name of the recipe's rows, else "name" or "name:bits";
/// empty: all of the recipe's, or without those every name. The control, "float", comes first in
/// any case. Errors as compare_row(), or two rows of one label.
Result<std::vector<CompareRow>> choose_rows(const Recipe& recipe,
                                            std::span<const std::string> wanted);

}  // namespace nbq
