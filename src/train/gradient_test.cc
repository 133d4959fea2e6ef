#include <gtest/gtest.h>

#include "quant/quantizer.h"
#include "train/schedules.h"
#include "train/train_op.h"

namespace nbq {
namespace {

struct Fitted {
  at::Tensor weight;
  std::vector<int> exps;
  at::Tensor q;
};

Fitted fitted(const char* quantizer, int bits) {
  Fitted f;
  at::manual_seed(bits);
  f.weight = at::randn({6, 4, 3, 3}) * 0.1;
  const std::span<const float> data(f.weight.data_ptr<float>(),
                                    static_cast<std::size_t>(f.weight.numel()));
  const auto q = find_quantizer(quantizer);
  EXPECT_TRUE(q.ok());
  const auto exps = (*q)->fit(Po2Format{bits}, ScaleGranularity::kPerChannel, {data, 6});
  EXPECT_TRUE(exps.ok());
  f.exps = *exps;
  std::vector<Po2Code> codes(data.size());
  (*q)->encode(Po2Format{bits}, {data, 6}, f.exps, codes);
  f.q = at::empty_like(f.weight);
  decode(Po2Format{bits}, codes, 6, f.exps, {f.q.data_ptr<float>(), codes.size()});
  return f;
}

/// Gradient of W when that of W~ is `upstream`.
at::Tensor weight_gradient(const Fitted& f, const char* quantizer, int bits, const Pass& pass,
                           const at::Tensor& upstream, at::Tensor* forward) {
  at::Tensor w = f.weight.clone().set_requires_grad(true);
  const at::Tensor y =
      learnt_weight(w, {}, quantizer, bits, at::tensor(f.exps, at::kInt), pass.blend, pass.slope);
  if (forward != nullptr) *forward = y.detach();
  (y * upstream).sum().backward();
  return w.grad();
}

TEST(Gradient, ReconstructedIsExactlyOneMinusAlpha) {
  const GradientRow& row = find_row(gradient_rows(), "reconstructed");
  for (const int bits : {1, 2, 3, 4, 5})
    for (const double alpha : {0.5, 0.75, 0.9, 0.99, 1.0}) {
      const Fitted f = fitted("least_squares", bits);
      const at::Tensor up = at::randn_like(f.weight);
      at::Tensor y;
      const Pass pass{.blend = row.blend(alpha), .slope = row.slope(alpha)};
      const at::Tensor g = weight_gradient(f, "least_squares", bits, pass, up, &y);
      EXPECT_TRUE(at::equal(g, up * (1 - alpha))) << bits << " " << alpha;
      const at::Tensor want = f.weight - alpha * (f.weight - f.q);
      EXPECT_TRUE(at::allclose(y, want, 1e-6, 1e-7)) << bits << " " << alpha;
      if (alpha == 1) {
        EXPECT_TRUE(at::equal(y, f.q)) << bits;
      }
    }
}

TEST(Gradient, StraightThroughPassesAsItIs) {
  const GradientRow& row = find_row(gradient_rows(), "ste");
  const Fitted f = fitted("authors", 3);
  const at::Tensor up = at::randn_like(f.weight);
  at::Tensor y;
  const Pass pass{.blend = row.blend(0.5), .slope = row.slope(0.5)};
  EXPECT_TRUE(at::equal(weight_gradient(f, "authors", 3, pass, up, &y), up));
  EXPECT_TRUE(at::equal(y, f.q));
}

TEST(Gradient, RequantisedValuesRoundHalfUpAndClamp) {
  const ActFormat f = ActFormat::make(3, true, -1);  // -4..3 halves
  const std::vector<float> x = {-3.0f, -2.26f, -2.25f, -0.25f, -0.26f, 0.0f,
                                0.24f, 0.25f,  1.74f,  1.75f,  9.0f};
  const std::vector<float> want = {-2, -2, -2, 0, -0.5, 0, 0, 0.5, 1.5, 1.5, 1.5};
  const std::vector<float> mask = {0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0};
  const auto n = static_cast<std::int64_t>(x.size());
  at::Tensor in = at::empty({n});
  std::copy(x.begin(), x.end(), in.data_ptr<float>());
  in.set_requires_grad(true);
  const at::Tensor y = requantise(in, f, at::kFloat);
  y.sum().backward();
  for (std::int64_t i = 0; i < n; ++i) {
    EXPECT_EQ(y[i].item<float>(), want[static_cast<std::size_t>(i)])
        << x[static_cast<std::size_t>(i)];
    EXPECT_EQ(in.grad()[i].item<float>(), mask[static_cast<std::size_t>(i)])
        << x[static_cast<std::size_t>(i)];
  }
  EXPECT_TRUE(at::equal(requantise(in.detach().to(at::kDouble), f, at::kFloat), y.detach()));
  EXPECT_TRUE(at::equal(requantise(in.detach(), f, at::kBFloat16).to(at::kFloat), y.detach()));
}

TEST(Gradient, BiasesRoundOntoTheGridStraightThrough) {
  at::Tensor b = at::tensor({0.3f, -0.3f, 0.25f, -0.25f}).set_requires_grad(true);
  const at::Tensor y = rounded_bias(b, at::tensor({-1}, at::kInt));
  EXPECT_TRUE(at::equal(y, at::tensor({0.5f, -0.5f, 0.5f, 0.0f})));
  y.sum().backward();
  EXPECT_TRUE(at::equal(b.grad(), at::ones({4})));
}

}  // namespace
}  // namespace nbq
