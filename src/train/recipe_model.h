#pragma once
#include "train/recipe.h"
#include "train/strict_toml.h"

// Private to src/train.
namespace nbq {

/// Reads [model] and its [[model.layer]]s.
Status read_model(StrictTable table, ModelSpec& model);

/// A layer's attributes as TOML lines.
std::string attrs_toml(const Attrs& attrs);

}  // namespace nbq
