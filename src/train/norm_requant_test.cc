#include "train/norm_requant.h"

#include <gtest/gtest.h>

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
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << at::IntArrayRef(c.sizes) << (c.channels_last ? " channels last " : " planes ")
             << c.type << " bits " << c.act_bits << " mean " << c.mean;
}

struct Inputs {
  at::Tensor z, gamma, beta;
};

Inputs inputs_of(const Case& c) {
  at::manual_seed(7);
  const std::int64_t channels = c.sizes[1];
  at::Tensor z = (at::randn(c.sizes) + c.mean).to(c.type);
  if (c.channels_last) z = z.contiguous(at::MemoryFormat::ChannelsLast);
  return {z.set_requires_grad(true), at::randn({channels}).set_requires_grad(true),
          at::randn({channels}).set_requires_grad(true)};
}

ActFormat format_of(const Case& c) {
  return ActFormat::make(c.act_bits, true, 2 - c.act_bits);  // -2..2: both ends are clamped
}

class NormRequant : public testing::TestWithParam<Case> {};

/// Against batch_norm() in float64 and then the same clamp: values, gradients, statistics.
TEST_P(NormRequant, IsBatchNormAndThenRequantisation) {
  const Case c = GetParam();
  const Inputs in = inputs_of(c);
  const std::int64_t channels = c.sizes[1];
  const ActFormat f = format_of(c);
  const ActFormat* const format = c.act_bits == 0 ? nullptr : &f;
  const at::ScalarType out = format == nullptr ? at::kFloat : c.type;
  BatchStatistics seen;
  const at::Tensor y = norm_requantise(
      in.z, in.gamma, in.beta, std::vector<double>(static_cast<std::size_t>(channels), kEps),
      format, out, seen);
  ASSERT_EQ(y.sizes(), in.z.sizes());
  ASSERT_EQ(y.strides(), in.z.strides());
  ASSERT_EQ(y.scalar_type(), out);
  const at::Tensor up = at::randn_like(y.detach());
  (y * up).sum().backward();

  const auto wide = [](const at::Tensor& t) {
    return t.detach().to(at::kDouble).set_requires_grad(true);
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
    return at::max(at::abs(a.to(at::kDouble) - b) / scale).item<double>() <= tolerance;
  };
  const double loose = narrow ? 1e-2 : 1e-4;
  EXPECT_TRUE(near(in.z.grad(), z.grad(), loose));
  EXPECT_TRUE(near(in.gamma.grad(), gamma.grad(), loose));
  EXPECT_TRUE(near(in.beta.grad(), beta.grad(), loose));
  for (std::int64_t k = 0; k < channels; ++k) {
    const auto i = static_cast<std::size_t>(k);
    EXPECT_NEAR(seen.mean[i], mean[k].item<double>(), 1e-5 * (1 + std::abs(c.mean)));
    EXPECT_NEAR(seen.var[i], var[k].item<double>(), 1e-4 * var[k].item<double>() + 1e-9);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, NormRequant,
                         testing::Values(Case{{8, 16, 12, 12}, true}, Case{{8, 16, 12, 12}, false},
                                         Case{{3, 5, 7, 9}, true}, Case{{3, 5, 7, 9}, false},
                                         Case{{2, 1, 3, 5}, true}, Case{{5, 1, 1, 1}, false},
                                         Case{{33, 19}, false}, Case{{4, 130, 2, 3}, true},
                                         Case{{64, 3, 40, 40}, true}, Case{{64, 3, 40, 40}, false},
                                         Case{{3, 37, 33, 17}, true, at::kFloat, 8, 1000},
                                         Case{{3, 37, 33, 17}, false, at::kFloat, 4, -1000},
                                         Case{{3, 5, 7, 9}, true, at::kFloat, 0},
                                         Case{{6, 8, 5, 5}, false, at::kFloat, 0},
                                         Case{{3, 5, 7, 9}, true, at::kFloat, 16},
                                         Case{{8, 16, 12, 12}, true, at::kBFloat16},
                                         Case{{3, 5, 7, 9}, false, at::kBFloat16},
                                         Case{{6, 7}, false, at::kBFloat16}));

TEST(NormRequantise, DoesNotDependOnThreads) {
  const Case c{{16, 24, 40, 40}, true};
  std::vector<at::Tensor> values, gradients;
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const Inputs in = inputs_of(c);
    const ActFormat f = format_of(c);
    BatchStatistics seen;
    const at::Tensor y = norm_requantise(in.z, in.gamma, in.beta, std::vector<double>(24, kEps), &f,
                                         at::kFloat, seen);
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

TEST(NormRequantise, ChannelsOfOneValueGiveBeta) {
  const ActFormat f = ActFormat::make(8, true, -4);
  BatchStatistics seen;
  const at::Tensor y = norm_requantise(at::full({2, 3, 4, 4}, 5.0), at::ones({3}), at::ones({3}),
                                       {0, 0, 1e-5}, &f, at::kFloat, seen);
  EXPECT_TRUE(at::equal(y, at::ones({2, 3, 4, 4})));
  EXPECT_EQ(seen.var[0], 0);
  EXPECT_EQ(seen.mean[2], 5);
}

}  // namespace
}  // namespace nbq
