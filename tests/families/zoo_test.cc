// Every recipe of the zoo: it is read, its network builds for its images, and what its quantised
// phases ask of that network can be done.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "infer/engine.h"
#include "model/fold.h"
#include "model/nbq_file.h"
#include "ops/ref_executor.h"
#include "train/initial.h"
#include "train/recipe.h"

namespace nbq {
namespace {

std::vector<std::filesystem::path> zoo() {
  std::vector<std::filesystem::path> recipes;
  for (const auto& entry : std::filesystem::directory_iterator(NBQ_SOURCE_DIR "/zoo"))
    if (entry.path().extension() == ".toml") recipes.push_back(entry.path());
  std::sort(recipes.begin(), recipes.end());
  return recipes;
}

/// What the recipe's images are: cropped, or CIFAR's, or the digits.
Shape image_of(const Recipe& r) {
  if (r.data.source == "digits") return {1, 8, 8};
  const int side = r.data.crop > 0 ? r.data.crop : 32;
  return {3, side, side};
}

class Zoo : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Zoo, IsReadAndBuilds) {
  const auto r = load_recipe(GetParam());
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ(r->name, GetParam().stem().string());
  const auto again = parse_recipe(recipe_toml(*r), "copy.toml");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(recipe_toml(*again), recipe_toml(*r));
  const auto g = recipe_graph(*r, image_of(*r), 100);
  EXPECT_TRUE(g.ok()) << g.error().message;
}

TEST_P(Zoo, CanBeQuantised) {
  // The same layers, with few channels where the family has a width: fitting the scales of 60
  // million weights takes seconds.
  std::vector<std::string> thin;
  const auto full = load_recipe(GetParam());
  ASSERT_TRUE(full.ok()) << full.error().message;
  const auto keys = family_keys(full->model.build.family);
  if (std::find(keys.begin(), keys.end(), "base_width") != keys.end())
    thin.emplace_back("model.base_width=4");
  const auto r = load_recipe(GetParam(), thin);
  ASSERT_TRUE(r.ok()) << r.error().message;
  auto g = recipe_graph(*r, image_of(*r), 100);
  ASSERT_TRUE(g.ok()) << g.error().message;
  ASSERT_TRUE(initialise(*g, r->seed).ok());
  const auto folded = fold(*g);
  ASSERT_TRUE(folded.ok()) << folded.error().message;
  const auto q = quantise(*folded, r->quant, ActSamples(folded->nodes.size(), {1.0f}));
  ASSERT_TRUE(q.ok()) << q.error().message;
  const auto integers = deploy(*q);
  EXPECT_TRUE(integers.ok()) << integers.error().message;
}

INSTANTIATE_TEST_SUITE_P(Recipes, Zoo, testing::ValuesIn(zoo()), [](const auto& p) {
  std::string name = p.param.stem().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); },
      '_');
  return name;
});

/// Models that come with nbq: small, whole, and the same on the CPU engine as in the reference.
TEST(ZooModels, RunAlikeEverywhere) {
  int models = 0;
  for (const auto& entry : std::filesystem::directory_iterator(NBQ_SOURCE_DIR "/zoo")) {
    if (entry.path().extension() != ".nbq") continue;
    ++models;
    const auto g = load_nbq(entry.path());
    ASSERT_TRUE(g.ok()) << g.error().message;
    EXPECT_EQ(g->stage, Stage::kInteger) << entry.path();
    EXPECT_FALSE(g->class_names.empty()) << entry.path();
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(g->input().shape.size()));
    std::uint32_t state = 1;
    for (auto& p : pixels)
      p = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
    const auto want = RefExecutor::create(*g).value().run(pixels, 1).value();
    std::vector<std::int64_t> have(want.size());
    ASSERT_TRUE(infer::Engine::create(*g, {}).value().run(pixels, 1, have).ok());
    EXPECT_EQ(have, want) << entry.path();
    EXPECT_TRUE(
        std::filesystem::exists(std::filesystem::path(entry.path()).replace_extension("csv")))
        << entry.path() << ": the log of its training";
  }
  EXPECT_GE(models, 1);
}

TEST(ZooFolder, IsFound) { EXPECT_GE(zoo().size(), 10u); }

}  // namespace
}  // namespace nbq
