#include <algorithm>

#include "train/recipe.h"

namespace nbq {
namespace {

constexpr int kFloatBits = 32;

Status check_widths(std::span<const int> bits) {
  if (bits.empty()) return make_error(ErrorCode::kInvalidArgument, "--bits: no widths");
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const bool is_float = bits[i] == kFloatBits && i == 0;
    if (!is_float && (bits[i] < kMinWeightBits || bits[i] > kMaxWeightBits))
      return make_error(ErrorCode::kInvalidArgument,
                        "--bits: {}: widths are {}..{}; {}, the float phases, may be the first",
                        bits[i], kMinWeightBits, kMaxWeightBits, kFloatBits);
  }
  return ok_status();
}

}  // namespace

Result<Recipe> progressive_bits(Recipe recipe, std::span<const int> bits) {
  NBQ_TRY(check_widths(bits));
  const auto first = std::find_if(recipe.phases.begin(), recipe.phases.end(),
                                  [](const PhaseSpec& p) { return p.quantised; });
  const bool begins_float = bits[0] == kFloatBits;
  const auto widths = bits.subspan(begins_float ? 1 : 0);
  if (!widths.empty() && recipe.phases.end() - first != 1)
    return make_error(ErrorCode::kInvalidArgument,
                      "--bits repeats the recipe's quantised phase for each width, but {} has {}",
                      recipe.name, recipe.phases.end() - first);
  if (begins_float && first == recipe.phases.begin())
    return make_error(ErrorCode::kInvalidArgument, "--bits {}: {} has no float phase", kFloatBits,
                      recipe.name);
  if (!begins_float && recipe.init.empty())
    return make_error(ErrorCode::kInvalidArgument,
                      "--bits {}: without {} there is no float phase: give the float network that "
                      "it begins with (--init)",
                      bits[0], kFloatBits);
  if (recipe.budget.bytes != 0 && !widths.empty())
    return make_error(ErrorCode::kInvalidArgument,
                      "--bits: the budget of [quant] chooses the bits already");
  std::vector<PhaseSpec> phases;
  if (begins_float) phases.assign(recipe.phases.begin(), first);
  for (const int b : widths) phases.emplace_back(*first).weight_bits = b;
  recipe.phases = std::move(phases);
  return recipe;
}

}  // namespace nbq
