#include "train/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace nbq {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kGood = R"(name = "mine"
seed = 7
[data]
source = "digits"
pad_crop = 1
validation = 0.2
[model]
family = "nbqnn"
stages = [[8, 8], [16]]
[quant]
weight_bits = 3
granularity = "layer"
[[quant.layer]]
match = "classes"
weight_bits = 4
[[phase]]
kind = "float"
epochs = 3
lr = 0.05
schedule = "step"
step_epochs = 2
[[phase]]
kind = "quantised"
epochs = 2
gradient = "ste"
one_minus_alpha = [0.5, 0.125]
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::string& text) {
  const auto r = parse_recipe(text, "r.toml");
  EXPECT_FALSE(r.ok());
  if (r.ok()) return {};
  EXPECT_EQ(r.error().code, ErrorCode::kBadFile);
  return r.error().message;
}

TEST(Recipe, IsReadAndWrittenBack) {
  const auto r = parse_recipe(kGood, "r.toml");
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ(r->name, "mine");
  EXPECT_EQ(r->seed, 7u);
  EXPECT_EQ(r->model.build.stages, (std::vector<std::vector<int>>{{8, 8}, {16}}));
  EXPECT_EQ(r->quant.granularity, ScaleGranularity::kPerLayer);
  EXPECT_EQ(r->quant.weight_bits_of("classes"), 4);
  ASSERT_EQ(r->phases.size(), 2u);
  EXPECT_FALSE(r->phases[0].quantised);
  EXPECT_EQ(r->phases[0].lr, 0.05);
  EXPECT_EQ(r->phases[1].gradient, "ste");
  EXPECT_EQ(r->phases[1].one_minus_alpha_to, 0.125);
  const std::string text = recipe_toml(*r);
  const auto again = parse_recipe(text, "copy.toml");
  ASSERT_TRUE(again.ok()) << again.error().message << "\n" << text;
  EXPECT_EQ(recipe_toml(*again), text);
}

TEST(Recipe, MisspeltKeysAreNamedWithTheNearest) {
  EXPECT_THAT(error_of(replaced(kGood, "epochs = 3", "epoch = 3")),
              AllOf(HasSubstr("r.toml:18: phase.epoch"), HasSubstr("did you mean \"epochs\"")));
  EXPECT_THAT(error_of(replaced(kGood, "pad_crop", "padcrop")),
              AllOf(HasSubstr("r.toml:5: data.padcrop"), HasSubstr("\"pad_crop\"")));
  EXPECT_THAT(error_of(replaced(kGood, "seed", "sead")), HasSubstr("r.toml:2: sead"));
  EXPECT_THAT(error_of(replaced(kGood, "[quant]", "[quantt]")), HasSubstr("\"quant\""));
  EXPECT_THAT(error_of(replaced(kGood, "match = \"classes\"", "match = \"classes\"\nbits = 2")),
              HasSubstr("quant.layer.bits"));
}

TEST(Recipe, WrongTypesAndRangesAreRefused) {
  EXPECT_THAT(error_of(replaced(kGood, "epochs = 3", "epochs = \"3\"")),
              HasSubstr("a whole number"));
  EXPECT_THAT(error_of(replaced(kGood, "epochs = 3", "epochs = 0")), HasSubstr("1..100000"));
  EXPECT_THAT(error_of(replaced(kGood, "lr = 0.05", "lr = -1.0")), HasSubstr("phase.lr"));
  EXPECT_THAT(error_of(replaced(kGood, "weight_bits = 3", "weight_bits = 6")), HasSubstr("1..5"));
  EXPECT_THAT(error_of(replaced(kGood, "\"step\"", "\"stepp\"")),
              HasSubstr("did you mean \"step\""));
  EXPECT_THAT(error_of(replaced(kGood, "\"ste\"", "\"nearest\"")), HasSubstr("reconstructed, ste"));
  EXPECT_THAT(error_of(replaced(kGood, "[0.5, 0.125]", "[0.5, 0.0]")),
              HasSubstr("one_minus_alpha"));
  EXPECT_THAT(error_of(replaced(kGood, "kind = \"quantised\"", "kind = \"float\"")),
              HasSubstr("unknown key"));
  EXPECT_THAT(error_of("name = "), HasSubstr("r.toml:1"));
  EXPECT_THAT(error_of("name = \"x\"\n"), HasSubstr("no [[phase]]"));
  EXPECT_THAT(error_of("phase = 3\n"), HasSubstr("[[phase]]"));
}

