#pragma once
#include "core/strict_toml.h"
#include "train/recipe.h"

// Private to src/train.
namespace nbq {

/// Reads [model] and its [[model.layer]]s.
Status read_model(StrictTable table, ModelSpec& model);

/// Reads the family and the keys that it uses; another family's key is an error.
void read_family(StrictTable& table, BuildSpec& spec);
/// The family and the keys that it uses as TOML lines.
std::string family_toml(const BuildSpec& spec);

/// A layer's attributes as TOML lines.
std::string attrs_toml(const Attrs& attrs);

}  // namespace nbq
