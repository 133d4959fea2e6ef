#include "model/builders.h"

#include "model/families/blocks.h"

namespace nbq {
namespace {

/// A family's keys are those of [model] that it uses.
struct Family {
  const char* name;
  Result<Graph> (*build)(const BuildSpec&);
  std::vector<std::string> keys;
  int depth = 0;  ///< this and what follows: defaults
  const char* stem = "";
  int base_width = 0;
};

/// The one table of families.
const std::vector<Family>& families() {
  static const std::vector<Family> rows = {
      {"nbqnn", build_nbqnn, {"stages", "stem"}, 0, "cifar"},
      {"resnet_cifar", build_resnet_cifar, {"depth", "shortcut", "base_width"}, 20, "", 16},
      {"resnet", build_resnet, {"depth", "stem", "base_width"}, 18, "imagenet", 64},
      {"densenet_bc",
       build_densenet_bc,
       {"depth", "blocks", "growth", "compression", "stem"},
       40,
       "cifar"},
      {"alexnet", build_alexnet, {"norm", "stem", "base_width"}, 0, "imagenet", 64},
      {"vgg_small", build_vgg_small, {"base_width"}, 0, "", 128}};
  return rows;
}

const Family* find_family(std::string_view name) {
  for (const Family& f : families())
    if (name == f.name) return &f;
  return nullptr;
}

}  // namespace

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const Family& f : families()) names.emplace_back(f.name);
  return names;
}

std::vector<std::string> family_keys(std::string_view family) {
  const Family* f = find_family(family);
  return f == nullptr ? std::vector<std::string>{} : f->keys;
}

BuildSpec with_family_defaults(BuildSpec spec) {
  const Family* f = find_family(spec.family);
  if (f == nullptr) return spec;
  if (spec.depth == 0) spec.depth = f->depth;
  if (spec.stem.empty()) spec.stem = f->stem;
  if (spec.base_width == 0) spec.base_width = f->base_width;
  return spec;
}

Result<Graph> build_graph(const BuildSpec& spec) {
  const Family* f = find_family(spec.family);
  if (f == nullptr)
    return make_error(ErrorCode::kInvalidArgument,
                      "model.family: no family is named {}; there are {}", spec.family,
                      fmt::join(family_names(), ", "));
  NBQ_ASSIGN(Graph g, f->build(with_family_defaults(spec)));
  NBQ_TRY(infer_shapes(g));
  return g;
}

}  // namespace nbq