constexpr const char* kLayers = R"([model]
[[model.layer]]
name = "conv"
op = "conv2d"
out_channels = 4
kernel = 3
padding = [0, 1, 1, 0]
bias = true
[[model.layer]]
name = "relu"
op = "relu"
[[model.layer]]
name = "sum"
op = "add"
inputs = ["conv", "relu"]
[[model.layer]]
op = "global_avg_pool"
[[phase]]
kind = "float"
)";

TEST(Recipe, DescribesNetworksOfOnesOwn) {
  const auto r = parse_recipe(kLayers, "r.toml");
  ASSERT_TRUE(r.ok()) << r.error().message;
  const auto g = recipe_graph(*r, {1, 8, 8}, 4);
  ASSERT_TRUE(g.ok()) << g.error().message;
  ASSERT_EQ(g->nodes.size(), 5u);
  EXPECT_EQ(g->nodes[3].inputs, (std::vector<int>{1, 2}));
  EXPECT_EQ(g->nodes[4].name, "layer4");
  EXPECT_EQ(g->nodes[1].shape, (Shape{4, 7, 7}));
  const auto again = parse_recipe(recipe_toml(*r), "copy.toml");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(recipe_toml(*again), recipe_toml(*r));
  const auto wrong = recipe_graph(*r, {1, 8, 8}, 10);
  ASSERT_FALSE(wrong.ok());
  EXPECT_THAT(wrong.error().message, HasSubstr("10 classes"));
}

TEST(Recipe, PadsAndSlices) {
  const std::string text =
      "[model]\n[[model.layer]]\nop = \"pad\"\nchannels = [1, 2]\nrows = [0, 3]\n"
      "[[model.layer]]\nop = \"slice\"\nstart = [1, 0, 2]\nsize = [2, 5, 2]\nstep = [1, 2, 3]\n"
      "[[phase]]\nkind = \"float\"\n";
  const auto r = parse_recipe(text, "r.toml");
  ASSERT_TRUE(r.ok()) << r.error().message;
  const auto g = recipe_graph(*r, {1, 8, 8}, 20);
  ASSERT_TRUE(g.ok()) << g.error().message;
  EXPECT_EQ(g->nodes[1].shape, (Shape{4, 11, 8}));
  EXPECT_EQ(g->nodes[2].shape, (Shape{2, 5, 2}));
  const auto again = parse_recipe(recipe_toml(*r), "copy.toml");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(recipe_toml(*again), recipe_toml(*r));
}

TEST(Recipe, LayersErrorsNameTheKey) {
  EXPECT_THAT(error_of(replaced(kLayers, "\"add\"", "\"ad\"")), HasSubstr("did you mean \"add\""));
  EXPECT_THAT(error_of(replaced(kLayers, "\"conv\", \"relu\"", "\"conw\", \"relu\"")),
              HasSubstr("no layer before this one is named \"conw\""));
  EXPECT_THAT(error_of(replaced(kLayers, "out_channels = 4\n", "")),
              HasSubstr("out_channels: is needed"));
  EXPECT_THAT(error_of(replaced(kLayers, "kernel = 3", "kernel = [3]")), HasSubstr("kernel"));
  EXPECT_THAT(error_of(replaced(kLayers, "kernel = 3", "kernal = 3")),
              HasSubstr("kernel: is needed"));
}

TEST(Recipe, EpochsScale) {
  const auto r = parse_recipe(kGood, "r.toml");
  ASSERT_TRUE(r.ok());
  const Recipe twice = scale_epochs(*r, 2);
  EXPECT_EQ(twice.phases[0].epochs, 6);
  EXPECT_EQ(twice.phases[1].final_epochs_at_one, 2);
  const Recipe least = scale_epochs(*r, 0.01);
  EXPECT_EQ(least.phases[0].epochs, 1);
  EXPECT_EQ(least.phases[1].final_epochs_at_one,
            r->phases[1].final_epochs_at_one / r->phases[1].epochs);
}

std::string family_recipe(const std::string& keys) {
  return "[model]\n" + keys + "\n[[phase]]\nkind = \"float\"\n";
}

TEST(Recipe, FamiliesHaveTheirOwnKeysAndDefaults) {
  const auto r = parse_recipe(family_recipe("family = \"resnet\"\ndepth = 50"), "r.toml");
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ(r->model.build.depth, 50);
  EXPECT_EQ(r->model.build.stem, "imagenet");
  EXPECT_EQ(r->model.build.base_width, 64);
  EXPECT_THAT(recipe_toml(*r), HasSubstr("stem = \"imagenet\""));
  EXPECT_THAT(error_of(family_recipe("family = \"resnet\"\ngrowth = 12")),
              AllOf(HasSubstr("r.toml:3: model.growth"), HasSubstr("no key of resnet")));
  EXPECT_THAT(error_of(family_recipe("family = \"resnett\"")), HasSubstr("\"resnet\""));
  EXPECT_THAT(error_of(family_recipe("family = \"resnet\"\nstem = \"mnist\"")),
              HasSubstr("cifar, imagenet"));
}

