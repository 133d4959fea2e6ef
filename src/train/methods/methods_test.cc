// Every row of weight_methods.def: what holds for all, and hand-computed values of each.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "quant/quantizer.h"
#include "train/weight_method.h"

namespace nbq {
namespace {

const MethodRow& row(const char* name) { return **find_method(name); }

at::Tensor two_by_two(std::initializer_list<float> v) {
  return at::tensor(std::vector<float>(v)).view({2, 2});
}
/// Two channels of two weights, the largest the last.
at::Tensor small() { return two_by_two({0.9f, -0.1f, 0.5f, -1.2f}); }

void expect_near(const at::Tensor& have, const at::Tensor& want) {
  EXPECT_TRUE(at::allclose(have, want, 1e-5, 1e-6)) << have << "\nwanted " << want;
}

/// Gradient of W when the weight's is `up`.
at::Tensor gradient(WeightMethod& m, const at::Tensor& w, const at::Tensor& up) {
  const at::Tensor leaf = w.clone().set_requires_grad(true);
  (m.weight(leaf) * up).sum().backward();
  return leaf.grad();
}

std::size_t distinct(const at::Tensor& t) {
  const at::Tensor c = t.contiguous();
  const float* const data = c.data_ptr<float>();
  return std::set<float>(data, data + c.numel()).size();
}

TEST(WeightMethods, TakeNoMoreValuesThanTheirBitsAllow) {
  for (const MethodRow& r : method_rows()) {
    if (!r.quantises()) continue;
    for (int bits = r.min_bits; bits <= r.max_bits; ++bits) {
      at::manual_seed(bits);
      at::Tensor w = at::randn({6, 8, 3, 3}) * 0.1;
      const auto m = make_method(r, w, bits);
      for (const double progress : {0.0, 0.5, 0.95}) {
        const at::NoGradGuard no_grad;
        m->begin_step(w, progress);
        m->after_step(w);
        const at::Tensor q = m->quantised(w);
        const MethodFacts facts = r.facts(bits, 6);
        ASSERT_LE(facts.levels, 1 << bits) << r.name;
        ASSERT_TRUE(at::isfinite(q).all().item<bool>()) << r.name << bits;
        for (std::int64_t c = 0; c < 6; ++c)
          EXPECT_LE(distinct(q[c]), static_cast<std::size_t>(facts.levels)) << r.name << bits;
        if (facts.scale_bytes == r.facts(bits, 1).scale_bytes) {  // one scale for the layer
          EXPECT_LE(distinct(q), static_cast<std::size_t>(facts.levels)) << r.name << bits;
        }
        if (progress > 0.9) {
          EXPECT_TRUE(at::equal(m->weight(w).detach(), q)) << r.name << bits;
        }
      }
    }
  }
}

TEST(WeightMethods, TheirStateMakesAnotherObjectTheSame) {
  for (const MethodRow& r : method_rows()) {
    if (!r.quantises()) continue;
    at::manual_seed(5);
    at::Tensor w = at::randn({4, 30}) * 0.1;
    const auto a = make_method(r, w, r.default_bits);
    const at::NoGradGuard no_grad;
    for (const double progress : {0.0, 0.4}) a->begin_step(w, progress);
    for (const WeightMethod::Named& n : a->learnt()) at::Tensor(n.tensor).mul_(1.1);
    a->after_step(w);
    const auto b = make_method(r, at::randn({4, 30}), r.default_bits);
    const auto from = a->state(), to = b->state();
    ASSERT_EQ(from.size(), to.size()) << r.name;
    for (std::size_t i = 0; i < from.size(); ++i) at::Tensor(to[i]).copy_(from[i]);
    EXPECT_TRUE(at::equal(a->quantised(w), b->quantised(w))) << r.name;
    EXPECT_TRUE(at::equal(a->weight(w), b->weight(w))) << r.name;
  }
}

TEST(WeightMethods, BinaryConnect) {
  const auto m = make_method(row("binaryconnect"), small(), 1);
  at::Tensor w = small();
  EXPECT_TRUE(at::equal(m->quantised(w), two_by_two({1, -1, 1, -1})));
  const at::Tensor up = two_by_two({1, 2, 3, 4});
  EXPECT_TRUE(at::equal(gradient(*m, w, up), up));
  m->after_step(w);
  EXPECT_TRUE(at::equal(w, two_by_two({0.9f, -0.1f, 0.5f, -1})));
}

TEST(WeightMethods, BwnScalesEachChannelByItsMean) {
  const auto m = make_method(row("bwn"), small(), 1);
  expect_near(m->quantised(small()), two_by_two({0.5f, -0.5f, 0.85f, -0.85f}));
  expect_near(gradient(*m, small(), two_by_two({1, 1, 1, 2})),
              two_by_two({1, 1, 1.35f, 1}));  // 1/2 + mean; beyond 1 only 1/2
}

TEST(WeightMethods, Twn) {
  // mean|W| = 0.675, delta = 0.4725, alpha = (0.9 + 0.5 + 1.2) / 3
  const auto m = make_method(row("twn"), small(), 2);
  const float alpha = 2.6f / 3;
  expect_near(m->quantised(small()), two_by_two({alpha, 0, alpha, -alpha}));
  const at::Tensor up = two_by_two({1, 2, 3, 4});
  EXPECT_TRUE(at::equal(gradient(*m, small(), up), up));
}

TEST(WeightMethods, TtqLearnsItsTwoScales) {
  const at::Tensor w = two_by_two({0.9f, -0.03f, 0.5f, -1.2f});  // delta = 0.06
  const auto m = make_method(row("ttq"), w, 2);
  const auto scales = m->learnt();
  ASSERT_EQ(scales.size(), 2u);
  for (const auto& s : scales) at::Tensor(s.tensor).set_requires_grad(true);
  expect_near(m->quantised(w), two_by_two({0.7f, 0, 0.7f, -1.2f}));
  expect_near(gradient(*m, w, two_by_two({1, 2, 3, 4})), two_by_two({0.7f, 2, 2.1f, 4.8f}));
  EXPECT_FLOAT_EQ(scales[0].tensor.grad().item<float>(), 4);
  EXPECT_FLOAT_EQ(scales[1].tensor.grad().item<float>(), -4);
}

TEST(WeightMethods, DoReFa) {
  const auto two = make_method(row("dorefa"), small(), 2);
  expect_near(two->quantised(small()), two_by_two({1, -1.0f / 3, 1.0f / 3, -1}));
  const at::Tensor g = gradient(*two, small(), two_by_two({1, 0, 0, 0}));
  const double t = std::tanh(0.9), most = std::tanh(1.2);
  EXPECT_NEAR(g[0][0].item<double>(), (1 - t * t) / most, 1e-5);
  const auto one = make_method(row("dorefa"), small(), 1);
  expect_near(one->quantised(small()), two_by_two({0.675f, -0.675f, 0.675f, -0.675f}));
}

TEST(WeightMethods, InqFreezesTheLargestFirst) {
  // max 1.2: n1 = floor(log2 1.6) = 0, n2 = -1: codes 0, 1/2, 1.
  at::Tensor w = small();
  const auto m = make_method(row("inq"), w, 3);
  expect_near(m->quantised(w), two_by_two({1, 0, 0.5f, -1}));
  m->begin_step(w, 0);
  expect_near(w, two_by_two({1, -0.1f, 0.5f, -1}));
  expect_near(gradient(*m, w, at::ones({2, 2})), two_by_two({0, 1, 1, 0}));
  w.add_(0.3);  // momentum, say
  m->after_step(w);
  expect_near(w, two_by_two({1, 0.2f, 0.8f, -1}));
  m->begin_step(w, 0.3);
  expect_near(w, two_by_two({1, 0.2f, 1, -1}));
  m->begin_step(w, 0.95);
  expect_near(w, two_by_two({1, 0, 1, -1}));
}

TEST(WeightMethods, LqNetsFindsTheBasis) {
  const auto one = make_method(row("lqnets"), small(), 1);
  expect_near(one->quantised(small()), two_by_two({0.5f, -0.5f, 0.85f, -0.85f}));
  const at::Tensor w =
      at::tensor({-0.3f, -0.1f, 0.1f, 0.3f, -0.9f, -0.3f, 0.3f, 0.9f}).view({2, 4});
  const auto two = make_method(row("lqnets"), w, 2);
  expect_near(two->quantised(w), w);
  // After a change of scale the basis follows, by a tenth a step.
  const at::NoGradGuard no_grad;
  two->begin_step(w * 1.1, 0);
  expect_near(two->quantised(w), w * 1.01);
}

TEST(WeightMethods, DeepShiftRoundsInTheLogarithm) {
  // The largest exponent is round(log2 1.2) = 0, the smallest -2.
  const at::Tensor want = two_by_two({1, -0.25f, 0.5f, -1});
  const auto q = make_method(row("deepshift_q"), small(), 3);
  expect_near(q->quantised(small()), want);
  const at::Tensor up = two_by_two({1, 2, 3, 4});
  EXPECT_TRUE(at::equal(gradient(*q, small(), up), up));

  const auto ps = make_method(row("deepshift_ps"), small(), 3);
  expect_near(ps->quantised(small()), want);
  at::Tensor shift = ps->learnt()[0].tensor, sign = ps->learnt()[1].tensor;
  shift.set_requires_grad(true);
  sign.set_requires_grad(true);
  (ps->weight(small()) * up).sum().backward();
  expect_near(shift.grad(), up * want * std::log(2.0));
  expect_near(sign.grad(), up * want.abs());
  const at::NoGradGuard no_grad;
  sign[0][0] = 0.3;  // rounds to 0
  shift[1][0] = -7;
  ps->after_step(small());
  expect_near(ps->quantised(small()), two_by_two({0, -0.25f, 0.25f, -1}));
}

TEST(WeightMethods, ApotSumsPowersOfTwo) {
  const float r = std::sqrt(1.5f);
  const at::Tensor w = two_by_two({-r, 0, 0, r});  // mean 0, deviation 1
  const auto m = make_method(row("apot"), w, 3);   // magnitudes 0, 1/4, 1/2, 1 of alpha = 3
  at::Tensor alpha = m->learnt()[0].tensor;
  alpha.set_requires_grad(true);
  expect_near(m->quantised(w), two_by_two({-1.5f, 0, 0, 1.5f}));
  const at::Tensor up = two_by_two({0, 0, 0, 2});
  expect_near(gradient(*m, w, up), up);
  EXPECT_NEAR(alpha.grad().item<float>(), 2 * (0.5f - r / 3), 1e-5);
  {
    const at::NoGradGuard no_grad;
    alpha.fill_(1);
    alpha.mutable_grad().zero_();
  }
  gradient(*m, w, up);
  EXPECT_FLOAT_EQ(alpha.grad().item<float>(), 2);  // clipped
  // Four bits: {0, 1/2, 1/4, 1/16} + {0, 1/8}, over 5/8.
  const at::Tensor line = at::linspace(-1, 1, 2001).view({1, -1});
  const auto four = make_method(row("apot"), line, 4);
  at::Tensor(four->learnt()[0].tensor).fill_(1);
  std::set<int> tenths;
  const at::Tensor q = four->quantised(line);
  for (std::int64_t i = 0; i < q.numel(); ++i)
    tenths.insert(static_cast<int>(std::lround(10 * q[0][i].item<float>())));
  EXPECT_EQ(tenths, (std::set<int>{-10, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 10}));
}

TEST(WeightMethods, PlainStraightThroughHasNbqsOwnCodes) {
  const auto m = make_method(row("po2_ste"), small(), 3);
  // Channel 0: 0, ±1, ±2, ±4 times 2^-2 is nearest to (0.9, -0.1); channel 1 likewise.
  expect_near(m->quantised(small()), two_by_two({1, 0, 0.5f, -1}));
  const at::Tensor up = two_by_two({1, 2, 3, 4});
  EXPECT_TRUE(at::equal(gradient(*m, small(), up), up));
}

}  // namespace
}  // namespace nbq
