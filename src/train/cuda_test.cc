// The GPU's kernels against the CPU's, and whole networks against the reference. Passed over where
// there is no GPU.
#include <gtest/gtest.h>

#include <cmath>

#include "model/nbq_file.h"
#include "ops/ref_executor.h"
#include "quant/quantizer.h"
#include "train/device.h"
#include "train/executor.h"
#include "train/train_op.h"

namespace nbq {
namespace {

class Cuda : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_cuda()) GTEST_SKIP() << "no CUDA";
    ASSERT_TRUE(use_device("cuda").ok());
  }
  void TearDown() override { ASSERT_TRUE(use_device("cpu").ok()); }
};

TEST_F(Cuda, RequantisesLikeTheCpu) {
  at::manual_seed(3);
  for (const auto type : {at::kFloat, at::kBFloat16, at::kDouble})
    for (const auto out : {at::kFloat, at::kBFloat16})
      for (const std::int64_t count : {1, 15, 16, 17, 4099}) {
        const ActFormat f = ActFormat::make(out == at::kFloat ? 12 : 8, true, -6);
        at::Tensor here = (at::randn({count}) * 3).to(type), there = here.cuda();
        if (count > 16) here[3] = there[3] = NAN;
        here.set_requires_grad(true);
        there.set_requires_grad(true);
        const at::Tensor a = requantise(here, f, out), b = requantise(there, f, out);
        EXPECT_TRUE(at::equal(a, b.cpu())) << type << " " << out << " " << count;
        const at::Tensor up = at::randn({count}).to(out);
        a.backward(up);
        b.backward(up.cuda());
        EXPECT_TRUE(at::equal(here.grad(), there.grad().cpu())) << type << " " << out;
      }
}

TEST_F(Cuda, WeightsAreTheCpusBitForBit) {
  at::manual_seed(4);
  // Small ones, which have no leading one, too.
  const at::Tensor size = at::exp2(at::rand({8, 5, 3, 3}) * 40 - 30);
  at::Tensor w = at::randn({8, 5, 3, 3}) * size;
  w[0] = w[0] * 1e-30 * 1e-12;
  w[1][0] = 0;
  const at::Tensor scale = at::randn({8});
  for (const char* quantizer : {"least_squares", "authors"})
    for (const int bits : {1, 2, 3, 4, 5})
      for (const double blend : {1.0, 0.5}) {
        if (std::string(quantizer) == "authors" && bits != 3) continue;
        const at::Tensor exps = at::tensor({-140, -3, -9, -30, 0, 2, -5, -12}, at::kInt);
        at::Tensor here = w.clone().set_requires_grad(true);
        at::Tensor there = w.cuda().set_requires_grad(true);
        const at::Tensor a = learnt_weight(here, scale, quantizer, bits, exps, blend, 0.25);
        const at::Tensor b =
            learnt_weight(there, scale.cuda(), quantizer, bits, exps.cuda(), blend, 0.25);
        EXPECT_TRUE(at::equal(a, b.cpu())) << quantizer << " " << bits << " " << blend;
        const at::Tensor up = at::randn_like(w);
        a.backward(up);
        b.backward(up.cuda());
        EXPECT_TRUE(at::equal(here.grad(), there.grad().cpu()));
      }
}

TEST_F(Cuda, BiasesAreTheCpusBitForBit) {
  at::manual_seed(5);
  const at::Tensor bias = at::randn({37});
  for (const at::Tensor& exps : {at::tensor({-9}, at::kInt), at::randint(-20, 3, {37}, at::kInt)})
    EXPECT_TRUE(at::equal(rounded_bias(bias, exps), rounded_bias(bias.cuda(), exps.cuda()).cpu()));
}

TEST(UnfoldedConv2d, IsExactOnEveryDevice) {
  at::manual_seed(6);
  Window w;
  w.kernel_h = 3;
  w.kernel_w = 2;
  w.stride_h = 2;
  w.dilation_w = 2;
  w.pad_top = 1;
  w.pad_right = 2;
  std::vector<at::Device> devices = {at::kCPU};
  if (has_cuda()) devices.push_back(at::kCUDA);
  const at::Tensor x = at::randint(-128, 128, {3, 6, 11, 9}, at::kFloat);
  for (const int groups : {1, 2, 6}) {
    const at::Tensor k = at::exp2(at::randint(0, 4, {12, 6 / groups, 3, 2}, at::kFloat));
    const at::Tensor want = at::conv2d(pad_map(x, w, 0).to(at::kDouble), k.to(at::kDouble), {},
                                       {2, 1}, at::IntArrayRef{0, 0}, {1, 2}, groups);
    for (const at::Device device : devices)
      for (const auto type : {at::kFloat, at::kDouble}) {
        const at::Tensor y =
            unfolded_conv2d(x.to(device).to(type), k.to(device).to(type), w, groups);
        EXPECT_TRUE(at::equal(y.cpu().to(at::kDouble), want)) << groups << " " << device;
      }
  }
}

TEST_F(Cuda, WholeNetworksGiveTheReferencesIntegers) {
  const auto graph = load_nbq(NBQ_SOURCE_DIR "/zoo/resnet20-cifar10-w3a8.nbq");
  ASSERT_TRUE(graph.ok());
  constexpr int kImages = 8;
  std::vector<std::uint8_t> pixels(kImages * 3 * 32 * 32);
  std::uint32_t state = 1;
  for (auto& p : pixels)
    p = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  const auto there = torch_logits(*graph, pixels, kImages);
  ASSERT_TRUE(there.ok()) << there.error().message;
  const auto ref = RefExecutor::create(*graph);
  ASSERT_TRUE(ref.ok());
  const auto want = ref->run(pixels, kImages);
  ASSERT_TRUE(want.ok());
  EXPECT_EQ(*there, *want);
}

TEST_F(Cuda, NoSuchDeviceIsAnError) {
  EXPECT_EQ(use_device("cuda:63").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(compute_device().type(), at::kCUDA);
}

TEST(Device, IsRefusedByName) {
  EXPECT_EQ(use_device("gpu").error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(use_device("xpu").error().message.find("cuda:0"), std::string::npos);
  if (!has_cuda()) {
    EXPECT_EQ(use_device("cuda").error().code, ErrorCode::kUnsupported);
  }
  EXPECT_TRUE(compute_device().is_cpu());
}

}  // namespace
}  // namespace nbq
