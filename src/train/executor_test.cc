#include "train/executor.h"

#include <gtest/gtest.h>

#include <random>

#include "model/fold.h"
#include "ops/ref_executor.h"
#include "train/initial.h"

namespace nbq {
namespace {

Window window(int kernel, int stride, int pad) {
  Window w;
  w.kernel_h = w.kernel_w = kernel;
  w.stride_h = w.stride_w = stride;
  w.pad_top = w.pad_left = w.pad_bottom = w.pad_right = pad;
  return w;
}

/// A float network with every layer of the registry, random numbers and odd windows. Odd seeds end
/// in the average of a map, even ones in a linear layer.
Graph every_op(std::uint64_t seed) {
  Graph g;
  InputAttrs image{3, 11, 9, {}, {}};
  if (seed % 3 == 0) {
    image.mean = {0.4f, 0.5f, 0.6f};
    image.std = {0.2f, 0.25f, 0.3f};
  }
  g.add("image", image, {});
  Window lopsided = window(3, 1, 1);
  lopsided.pad_left = 0;
  lopsided.pad_right = 2;
  int id = g.add("conv1", Conv2dAttrs{8, 1, false, lopsided}, {0});
  id = g.add("bn1", BatchNormAttrs{}, {id});
  const int relu1 = g.add("relu1", ReluAttrs{}, {id});
  id = g.add("conv2", Conv2dAttrs{8, 4, true, window(3, 1, 1)}, {relu1});
  id = g.add("add", AddAttrs{}, {id, relu1});
  const int relu2 = g.add("relu2", ReluAttrs{1.5f}, {id});
  const int pooled = g.add("max_pool", MaxPoolAttrs{window(3, 2, 1)}, {relu2});
  Window spread = window(3, 2, 2);
  spread.dilation_h = spread.dilation_w = 2;
  const int conv3 = g.add("conv3", Conv2dAttrs{6, 2, true, spread}, {relu2});
  id = g.add("concat", ConcatAttrs{}, {pooled, conv3});
  const int joined = id;
  id = g.add("bn2", BatchNormAttrs{}, {id});
  id = g.add("relu3", ReluAttrs{}, {id});
  id = g.add("again", ConcatAttrs{}, {id, joined});
  id = g.add("avg_pool", AvgPoolAttrs{window(3, 1, 1)}, {id});
  id = g.add("pad", PadAttrs{1, 2, 1, 0, 0, 2}, {id});
  id = g.add("slice", SliceAttrs{1, 1, 1, 15, 3, 3, 2, 2, 2}, {id});
  if (seed % 2 == 1) {
    g.add("classes", Conv2dAttrs{10, 1, true, window(3, 1, 1)}, {id});
    g.add("mean", GlobalAvgPoolAttrs{}, {id + 1});
  } else {
    id = g.add("flatten", FlattenAttrs{}, {id});
    g.add("fc", LinearAttrs{10, true}, {id});
  }
  EXPECT_TRUE(infer_shapes(g).ok());
  EXPECT_TRUE(initialise(g, seed).ok());
  std::mt19937 rng(static_cast<std::uint32_t>(seed));
  std::normal_distribution<float> normal;
  for (Node& n : g.nodes)
    for (auto& [name, t] : n.state)
      for (float& v : t.data) {
        if (name == "running_var")
          v = 0.3f + std::fabs(normal(rng));
        else if (name != "weight" || n.kind() == OpKind::kBatchNorm)
          v += 0.5f * normal(rng);
      }
  return g;
}

ImageSourcePtr random_images(int count, std::uint32_t seed) {
  std::mt19937 rng(seed);
  DatasetInfo info;
  for (int c = 0; c < 10; ++c) info.class_names.push_back(std::to_string(c));
  info.shape = {3, 11, 9};
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count) * info.shape.bytes());
  for (std::uint8_t& p : pixels) p = static_cast<std::uint8_t>(rng());
  for (int i = 0; i < count; ++i) info.labels.push_back(i % 10);
  return *make_memory_source(info, pixels);
}

std::vector<std::uint8_t> pixels_of(const ImageSource& source) {
  std::vector<std::uint8_t> pixels(source.size() * source.shape().bytes());
  for (std::size_t i = 0; i < source.size(); ++i)
    EXPECT_TRUE(
        source.load(i, {pixels.data() + i * source.shape().bytes(), source.shape().bytes()}).ok());
  return pixels;
}

