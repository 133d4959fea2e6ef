#pragma once
#include <toml++/toml.h>

#include <string_view>

#include "core/result.h"

// Private to src/train.
namespace nbq {

/// Puts "dotted.key=value" into a parsed recipe; sections that are not there are added, elements of
/// [[lists]] are named by their place, 1 the first. Whether the key is known and the value in range
/// is for the reader to say. Errors kInvalidArgument naming the override.
Status apply_override(toml::table& recipe, std::string_view override_text);

}  // namespace nbq
