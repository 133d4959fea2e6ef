#include "train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "model/fold.h"
#include "model/nbq_file.h"
#include "ops/ref_executor.h"
#include "train/executor.h"

namespace nbq {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kSmall = R"(name = "small"
[data]
source = "digits"
pad_crop = 1
[model]
family = "nbqnn"
stages = [[8], [16], [16]]
[[phase]]
kind = "float"
epochs = 2
batch = 64
lr = 0.1
[[phase]]
kind = "quantised"
epochs = 2
batch = 64
lr = 0.01
)";

Recipe recipe(const std::string& text) {
  auto r = parse_recipe(text, "small.toml");
  EXPECT_TRUE(r.ok()) << r.error().message;
  return *r;
}

fs::path fresh(const std::string& name) {
  const fs::path dir = fs::path(testing::TempDir()) / ("nbq_trainer_test_" + name);
  fs::remove_all(dir);
  return dir;
}

TrainRequest request(Recipe r, const fs::path& dir) {
  TrainRequest q;
  q.recipe = std::move(r);
  q.run_dir = dir;
  q.threads = 2;
  q.quiet = true;
  q.handle_signals = false;
  return q;
}

std::vector<std::uint8_t> bytes(const fs::path& path) {
  auto b = read_file(path);
  EXPECT_TRUE(b.ok()) << path;
  return b.ok() ? *b : std::vector<std::uint8_t>{};
}

TEST(Trainer, ResumedTrainingGivesTheSameWeights) {
  const auto whole = fresh("whole"), parts = fresh("parts");
  const auto a = train(request(recipe(kSmall), whole));
  ASSERT_TRUE(a.ok()) << a.error().message;
  EXPECT_FALSE(a->interrupted);
  // 16 steps an epoch: stops within the first epoch, at an epoch's end, and in the quantised phase.
  for (const std::int64_t stop_at : {5, 32, 39, 60}) {
    TrainRequest q = request(recipe(kSmall), parts);
    q.resume = stop_at != 5;
    q.stop = [=](std::int64_t done) { return done == stop_at; };
    const auto r = train(q);
    ASSERT_TRUE(r.ok()) << r.error().message;
    EXPECT_TRUE(r->interrupted);
    EXPECT_THAT(r->message, HasSubstr("checkpoint.pt"));
  }
  TrainRequest q = request(recipe(kSmall), parts);
  q.resume = true;
  const auto b = train(q);
  ASSERT_TRUE(b.ok()) << b.error().message;
  EXPECT_FALSE(b->interrupted);
  for (const char* file : {"float.nbq", "quantised.nbq", "model.nbq"})
    EXPECT_EQ(bytes(whole / file), bytes(parts / file)) << file;
  ASSERT_EQ(b->metrics.epochs.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(a->metrics.epochs[i].loss, b->metrics.epochs[i].loss);
    EXPECT_EQ(a->metrics.epochs[i].test_accuracy, b->metrics.epochs[i].test_accuracy);
  }
  const auto again = train(q);  // nothing is left to do
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->metrics.nbit_accuracy, a->metrics.nbit_accuracy);
}

TEST(Trainer, ResumesOnlyTheSameTraining) {
  const auto dir = fresh("changed");
  TrainRequest q = request(recipe(kSmall), dir);
  q.stop = [](std::int64_t done) { return done == 3; };
  ASSERT_TRUE(train(q).ok());
  q.stop = nullptr;
  const auto exists = train(q);
  ASSERT_FALSE(exists.ok());
  EXPECT_THAT(exists.error().message, HasSubstr("is there already"));
  q.resume = true;
  q.recipe.phases[0].lr = 0.2;
  const auto changed = train(q);
  ASSERT_FALSE(changed.ok());
  EXPECT_THAT(changed.error().message, AllOf(HasSubstr("recipe changed"), HasSubstr("lr = 0.1")));
  q.recipe = recipe(kSmall);
  q.recipe.data.height = 9;
  q.recipe.data.width = 9;
  EXPECT_FALSE(train(q).ok());
  auto text = bytes(dir / "checkpoint.pt");
  text.resize(text.size() / 2);
  ASSERT_TRUE(write_file(dir / "checkpoint.pt", text).ok());
  q.recipe = recipe(kSmall);
  const auto damaged = train(q);
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code, ErrorCode::kBadFile);
}

