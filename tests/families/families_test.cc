// Every model family, small: random weights, post-training quantisation, deployment, and the same
// integers from the reference, from libtorch and from the accelerator's program.
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <random>

#include "hw/engine.h"
#include "hw/program_model.h"
#include "infer/engine.h"
#include "model/builders.h"
#include "ops/ref_executor.h"
#include "train/executor.h"
#include "train/initial.h"

namespace nbq {
namespace {

constexpr int kClasses = 7;
constexpr int kImages = 8;

struct Small {
  const char* name;
  BuildSpec spec;
};
std::ostream& operator<<(std::ostream& out, const Small& s) { return out << s.name; }

BuildSpec small(const char* family, const char* stem, int side, int base_width, int depth = 0) {
  BuildSpec s;
  s.family = family;
  s.stem = stem;
  s.height = s.width = side;
  s.classes = kClasses;
  s.base_width = base_width;
  s.depth = depth;
  return s;
}
BuildSpec padded(BuildSpec s) {
  s.shortcut = "pad";
  return s;
}
BuildSpec nbqnn(const char* stem, int side) {
  BuildSpec s = small("nbqnn", stem, side, 0);
  s.stages = {{6, 8}, {12, 12}, {20}};
  return s;
}
BuildSpec densenet(const char* stem, int side, std::vector<int> blocks) {
  BuildSpec s = small("densenet_bc", stem, side, 0, 16);
  s.growth = 5;
  s.blocks = std::move(blocks);
  return s;
}
BuildSpec alexnet(const char* stem, int side, bool norm) {
  BuildSpec s = small("alexnet", stem, side, 8);
  s.norm = norm;
  return s;
}

/// Random weights, and batch norms as training leaves them rather than the identity.
void randomise(Graph& g, std::uint64_t seed) {
  ASSERT_TRUE(initialise(g, seed).ok());
  std::mt19937 rng(static_cast<std::uint32_t>(seed));
  std::normal_distribution<float> normal;
  for (Node& n : g.nodes) {
    if (n.kind() != OpKind::kBatchNorm) continue;
    for (auto& [name, t] : n.state)
      for (float& v : t.data) {
        if (name == "running_var")
          v = 0.5f + std::fabs(normal(rng));
        else
          v += 0.3f * normal(rng);
      }
  }
}

ImageSourcePtr random_images(const Shape& shape, std::uint32_t seed) {
  std::mt19937 rng(seed);
  DatasetInfo info;
  for (int c = 0; c < kClasses; ++c) info.class_names.push_back(std::to_string(c));
  info.shape = {shape.c, shape.h, shape.w};
  std::vector<std::uint8_t> pixels(kImages * info.shape.bytes());
  for (std::uint8_t& p : pixels) p = static_cast<std::uint8_t>(rng());
  info.labels.resize(kImages);
  return *make_memory_source(info, pixels);
}

class Families : public testing::TestWithParam<Small> {};

TEST_P(Families, DeployToTheSameIntegersEverywhere) {
  auto built = build_graph(GetParam().spec);
  ASSERT_TRUE(built.ok()) << built.error().message;
  randomise(*built, 11);
  const auto source = random_images(built->input().shape, 12);
  const auto quantised = quantise_post_training(*built, QuantSpec{}, *source);
  ASSERT_TRUE(quantised.ok()) << quantised.error().message;
  const auto integers = deploy(*quantised);
  ASSERT_TRUE(integers.ok()) << integers.error().message;
  ASSERT_TRUE(verify_integer(*integers).ok());

  std::vector<std::uint8_t> pixels(source->shape().bytes());
  ASSERT_TRUE(source->load(3, pixels).ok());
  const auto want = RefExecutor::create(*integers).value().run(pixels, 1);
  ASSERT_TRUE(want.ok()) << want.error().message;
  ASSERT_EQ(want->size(), std::size_t{kClasses});
  EXPECT_NE(*std::max_element(want->begin(), want->end()),
            *std::min_element(want->begin(), want->end()));
  const auto learnt = torch_logits(*quantised, pixels, 1);
  ASSERT_TRUE(learnt.ok()) << learnt.error().message;
  EXPECT_EQ(*learnt, *want);
  const auto deployed = torch_logits(*integers, pixels, 1);
  ASSERT_TRUE(deployed.ok()) << deployed.error().message;
  EXPECT_EQ(*deployed, *want);

  const auto cpu = infer::Engine::create(*integers, {});
  ASSERT_TRUE(cpu.ok()) << cpu.error().message;
  std::vector<std::int64_t> fast(want->size());
  ASSERT_TRUE(cpu->run(pixels, 1, fast).ok());
  EXPECT_EQ(fast, *want);

  const auto program = hw::compile(*integers, hw::EngineConfig{});
  ASSERT_TRUE(program.ok()) << program.error().message;
  auto engine = hw::Engine::open(hw::make_program_model(program->config), *program);
  ASSERT_TRUE(engine.ok()) << engine.error().message;
  const auto have = engine->run(pixels);
  ASSERT_TRUE(have.ok()) << have.error().message;
  EXPECT_EQ(have->logits, *want);
}

INSTANTIATE_TEST_SUITE_P(
    Small, Families,
    testing::Values(Small{"nbqnn", nbqnn("cifar", 16)}, Small{"nbqnn_large", nbqnn("imagenet", 64)},
                    Small{"resnet_cifar", small("resnet_cifar", "", 16, 8, 20)},
                    Small{"resnet_padded", padded(small("resnet_cifar", "", 15, 8, 20))},
                    Small{"resnet18", small("resnet", "cifar", 16, 8, 18)},
                    Small{"resnet50", small("resnet", "cifar", 16, 4, 50)},
                    Small{"resnet18_7x7", small("resnet", "imagenet", 224, 4, 18)},
                    Small{"resnet50_large", small("resnet", "imagenet", 64, 4, 50)},
                    Small{"densenet", densenet("cifar", 16, {})},
                    Small{"densenet_large", densenet("imagenet", 64, {2, 3, 2, 2})},
                    Small{"alexnet", alexnet("cifar", 32, true)},
                    Small{"alexnet_large", alexnet("imagenet", 99, true)},
                    Small{"alexnet_bias", alexnet("cifar", 32, false)},
                    Small{"vgg_small", small("vgg_small", "", 32, 8)}),
    [](const auto& p) { return p.param.name; });

TEST(FamilyTable, IsTestedWhole) {
  std::vector<std::string> tested;
  for (const char* f : {"nbqnn", "resnet_cifar", "resnet", "densenet_bc", "alexnet", "vgg_small"})
    tested.emplace_back(f);
  EXPECT_EQ(family_names(), tested) << "add the new family to the list above, and here";
}

}  // namespace
}  // namespace nbq