struct Case {
  int weight_bits, act_bits;
  const char* quantizer;
};

class ExactTest : public testing::TestWithParam<Case> {};

TEST_P(ExactTest, TrainerEvaluationAndIntegersAgree) {
  const Case c = GetParam();
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const auto source = random_images(12, static_cast<std::uint32_t>(seed));
    QuantSpec spec;
    spec.weight_bits = c.weight_bits;
    spec.act_bits = c.act_bits;
    spec.quantizer = c.quantizer;
    spec.granularity = seed % 2 == 0 ? ScaleGranularity::kPerChannel : ScaleGranularity::kPerLayer;
    const auto quantised = quantise_post_training(every_op(seed), spec, *source);
    ASSERT_TRUE(quantised.ok()) << quantised.error().message;
    const auto integers = deploy(*quantised);
    ASSERT_TRUE(integers.ok()) << integers.error().message;
    const auto pixels = pixels_of(*source);
    const auto learnt = torch_logits(*quantised, pixels, 12);
    const auto deployed = torch_logits(*integers, pixels, 12);
    const auto ref = RefExecutor::create(*integers);
    ASSERT_TRUE(ref.ok()) << ref.error().message;
    const auto want = ref->run(pixels, 12);
    ASSERT_TRUE(learnt.ok()) << learnt.error().message;
    ASSERT_TRUE(deployed.ok()) << deployed.error().message;
    ASSERT_TRUE(want.ok());
    EXPECT_EQ(*learnt, *want);
    EXPECT_EQ(*deployed, *want);
    EXPECT_EQ(*std::max_element(want->begin(), want->end()) ==
                  *std::min_element(want->begin(), want->end()),
              false);
  }
}

INSTANTIATE_TEST_SUITE_P(Bits, ExactTest,
                         testing::Values(Case{1, 8, "nearest"}, Case{2, 8, "least_squares"},
                                         Case{3, 8, "least_squares"}, Case{3, 8, "authors"},
                                         Case{4, 8, "nearest"}, Case{5, 8, "least_squares"},
                                         Case{1, 16, "least_squares"}, Case{2, 16, "nearest"},
                                         Case{3, 16, "least_squares"}, Case{4, 16, "least_squares"},
                                         Case{5, 16, "nearest"}, Case{3, 2, "least_squares"}));

TEST(Executor, FoldingKeepsTheFloatNetwork) {
  Graph g = every_op(2);
  const auto source = random_images(4, 1);
  const auto folded = fold(g);
  ASSERT_TRUE(folded.ok());
  const auto a = torch_scores(g, pixels_of(*source), 4);
  const auto b = torch_scores(*folded, pixels_of(*source), 4);
  ASSERT_TRUE(a.ok() && b.ok());
  for (std::size_t i = 0; i < a->size(); ++i) EXPECT_NEAR((*a)[i], (*b)[i], 2e-3f);
}

TEST(Executor, EvaluationCountsEveryImage) {
  const Graph g = every_op(2);
  const auto source = random_images(30, 5);
  const auto r = evaluate_torch(g, *source, 7);
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ(r->images, 30u);
  std::int64_t total = 0, diagonal = 0;
  for (int i = 0; i < 10; ++i)
    for (int k = 0; k < 10; ++k) {
      const auto n = r->confusion[static_cast<std::size_t>(i * 10 + k)];
      total += n;
      if (i == k) diagonal += n;
    }
  EXPECT_EQ(total, 30);
  EXPECT_EQ(static_cast<std::size_t>(diagonal), r->correct);
}

TEST(Executor, ErrorsAreNamed) {
  const Graph g = every_op(2);
  const std::vector<std::uint8_t> pixels(10);
  const auto few = torch_scores(g, pixels, 1);
  ASSERT_FALSE(few.ok());
  EXPECT_EQ(few.error().code, ErrorCode::kInvalidArgument);
  EXPECT_FALSE(torch_logits(g, std::vector<std::uint8_t>(297), 1).ok());
  Graph broken = g;
  broken.nodes[1].state.erase("weight");
  EXPECT_FALSE(torch_scores(broken, std::vector<std::uint8_t>(297), 1).ok());
}

}  // namespace
}  // namespace nbq
