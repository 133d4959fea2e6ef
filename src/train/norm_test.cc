#include <gtest/gtest.h>

#include <random>

#include "model/fold.h"
#include "train/executor.h"
#include "train/initial.h"
#include "train/torch_net.h"

namespace nbq {
namespace {

constexpr int kImages = 16;

Window same_3x3() {
  Window w;
  w.kernel_h = w.kernel_w = 3;
  w.pad_top = w.pad_left = w.pad_bottom = w.pad_right = 1;
  return w;
}

/// Convolution, batch norm with gains of either sign, relu, and a linear layer.
Graph small_net() {
  Graph g;
  g.add("image", InputAttrs{3, 6, 5, {}, {}}, {});
  g.add("conv", Conv2dAttrs{7, 1, true, same_3x3()}, {0});
  g.add("bn", BatchNormAttrs{}, {1});
  g.add("relu", ReluAttrs{}, {2});
  g.add("flatten", FlattenAttrs{}, {3});
  g.add("fc", LinearAttrs{4, true}, {4});
  EXPECT_TRUE(infer_shapes(g).ok());
  EXPECT_TRUE(initialise(g, 3).ok());
  std::mt19937 rng(1);
  std::uniform_real_distribution<float> some(0.3f, 1.5f);
  for (const char* name : {"weight", "bias", "running_mean", "running_var"})
    for (float& v : g.nodes[2].state[name].data) v = some(rng);
  g.nodes[2].state["weight"].data[2] *= -1;
  for (float& v : g.nodes[1].state["bias"].data) v = some(rng);
  return g;
}

std::vector<std::uint8_t> random_pixels(const Graph& g) {
  std::mt19937 rng(5);
  std::vector<std::uint8_t> p(static_cast<std::size_t>(kImages * g.input().shape.size()));
  for (std::uint8_t& v : p) v = static_cast<std::uint8_t>(rng());
  return p;
}

/// Quantised with its norm still in the convolution.
Graph quantised(const Graph& absorbed, int act_bits = 8) {
  QuantSpec spec;
  spec.act_bits = act_bits;
  const auto q = quantise(absorbed, spec, ActSamples(absorbed.nodes.size(), {-3.0f, 3.0f}));
  EXPECT_TRUE(q.ok()) << q.error().message;
  return *q;
}

TEST(Norm, KeptOrFoldedDeploysToTheSameIntegers) {
  const Graph absorbed = absorb_norms(small_net()).value();
  ASSERT_TRUE(absorbed.nodes[1].norm.has_value());
  const Graph kept = quantised(absorbed), folded = quantised(fold_norms(absorbed));
  const auto pixels = random_pixels(kept);
  EXPECT_EQ(*torch_logits(kept, pixels, kImages), *torch_logits(folded, pixels, kImages));
}

TEST(Norm, FrozenTrainingPassIsTheDeployedNetwork) {
  const Graph kept = quantised(absorb_norms(small_net()).value());
  const auto pixels = random_pixels(kept);
  TorchNet net = TorchNet::create(kept).value();
  const Pass frozen{.training = true, .freeze_norms = true};
  const at::Tensor y = net.forward(net.image_tensor(pixels, kImages), frozen).detach();
  const auto want = *torch_logits(kept, pixels, kImages);
  const auto got = y.reshape({-1}).to(at::kDouble);
  for (std::size_t i = 0; i < want.size(); ++i)
    EXPECT_EQ(std::ldexp(got[static_cast<std::int64_t>(i)].item<double>(), -net.output_exp()),
              static_cast<double>(want[i]));
}

TEST(Norm, LivePassNormalisesAndFollowsTheStatistics) {
  const Graph g = quantised(absorb_norms(small_net()).value(), 16);
  const auto pixels = random_pixels(g);
  TorchNet net = TorchNet::create(g).value();
  const at::Tensor x = net.image_tensor(pixels, kImages);
  at::Tensor seen;
  // blend 0: W~ is W, so that the layer computes an ordinary convolution and batch norm.
  net.forward(x, {.training = true, .blend = 0, .slope = 1},
              [&](int id, const at::Tensor& y) { seen = id == 1 ? y.detach() : seen; });
  const auto state = [&](const char* name) {
    const FloatTensor& t = g.nodes[1].state.at(name);
    return at::from_blob(const_cast<float*>(t.data.data()), t.dims).clone();
  };
  at::Tensor mean = state("norm.running_mean"), var = state("norm.running_var");
  const at::Tensor z = at::conv2d(x, state("weight"), {}, {1, 1}, at::IntArrayRef{1, 1});
  const at::Tensor want =
      at::batch_norm(z, state("norm.weight"), state("bias"), mean, var, true, 0.1, 1e-5, false);
  const ActFormat& f = g.nodes[1].act;
  const at::Tensor clipped = want.clamp(std::ldexp(f.lo, f.exp), std::ldexp(f.hi, f.exp));
  EXPECT_LT((seen - clipped).abs().max().item<double>(), std::ldexp(1.5, f.exp));
  const Graph after = net.graph();
  const auto near = [&](const char* name, const at::Tensor& expected) {
    const auto& data = after.nodes[1].state.at(name).data;
    for (std::size_t c = 0; c < data.size(); ++c)
      EXPECT_NEAR(data[c], expected[static_cast<std::int64_t>(c)].item<float>(), 1e-4f) << name;
  };
  near("norm.running_mean", mean);
  near("norm.running_var", var);
}

/// Outputs of the convolution `node`, in a pass.
at::Tensor conv_output(const TorchNet& net, const at::Tensor& x, const Pass& pass, int node = 1) {
  const at::NoGradGuard no_grad;
  at::Tensor seen;
  net.forward(x, pass, [&](int id, const at::Tensor& y) { seen = id == node ? y.clone() : seen; });
  return seen;
}

TEST(Norm, OnceSettledTheDeployedLayerGivesWhatTheLiveOneDoes) {
  Graph g = quantised(absorb_norms(small_net()).value(), 12);
  // Two bits, far from the scale that gives them the norm's gain.
  g.nodes[1].po2.bits = 2;
  TorchNet net = TorchNet::create(g).value();
  const at::Tensor x = net.image_tensor(random_pixels(g), kImages);
  const Pass frozen{.training = true, .freeze_norms = true};
  const auto apart = [&] {
    TorchNet now = TorchNet::create(net.graph()).value();
    const Pass means{.training = true, .norm_momentum = 1, .means_only = true};
    const at::Tensor a = conv_output(now, x, means);  // leaves this batch's means for the next
    return (a - conv_output(now, x, frozen)).abs().max().item<double>();
  };
  const double unit = std::ldexp(1.0, g.nodes[1].act.exp);
  EXPECT_GT(apart(), 20 * unit);
  std::map<int, BatchStatistics> seen;
  for (int i = 0; i < 2; ++i) conv_output(net, x, {.training = true, .seen = &seen});
  ASSERT_EQ(seen.size(), 1u);
  net.settle_norms(seen, 2);
  EXPECT_LE(apart(), 2 * unit);
}

/// Two layers that both give another deviation than their norms ask for: the second reads what the
/// first gives once it is deployed.
TEST(Norm, LayersSettleOnTheInputsThatTheyWillHave) {
  Graph g;
  g.add("image", InputAttrs{3, 6, 5, {}, {}}, {});
  g.add("conv1", Conv2dAttrs{7, 1, false, same_3x3()}, {0});
  g.add("bn1", BatchNormAttrs{}, {1});
  g.add("conv2", Conv2dAttrs{6, 1, false, same_3x3()}, {2});
  g.add("bn2", BatchNormAttrs{}, {3});
  g.add("flatten", FlattenAttrs{}, {4});
  g.add("fc", LinearAttrs{4, true}, {5});
  ASSERT_TRUE(infer_shapes(g).ok());
  ASSERT_TRUE(initialise(g, 3).ok());
  g = quantised(absorb_norms(g).value(), 12);
  ASSERT_TRUE(g.nodes[1].norm && g.nodes[2].norm);
  for (const std::size_t id : {1u, 2u})
    for (int& s : g.nodes[id].po2.exps) s -= 1;  // codes of half the size: deviations are too small
  TorchNet net = TorchNet::create(g).value();
  const at::Tensor x = net.image_tensor(random_pixels(g), kImages);
  std::map<int, BatchStatistics> seen;
  const at::NoGradGuard no_grad;
  net.forward(x, {.training = true, .seen = &seen});
  net.settle_norms(seen, 1);
  ASSERT_EQ(seen.size(), 2u);
  // The deviation of the deployed layer's output, channel by channel, is its gain.
  const at::Tensor deployed = conv_output(net, x, {.training = true, .freeze_norms = true}, 2);
  const at::Tensor deviation = deployed.transpose(0, 1).flatten(1).std(1);
  const Graph settled = net.graph();
  const auto& gains = settled.nodes[2].state.at("norm.weight").data;
  for (std::size_t c = 0; c < gains.size(); ++c)
    EXPECT_NEAR(deviation[static_cast<std::int64_t>(c)].item<float>() / std::fabs(gains[c]), 1,
                0.02);
}

TEST(Norm, ExponentsFollowChannelsThatLeaveTheirRange) {
  for (const int bits : {2, 3, 4}) {
    Graph g = absorb_norms(small_net()).value();
    QuantSpec spec;
    spec.weight_bits = bits;
    g = quantise(g, spec, ActSamples(g.nodes.size(), {-3.0f, 3.0f})).value();
    const std::vector<int> fitted = g.nodes[1].po2.exps;
    g.nodes[1].state.at("norm.weight").data[1] *= 32;
    g.nodes[1].state.at("norm.weight").data[2] /= 32;
    TorchNet net = TorchNet::create(g).value();
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(net.follow_exps(false).ok());
    const Graph after = net.graph();
    const std::vector<int>& exps = after.nodes[1].po2.exps;
    EXPECT_NEAR(exps[1], fitted[1] + 5, 1) << bits;
    EXPECT_NEAR(exps[2], fitted[2] - 5, 1) << bits;
    for (const std::size_t c : {0u, 3u, 4u, 5u, 6u}) EXPECT_NEAR(exps[c], fitted[c], 1) << bits;
    EXPECT_EQ(after.nodes.back().po2.exps, g.nodes.back().po2.exps) << "no norm";
    EXPECT_TRUE(deploy(after).ok());
  }
}

TEST(Norm, ExponentsOfALayerMoveTogether) {
  Graph g = absorb_norms(small_net()).value();
  QuantSpec spec;
  spec.granularity = ScaleGranularity::kPerLayer;
  g = quantise(g, spec, ActSamples(g.nodes.size(), {-3.0f, 3.0f})).value();
  for (float& v : g.nodes[1].state.at("norm.weight").data) v *= 16;
  TorchNet net = TorchNet::create(g).value();
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(net.follow_exps(true).ok());
  const std::vector<int> exps = net.graph().nodes[1].po2.exps;
  EXPECT_EQ(exps, std::vector<int>(exps.size(), exps[0]));
  EXPECT_GT(exps[0], g.nodes[1].po2.exps[0] + 2);
}

TEST(Norm, GradientOfTheWeightIsThatOfTheFloatLayer) {
  const Graph g = quantised(absorb_norms(small_net()).value(), 16);
  const auto pixels = random_pixels(g);
  const auto gradient = [&](double slope) {
    TorchNet net = TorchNet::create(g).value();
    const Pass pass{.training = true, .blend = 0, .slope = slope};
    net.forward(net.image_tensor(pixels, kImages), pass).square().sum().backward();
    return net.params()[0].tensor.grad().clone();
  };
  const at::Tensor whole = gradient(1), half = gradient(0.5);
  EXPECT_GT(whole.abs().max().item<double>(), 0);
  EXPECT_TRUE(at::allclose(half, whole * 0.5, 1e-4, 1e-6));
}

/// A norm that no layer can take up, before relu, pooling and a linear layer, as in DenseNet.
TEST(Norm, GainsBecomePowersOfTwoAndTheNetworkStays) {
  Graph g;
  g.add("image", InputAttrs{3, 4, 4, {}, {}}, {});
  g.add("a", Conv2dAttrs{3, 1, false, {}}, {0});
  g.add("b", Conv2dAttrs{2, 1, false, {}}, {0});
  g.add("concat", ConcatAttrs{}, {1, 2});
  g.add("bn", BatchNormAttrs{}, {3});
  g.add("relu", ReluAttrs{}, {4});
  Window w;
  w.kernel_h = w.kernel_w = w.stride_h = w.stride_w = 2;
  g.add("pool", MaxPoolAttrs{w}, {5});
  g.add("flatten", FlattenAttrs{}, {6});
  g.add("fc", LinearAttrs{4, true}, {7});
  ASSERT_TRUE(infer_shapes(g).ok());
  ASSERT_TRUE(initialise(g, 3).ok());
  g.nodes[4].state["weight"].data = {0.7f, -1.3f, 3.0f, 0.0f, 0.11f};
  g.nodes[4].state["bias"].data = {0.1f, 0.2f, -0.3f, 0.4f, 0.5f};
  const Graph f = fold(g).value();
  for (const float gain : f.nodes[4].state.at("weight").data)
    EXPECT_EQ(std::fabs(gain), gain == 0 ? 0 : std::exp2(std::round(std::log2(std::fabs(gain)))));
  std::vector<std::uint8_t> pixels = random_pixels(small_net());
  pixels.resize(48 * 2);
  const auto before = *torch_scores(g, pixels, 2), after = *torch_scores(f, pixels, 2);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(before[i], after[i], 1e-5f);
}

TEST(Norm, RestoredNormsChangeNothingInEvaluation) {
  Graph g = fold(small_net()).value();
  DatasetInfo info;
  info.class_names = {"a", "b", "c", "d"};
  info.shape = {3, 6, 5};
  for (int i = 0; i < kImages; ++i) info.labels.push_back(i % 4);
  const auto pixels = random_pixels(g);
  const ImageSourcePtr source = *make_memory_source(info, pixels);
  const Graph restored = restore_norms(g, *source, kImages).value();
  ASSERT_EQ(restored.nodes.size(), g.nodes.size() + 1);
  EXPECT_EQ(restored.nodes[2].kind(), OpKind::kBatchNorm);
  const auto before = *torch_scores(g, pixels, kImages);
  const auto after = *torch_scores(restored, pixels, kImages);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(before[i], after[i], 2e-4f);
  // The batch's own statistics are those of the images: training begins where evaluation is.
  TorchNet net = TorchNet::create(restored).value();
  const at::Tensor y = net.forward(net.image_tensor(pixels, kImages), {.training = true}).detach();
  const at::Tensor flat = y.reshape({-1});
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_NEAR(before[i], flat[static_cast<std::int64_t>(i)].item<float>(), 2e-3f);
}

}  // namespace
}  // namespace nbq
