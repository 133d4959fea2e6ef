#include "train/norm_requant.h"

#include <gtest/gtest.h>

#include "train/device.h"
#include "train/train_op.h"

namespace nbq {
namespace {

constexpr double kEps = 1e-3;

struct Case {
  std::vector<std::int64_t> sizes;
  bool channels_last = false;
  at::ScalarType type = at::kFloat;
  int act_bits = 8;  // 0: not requantised
  double mean = 0;
  bool cuda = false;

  at::Device device() const { return cuda ? at::kCUDA : at::kCPU; }
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << at::IntArrayRef(c.sizes) << (c.channels_last ? " channels last " : " planes ")
             << c.type << " bits " << c.act_bits << " mean " << c.mean << " " << c.device();
}

struct Inputs {
  at::Tensor z, gamma, beta;
};

Inputs inputs_of(const Case& c) {
  at::manual_seed(7);
  const std::int64_t channels = c.sizes[1];
  at::Tensor z = (at::randn(c.sizes) + c.mean).to(c.type);
  if (c.channels_last) z = z.contiguous(at::MemoryFormat::ChannelsLast);
  const auto leaf = [&](const at::Tensor& t) { return t.to(c.device()).set_requires_grad(true); };
  const at::Tensor gamma = at::randn({channels});
  return {leaf(z), leaf(gamma), leaf(at::randn({channels}))};
}

ActFormat format_of(const Case& c) {
  return ActFormat::make(c.act_bits, true, 2 - c.act_bits);  // -2..2: both ends are clamped
}

class NormRequant : public testing::TestWithParam<Case> {};

/// Against batch_norm() in float64 and then the same clamp: values, gradients, statistics.
TEST_P(NormRequant, IsBatchNormAndThenRequantisation) {
  const Case c = GetParam();
  if (c.cuda && !has_cuda()) GTEST_SKIP() << "no CUDA";
  const Inputs in = inputs_of(c);
  const std::int64_t channels = c.sizes[1];
  const ActFormat f = format_of(c);
  const ActFormat* const format = c.act_bits == 0 ? nullptr : &f;
  const at::ScalarType out = format == nullptr ? at::kFloat : c.type;
  BatchStatistics seen;
  const at::Tensor made = norm_requantise(in.z, in.gamma, in.beta, {}, kEps, format, out, seen);
  ASSERT_EQ(made.sizes(), in.z.sizes());
  if (!c.cuda) {
    ASSERT_EQ(made.strides(), in.z.strides());
  }
  ASSERT_EQ(made.scalar_type(), out);
  const at::Tensor up = at::randn(c.sizes).to(out);
  (made * up.to(c.device())).sum().backward();
  const at::Tensor y = made.detach().cpu();

  const auto wide = [](const at::Tensor& t) {
    return t.detach().cpu().to(at::kDouble).set_requires_grad(true);
  };
  const at::Tensor z = wide(in.z), gamma = wide(in.gamma), beta = wide(in.beta);
  const at::Tensor mean = at::zeros({channels}, at::kDouble), var = at::zeros_like(mean);
  const at::Tensor u = at::batch_norm(z, gamma, beta, mean, var, true, 1.0, kEps, false);
  at::Tensor want = u;
  if (format != nullptr) {
    const double unit = std::ldexp(1.0, f.exp);
    want = requantise(u.detach(), f, at::kFloat).to(at::kDouble);
    const at::Tensor off = at::ne(y.detach().to(at::kDouble), want);
    EXPECT_LE(at::max(at::abs(y.detach().to(at::kDouble) - want)).item<double>(), unit);
    EXPECT_LE(off.sum().item<double>(), 1e-3 * static_cast<double>(off.numel()) + 1);
    // The same mask, but where rounding decides it.
    const at::Tensor t = u.detach() / unit;
    const at::Tensor inside = (t >= f.lo - 0.5).logical_and(t < f.hi + 0.5);
    want = u * inside;
  } else {
    EXPECT_TRUE(at::allclose(y.detach().to(at::kDouble), u.detach(), 1e-5, 1e-5));
  }
  (want * up.to(at::kDouble)).sum().backward();

  const bool narrow = c.type == at::kBFloat16;
  const auto near = [&](const at::Tensor& a, const at::Tensor& b, double tolerance) {
    const at::Tensor scale = at::max(at::abs(b)) + 1e-3;
    return at::max(at::abs(a.cpu().to(at::kDouble) - b) / scale).item<double>() <= tolerance;
  };
  const double loose = narrow ? 1e-2 : 1e-4;
  EXPECT_TRUE(near(in.z.grad(), z.grad(), loose));
  EXPECT_TRUE(near(in.gamma.grad(), gamma.grad(), loose));
  EXPECT_TRUE(near(in.beta.grad(), beta.grad(), loose));
  for (std::int64_t k = 0; k < channels; ++k) {
    EXPECT_NEAR(seen.mean[k].item<double>(), mean[k].item<double>(), 1e-5 * (1 + std::abs(c.mean)));
    EXPECT_NEAR(seen.var[k].item<double>(), var[k].item<double>(),
                1e-4 * var[k].item<double>() + 1e-9);
  }
}

const Case kCases[] = {Case{{8, 16, 12, 12}, true},
                       Case{{8, 16, 12, 12}, false},
                       Case{{3, 5, 7, 9}, true},
                       Case{{3, 5, 7, 9}, false},
                       Case{{2, 1, 3, 5}, true},
                       Case{{5, 1, 1, 1}, false},
                       Case{{33, 19}, false},
                       Case{{4, 130, 2, 3}, true},
                       Case{{64, 3, 40, 40}, true},
                       Case{{64, 3, 40, 40}, false},
                       Case{{3, 37, 33, 17}, true, at::kFloat, 8, 1000},
                       Case{{3, 37, 33, 17}, false, at::kFloat, 4, -1000},
                       Case{{3, 5, 7, 9}, true, at::kFloat, 0},
                       Case{{6, 8, 5, 5}, false, at::kFloat, 0},
                       Case{{3, 5, 7, 9}, true, at::kFloat, 16},
                       Case{{8, 16, 12, 12}, true, at::kBFloat16},
                       Case{{3, 5, 7, 9}, false, at::kBFloat16},
                       Case{{6, 7}, false, at::kBFloat16}};

std::vector<Case> on_gpu() {
  std::vector<Case> cases(std::begin(kCases), std::end(kCases));
  for (Case& c : cases) c.cuda = true;
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Shapes, NormRequant, testing::ValuesIn(kCases));
INSTANTIATE_TEST_SUITE_P(Cuda, NormRequant, testing::ValuesIn(on_gpu()));

TEST(NormRequantise, DoesNotDependOnThreads) {
  const Case c{{16, 24, 40, 40}, true};
  std::vector<at::Tensor> values, gradients;
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const Inputs in = inputs_of(c);
    const ActFormat f = format_of(c);
    BatchStatistics seen;
    const at::Tensor y = norm_requantise(in.z, in.gamma, in.beta, {}, kEps, &f, at::kFloat, seen);
    (y * y).sum().backward();
    values.push_back(y.detach());
    gradients.push_back(in.z.grad());
  }
  at::set_num_threads(before);
  for (std::size_t i = 1; i < values.size(); ++i) {
    EXPECT_TRUE(at::equal(values[0], values[i]));
    EXPECT_TRUE(at::equal(gradients[0], gradients[i]));
  }
}

/// A scale of the input changes nothing but the size of the gradient.
TEST(NormRequantise, ScaledInputsGiveTheSameValues) {
  for (const bool cuda : {false, true}) {
    if (cuda && !has_cuda()) continue;
    const Case c{{8, 5, 6, 7}, true, at::kFloat, 8, 0.5, cuda};
    const Inputs plain = inputs_of(c), scaled = inputs_of(c);
    const at::Tensor scale = at::tensor({2.0f, -1.0f, 0.5f, -4.0f, 1.0f}).to(c.device());
    const ActFormat f = format_of(c);
    BatchStatistics seen;
    const at::Tensor want =
        norm_requantise(plain.z, plain.gamma, plain.beta, {}, 0.1, &f, at::kFloat, seen);
    const at::Tensor y = norm_requantise(scaled.z * scale.view({1, -1, 1, 1}), scaled.gamma,
                                         scaled.beta, scale, 0.1, &f, at::kFloat, seen);
    EXPECT_LE(at::max(at::abs(y - want)).item<double>(), std::ldexp(1.0, f.exp));
    EXPECT_LE(at::ne(y, want).sum().item<int>(), 2);
    const at::Tensor up = at::randn(c.sizes).to(c.device());
    (want * up).sum().backward();
    (y * up).sum().backward();
    EXPECT_TRUE(at::allclose(scaled.z.grad(), plain.z.grad(), 1e-2, 1e-3));
    EXPECT_TRUE(at::allclose(scaled.gamma.grad(), plain.gamma.grad(), 1e-2, 1e-1));
  }
}

TEST(NormRequantise, ChannelsOfOneValueGiveBeta) {
  const ActFormat f = ActFormat::make(8, true, -4);
  BatchStatistics seen;
  const at::Tensor y = norm_requantise(at::full({2, 3, 4, 4}, 5.0), at::ones({3}), at::ones({3}),
                                       at::tensor({0.0f, 1.0f, 1.0f}), 0, &f, at::kFloat, seen);
  EXPECT_TRUE(at::equal(y, at::ones({2, 3, 4, 4})));
  EXPECT_EQ(seen.var[0].item<double>(), 0);
  EXPECT_EQ(seen.mean[2].item<double>(), 5);
}

}  // namespace
}  // namespace nbq