TEST(Recipe, FormsStandForStages) {
  const auto r = parse_recipe(family_recipe("family = \"nbqnn\"\nform = \"S\""), "r.toml");
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ(r->model.build.stages, nbqnn_form("S"));
  EXPECT_THAT(error_of(family_recipe("family = \"nbqnn\"\nform = \"S\"\nstages = [[8]]")),
              HasSubstr("give one of the two"));
}

TEST(Recipe, DataKeysBelongTogether) {
  const auto with = [](const std::string& keys) {
    return "[data]\n" + keys + "\n" + family_recipe("family = \"vgg_small\"");
  };
  const auto r =
      parse_recipe(with("resize = 256\ncrop = 224\nrandom_resized_crop = [0.08, 1.0]"), "r.toml");
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ(r->data.crop, 224);
  EXPECT_EQ(r->data.max_area, 1);
  const auto again = parse_recipe(recipe_toml(*r), "copy.toml");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->data.min_area, r->data.min_area);
  EXPECT_EQ(again->data.resize, 256);
  EXPECT_THAT(error_of(with("resize = 200\ncrop = 224")), HasSubstr("smaller than the crop"));
  EXPECT_THAT(error_of(with("resize = 200")), HasSubstr("needs crop"));
  EXPECT_THAT(error_of(with("crop = 224\nheight = 10")), HasSubstr("data.crop"));
  EXPECT_THAT(error_of(with("random_resized_crop = [0.5, 0.2]")), HasSubstr("two numbers"));
  EXPECT_THAT(error_of(with("random_resized_crop = 0.5")), HasSubstr("list of numbers"));
}

constexpr const char* kTwoPhases = R"(name = "two"
[model]
family = "nbqnn"
[[phase]]
kind = "float"
epochs = 7
[[phase]]
kind = "quantised"
epochs = 3
lr = 0.002
)";

TEST(Recipe, ProgressiveBitsRepeatTheQuantisedPhase) {
  const Recipe two = parse_recipe(kTwoPhases, "two.toml").value();
  const auto made = progressive_bits(two, std::vector{32, 4, 3});
  ASSERT_TRUE(made.ok()) << made.error().message;
  ASSERT_EQ(made->phases.size(), 3u);
  EXPECT_FALSE(made->phases[0].quantised);
  EXPECT_EQ(made->phases[0].epochs, 7);
  for (const std::size_t i : {1u, 2u}) {
    EXPECT_TRUE(made->phases[i].quantised);
    EXPECT_EQ(made->phases[i].epochs, 3);
    EXPECT_EQ(made->phases[i].lr, 0.002);
    EXPECT_EQ(made->phases[i].weight_bits, i == 1 ? 4 : 3);
  }
  EXPECT_EQ(recipe_toml(parse_recipe(recipe_toml(*made), "again.toml").value()),
            recipe_toml(*made));
  EXPECT_EQ(progressive_bits(two, std::vector{32})->phases.size(), 1u);
  Recipe begun = two;
  begun.init = "float.nbq";
  EXPECT_EQ(progressive_bits(begun, std::vector{3})->phases.size(), 1u);
}

TEST(Recipe, ProgressiveBitsThatMakeNoSense) {
  const Recipe two = parse_recipe(kTwoPhases, "two.toml").value();
  const auto message = [](const Recipe& r, std::vector<int> bits) {
    const auto made = progressive_bits(r, bits);
    return made.ok() ? std::string() : made.error().message;
  };
  EXPECT_NE(message(two, {4, 3}).find("--init"), std::string::npos);
  EXPECT_NE(message(two, {32, 6}).find("1..5"), std::string::npos);
  EXPECT_NE(message(two, {32, 4, 32}).find("may be the first"), std::string::npos);
  EXPECT_NE(message(two, {}).find("no widths"), std::string::npos);
  Recipe three = two;
  three.phases.push_back(two.phases[1]);
  EXPECT_NE(message(three, {32, 4}).find("has 2"), std::string::npos);
  Recipe budget = two;
  budget.budget.bytes = 1000;
  EXPECT_NE(message(budget, {32, 4}).find("budget"), std::string::npos);
  three.phases.erase(three.phases.begin(), three.phases.begin() + 2);
  EXPECT_NE(message(three, {32, 4}).find("no float phase"), std::string::npos);
}

}  // namespace
}  // namespace nbq