TEST(Trainer, ADivergedTrainingKeepsTheLastCheckpoint) {
  const auto dir = fresh("diverged");
  Recipe r = recipe(kSmall);
  r.phases.resize(1);
  r.phases[0].epochs = 3;
  TrainRequest q = request(r, dir);
  q.checkpoint_steps = 1;
  q.recipe.phases[0].lr = 1e6;
  q.recipe.phases[0].schedule = "constant";
  q.recipe.model = recipe(R"([model]
[[model.layer]]
name = "first"
op = "conv2d"
out_channels = 10
kernel = 3
bias = true
[[model.layer]]
name = "second"
op = "conv2d"
out_channels = 10
kernel = 3
[[model.layer]]
op = "global_avg_pool"
[[phase]]
kind = "float"
)")
                       .model;
  const auto bad = train(q);
  ASSERT_FALSE(bad.ok());
  // The checkpoint of the last sound step is whole: going on from it diverges again.
  ASSERT_TRUE(std::filesystem::exists(dir / "checkpoint.pt"));
  q.resume = true;
  const auto again = train(q);
  ASSERT_FALSE(again.ok());
  EXPECT_THAT(again.error().message, HasSubstr("diverged"));
  EXPECT_THAT(bad.error().message, AllOf(HasSubstr("diverged"), HasSubstr("learning rate")));
  EXPECT_TRUE(bad.error().message.find("first") != std::string::npos ||
              bad.error().message.find("second") != std::string::npos)
      << bad.error().message;
}

TEST(Trainer, LearnsTheDigitsInAFewEpochs) {
  const auto dir = fresh("digits");
  Recipe r = recipe(kSmall);
  r.phases[0].epochs = 6;
  r.phases[1].epochs = 4;
  r.phases[1].freeze_norms_epochs = 1;  // a few steps are an epoch here
  const auto report = train(request(r, dir));
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_GT(report->metrics.float_accuracy, 90);
  EXPECT_GT(report->metrics.nbit_accuracy, 85);
  const auto graph = load_nbq(report->integer_model);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  DatasetSpec spec;
  spec.path = "digits";
  spec.split = Split::kTest;
  const auto source = open_dataset(spec);
  ASSERT_TRUE(source.ok());
  const auto eval = evaluate_torch(*graph, **source);
  ASSERT_TRUE(eval.ok());
  EXPECT_DOUBLE_EQ(eval->accuracy, report->metrics.nbit_accuracy);
  const auto json = read_text_file(dir / "metrics.json");
  ASSERT_TRUE(json.ok());
  const auto metrics = parse_metrics(*json);
  ASSERT_TRUE(metrics.ok()) << metrics.error().message;
  EXPECT_EQ(metrics->epochs.size(), 10u);
  ASSERT_FALSE(metrics->weights.empty());
  EXPECT_FALSE(metrics->weights[0].levels.empty());
}

TEST(Trainer, AQuantisedPhaseMayBeginFromAFloatFile) {
  const auto first = fresh("init_float"), second = fresh("init_quantised");
  Recipe r = recipe(kSmall);
  r.phases.resize(1);
  const auto a = train(request(r, first));
  ASSERT_TRUE(a.ok()) << a.error().message;
  EXPECT_TRUE(a->integer_model.empty());
  Recipe q = recipe(kSmall);
  q.phases.erase(q.phases.begin());
  q.init = (first / "float.nbq").string();
  const auto b = train(request(q, second));
  ASSERT_TRUE(b.ok()) << b.error().message;
  EXPECT_TRUE(b->float_model.empty());
  EXPECT_FALSE(b->integer_model.empty());
  EXPECT_EQ(b->metrics.float_accuracy, a->metrics.float_accuracy);
}

TEST(Trainer, FoldedNormsAreNamedAndComeBack) {
  const auto first = fresh("folded_float"), folded = fresh("folded"), restored = fresh("restored");
  Recipe r = recipe(kSmall);
  r.phases.resize(1);
  ASSERT_TRUE(train(request(r, first)).ok());
  const Graph g = load_nbq(first / "float.nbq").value();
  const fs::path file = first / "folded.nbq";
  ASSERT_TRUE(save_nbq(file, fold(g).value()).ok());

  Recipe q = recipe(kSmall);
  q.phases.erase(q.phases.begin());
  q.phases[0].epochs = 1;
  q.init = file.string();
  testing::internal::CaptureStderr();
  ASSERT_TRUE(train(request(q, folded)).ok());
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("folded.nbq has no batch norms"), HasSubstr("restore_norms = 1024")));

  q.restore_norms = 512;
  testing::internal::CaptureStderr();
  const auto b = train(request(q, restored));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::Not(HasSubstr("batch norms")));
  ASSERT_TRUE(b.ok()) << b.error().message;
  EXPECT_GT(b->metrics.nbit_accuracy, 40);
}

}  // namespace
}  // namespace nbq
