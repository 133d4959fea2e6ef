#include "model/builders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

namespace nbq {
namespace {

using testing::HasSubstr;

BuildSpec spec_of(const char* family, int side, int classes) {
  BuildSpec s;
  s.family = family;
  s.height = s.width = side;
  s.classes = classes;
  return s;
}
BuildSpec deep(const char* family, int side, int classes, int depth) {
  BuildSpec s = spec_of(family, side, classes);
  s.depth = depth;
  return s;
}
/// ResNet-20 with identity shortcuts.
BuildSpec padded(int side) {
  BuildSpec s = deep("resnet_cifar", side, 10, 20);
  s.shortcut = "pad";
  return s;
}
BuildSpec densenet(int depth) { return deep("densenet_bc", 32, 10, depth); }
BuildSpec densenet121() {
  BuildSpec s = spec_of("densenet_bc", 224, 1000);
  s.blocks = {6, 12, 24, 16};
  s.growth = 32;
  s.stem = "imagenet";
  return s;
}
BuildSpec alexnet(int side, int classes, const char* stem, bool norm) {
  BuildSpec s = spec_of("alexnet", side, classes);
  s.stem = stem;
  s.norm = norm;
  return s;
}
BuildSpec nbqnn(const char* form, int side, int classes, const char* stem) {
  BuildSpec s = spec_of("nbqnn", side, classes);
  s.stages = nbqnn_form(form);
  s.stem = stem;
  return s;
}

/// Parameters exactly where the source gives them so; multiply-accumulates to within `slack`.
struct Known {
  const char* name;
  BuildSpec spec;
  double params, params_slack;
  double macs, macs_slack;
};
std::ostream& operator<<(std::ostream& out, const Known& k) { return out << k.name; }

class Sizes : public testing::TestWithParam<Known> {};

TEST_P(Sizes, AreThoseOfTheLiterature) {
  const auto g = build_graph(GetParam().spec);
  ASSERT_TRUE(g.ok()) << g.error().message;
  EXPECT_EQ(g->output().shape, (Shape{GetParam().spec.classes, 1, 1}));
  EXPECT_NEAR(static_cast<double>(total_params(*g)), GetParam().params, GetParam().params_slack);
  EXPECT_NEAR(static_cast<double>(total_macs(*g)), GetParam().macs, GetParam().macs_slack);
}

// He et al. 2016 (ResNet on CIFAR; the 1x1 shortcuts add 2752 to the 269722 of identity ones),
// Huang et al. 2017 (DenseNet-BC: 0.8 M for depth 100), torchvision's model pages (the 224x224
// ones).
INSTANTIATE_TEST_SUITE_P(
    Families, Sizes,
    testing::Values(
        Known{"resnet20", deep("resnet_cifar", 32, 10, 20), 272474, 0, 40.8e6, 0.6e6},
        Known{"resnet20_identity", padded(32), 269722, 0, 40.6e6, 0.4e6},
        Known{"resnet32", deep("resnet_cifar", 32, 10, 32), 466906, 0, 69e6, 1e6},
        Known{"resnet56", deep("resnet_cifar", 32, 10, 56), 855770, 0, 126e6, 2e6},
        Known{"resnet44", deep("resnet_cifar", 32, 10, 44), 661338, 0, 97e6, 1.5e6},
        Known{"resnet110", deep("resnet_cifar", 32, 10, 110), 1730714, 0, 253e6, 4e6},
        Known{"resnet18", deep("resnet", 224, 1000, 18), 11689512, 0, 1.814e9, 0.01e9},
        Known{"resnet34", deep("resnet", 224, 1000, 34), 21797672, 0, 3.664e9, 0.01e9},
        Known{"resnet50", deep("resnet", 224, 1000, 50), 25557032, 0, 4.089e9, 0.01e9},
        Known{"resnet101", deep("resnet", 224, 1000, 101), 44549160, 0, 7.801e9, 0.01e9},
        Known{"resnet152", deep("resnet", 224, 1000, 152), 60192808, 0, 11.514e9, 0.02e9},
        Known{"densenet40", densenet(40), 176122, 0, 74e6, 3e6},
        Known{"densenet100", densenet(100), 769162, 0, 296e6, 10e6},
        Known{"densenet121", densenet121(), 7978856, 0, 2.834e9, 0.02e9},
        Known{"alexnet", alexnet(224, 1000, "imagenet", false), 61100840, 0, 0.714e9, 0.002e9},
        // What follows has no such source: a change shows here.
        Known{"alexnet_cifar", alexnet(32, 10, "cifar", true), 3242954, 0, 55104512, 0},
        Known{"vgg_small", spec_of("vgg_small", 32, 10), 4660106, 0, 607.6e6, 0.1e6},
        Known{"nbqnn_t", nbqnn("T", 32, 10, "cifar"), 1235834, 0, 139917312, 0},
        Known{"nbqnn_s", nbqnn("S", 32, 10, "cifar"), 2497738, 0, 267485184, 0},
        Known{"nbqnn_l", nbqnn("L", 32, 10, "cifar"), 9935242, 0, 1063452672, 0},
        Known{"nbqnn_l_large", nbqnn("L", 224, 1000, "imagenet"), 14717992, 0, 4855431168, 0}),
    [](const auto& p) { return p.param.name; });

TEST(Builders, NbqnnIsNothingButUniformConvolutions) {
  BuildSpec s = spec_of("nbqnn", 32, 10);
  s.stages = {{8, 8}, {16}};
  const Graph g = build_graph(s).value();
  for (const Node& n : g.nodes)
    if (const auto* c = std::get_if<Conv2dAttrs>(&n.attrs)) {
      EXPECT_EQ(c->window.kernel_h, 3);
      EXPECT_EQ(c->window.kernel_w, 3);
    } else {
      EXPECT_NE(n.kind(), OpKind::kLinear);
    }
}

TEST(Builders, BottlenecksStrideInTheir3x3) {
  const Graph g = build_graph(deep("resnet", 224, 1000, 50)).value();
  const auto stride = [&](const char* name) {
    for (const Node& n : g.nodes)
      if (n.name == name) return std::get<Conv2dAttrs>(n.attrs).window.stride_h;
    return 0;
  };
  EXPECT_EQ(stride("stage2.block1.conv1"), 1);
  EXPECT_EQ(stride("stage2.block1.conv2"), 2);
  EXPECT_EQ(stride("stage2.block1.shortcut"), 2);
  EXPECT_EQ(stride("stage1.block1.shortcut"), 1);  // 64 channels become 256
}

TEST(Builders, BaseWidthScalesEveryStage) {
  BuildSpec s = deep("resnet", 32, 10, 18);
  s.stem = "cifar";
  s.base_width = 4;
  const Graph g = build_graph(s).value();
  EXPECT_EQ(g.nodes[1].shape, (Shape{4, 32, 32}));
  EXPECT_EQ(g.nodes[g.nodes.size() - 4].shape, (Shape{32, 4, 4}));
}

TEST(Builders, ErrorsNameTheField) {
  const auto error = [](const BuildSpec& s) {
    const auto g = build_graph(s);
    return g.ok() ? std::string() : g.error().message;
  };
  EXPECT_THAT(error(spec_of("vgg", 32, 10)), HasSubstr("there are nbqnn, resnet_cifar, resnet,"));
  EXPECT_THAT(error(deep("resnet_cifar", 32, 10, 21)), HasSubstr("model.depth: must be 6 n + 2"));
  EXPECT_THAT(error(deep("resnet", 32, 10, 20)), HasSubstr("model.depth: must be 18, 34"));
  EXPECT_THAT(error(densenet(41)), HasSubstr("model.depth: must be 6 n + 4"));
  EXPECT_THAT(error(spec_of("nbqnn", 32, 10)), HasSubstr("model.stages"));
  EXPECT_THAT(error(alexnet(32, 10, "tiny", true)), HasSubstr("model.stem"));
  BuildSpec s = densenet(40);
  s.compression = 0;
  EXPECT_THAT(error(s), HasSubstr("model.compression"));
  s = deep("resnet_cifar", 32, 10, 20);
  s.shortcut = "none";
  EXPECT_THAT(error(s), HasSubstr("model.shortcut"));
  EXPECT_THAT(error(alexnet(16, 10, "imagenet", false)), HasSubstr("does not fit"));
}

TEST(Builders, EveryFamilyHasKeys) {
  for (const std::string& name : family_names()) EXPECT_FALSE(family_keys(name).empty()) << name;
  EXPECT_TRUE(family_keys("vgg").empty());
  EXPECT_TRUE(nbqnn_form("M").empty());
}

}  // namespace
}  // namespace nbq
