#include "train/schedules.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nbq {
namespace {

TEST(Schedules, GeometricAlphaGoesFromTheFirstToTheLastValue) {
  PhaseSpec p;
  p.quantised = true;
  p.epochs = 5;
  p.final_epochs_at_one = 1;
  const int steps = 25;
  EXPECT_DOUBLE_EQ(1 - alpha_at(p, 0, steps), 0.5);
  EXPECT_NEAR(1 - alpha_at(p, 99, steps), 0.01, 1e-12);
  const double ratio = (1 - alpha_at(p, 11, steps)) / (1 - alpha_at(p, 10, steps));
  EXPECT_NEAR(ratio, std::pow(0.02, 1.0 / 99), 1e-12);
  for (int step = 100; step < 125; ++step) EXPECT_EQ(alpha_at(p, step, steps), 1);
  p.alpha_epochs = 2;  // there sooner, and stays
  EXPECT_NEAR(1 - alpha_at(p, 25, steps), 0.5 * std::pow(0.02, 25.0 / 49), 1e-12);
  for (int step = 49; step < 100; ++step) EXPECT_NEAR(1 - alpha_at(p, step, steps), 0.01, 1e-12);
  EXPECT_EQ(alpha_at(p, 100, steps), 1);
  p.quantised = false;
  EXPECT_EQ(alpha_at(p, 0, steps), 1);
}

TEST(Schedules, AlphaRowsEndWhereTheyShould) {
  for (const AlphaRow& row : alpha_rows()) {
    EXPECT_DOUBLE_EQ(row.one_minus_alpha(0.5, 0.01, 0), 0.5) << row.name;
    EXPECT_GE(row.one_minus_alpha(0.5, 0.01, 1), 0.0099) << row.name;
  }
}

TEST(Schedules, RatesWarmUpAndFall) {
  PhaseSpec p;
  p.lr = 0.1;
  p.epochs = 10;
  p.warmup_epochs = 1;
  for (const LrRow& row : lr_rows()) {
    p.schedule = std::string(row.name);
    EXPECT_LT(learning_rate(p, 0, 100), 0.002) << row.name;
    double last = 1;
    for (int step = 100; step < 1000; ++step) {
      const double rate = learning_rate(p, step, 100);
      EXPECT_LE(rate, last) << row.name << " " << step;
      EXPECT_GT(rate, 0) << row.name << " " << step;
      last = rate;
    }
  }
  p.schedule = "step";
  p.step_epochs = 4;
  EXPECT_NEAR(learning_rate(p, 850, 100), 0.001, 1e-12);
}

TEST(Schedules, GradientRows) {
  const GradientRow& ours = find_row(gradient_rows(), "reconstructed");
  EXPECT_EQ(ours.blend(0.75), 0.75);
  EXPECT_EQ(ours.slope(0.75), 0.25);
  EXPECT_EQ(ours.slope(1), 0);
  const GradientRow& ste = find_row(gradient_rows(), "ste");
  EXPECT_EQ(ste.blend(0.75), 1);
  EXPECT_EQ(ste.slope(0.75), 1);
}

}  // namespace
}  // namespace nbq
