#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/recipe.h"

namespace nbq {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kRecipe = R"(seed = 1
[model]
family = "resnet_cifar"
depth = 20
[[phase]]
kind = "float"
lr = 0.1
[[phase]]
kind = "quantised"
)";

Result<Recipe> with(const std::vector<std::string>& overrides) {
  return parse_recipe(kRecipe, "r.toml", overrides);
}

void expect_error(const std::string& override_text, ErrorCode code,
                  const testing::Matcher<std::string>& message) {
  const auto r = with({override_text});
  ASSERT_FALSE(r.ok()) << override_text;
  EXPECT_EQ(r.error().code, code);
  EXPECT_THAT(r.error().message, message);
}

TEST(RecipeOverride, ReplacesAndAdds) {
  const auto r =
      with({"model.depth=110", "phase.2.lr = 0.002", "quant.weight_bits=4", "seed=9", "name=other",
            "data.source=\"digits\"", "data.random_resized_crop=[0.5, 1]", "model.depth=56"});
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ(r->model.build.depth, 56);  // the last one wins
  EXPECT_EQ(r->phases[0].lr, 0.1);
  EXPECT_EQ(r->phases[1].lr, 0.002);
  EXPECT_EQ(r->quant.weight_bits, 4);
  EXPECT_EQ(r->seed, 9u);
  EXPECT_EQ(r->name, "other");
  EXPECT_EQ(r->data.source, "digits");
  EXPECT_EQ(r->data.max_area, 1);
}

TEST(RecipeOverride, ListsOfSectionsInSections) {
  const std::string text = std::string(kRecipe) + "[[quant.layer]]\nmatch = \"*\"\n";
  const std::vector<std::string> set = {"quant.layer.1.act_bits=16"};
  const auto r = parse_recipe(text, "r.toml", set);
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ(r->quant.layers[0].act_bits, 16);
}

TEST(RecipeOverride, IsCheckedLikeTheFile) {
  expect_error("model.dept=3", ErrorCode::kBadFile,
               AllOf(HasSubstr("--set model.dept"), HasSubstr("\"depth\"")));
  expect_error("modle.depth=3", ErrorCode::kBadFile,
               AllOf(HasSubstr("--set modle"), HasSubstr("\"model\"")));
  expect_error("model.depth=0", ErrorCode::kBadFile,
               AllOf(HasSubstr("--set model.depth"), HasSubstr("1..10000")));
  expect_error("model.depth=deep", ErrorCode::kBadFile, HasSubstr("a whole number"));
  expect_error("phase.1.kind=quantized", ErrorCode::kBadFile, HasSubstr("--set phase.kind"));
}

TEST(RecipeOverride, OtherFormsAreRefused) {
  for (const char* text : {"model.depth", "=3", "model..depth=3", "model.de pth=3", ".=1"})
    expect_error(text, ErrorCode::kInvalidArgument, HasSubstr(std::string("--set ") + text));
  expect_error("phase.3.lr=1", ErrorCode::kInvalidArgument, HasSubstr("has 2 elements"));
  expect_error("phase.0.lr=1", ErrorCode::kInvalidArgument, HasSubstr("has 2 elements"));
  expect_error("phase.x.lr=1", ErrorCode::kInvalidArgument, HasSubstr("has 2 elements"));
  expect_error("phase.lr=1", ErrorCode::kInvalidArgument, HasSubstr("by its place"));
  expect_error("seed.x=1", ErrorCode::kInvalidArgument, HasSubstr("seed is not a section"));
}

TEST(RecipeOverride, ValuesCannotSmuggleInMore) {
  const auto r = with({"name=1\n[quant]\nweight_bits = 2"});
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ(r->quant.weight_bits, 3);
}

}  // namespace
}  // namespace nbq
