#include "train/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/file.h"
#include "model/nbq_file.h"
#include "train/executor.h"

namespace nbq {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kSmall = R"(name = "small"
precision = "float32"
[data]
source = "digits"
[model]
family = "nbqnn"
stages = [[8], [16]]
[[phase]]
kind = "float"
epochs = 2
batch = 64
[[phase]]
kind = "quantised"
epochs = 3
batch = 64
lr = 0.02
distill = 0.5
)";

Recipe recipe(const std::string& text) {
  auto r = parse_recipe(text, "small.toml");
  EXPECT_TRUE(r.ok()) << r.error().message;
  return r.ok() ? *r : Recipe{};
}

std::string error_of(const std::string& more) {
  const auto r = parse_recipe(kSmall + more, "r.toml");
  EXPECT_FALSE(r.ok()) << more;
  return r.ok() ? "" : r.error().message;
}

fs::path fresh(const std::string& name) {
  const fs::path dir = fs::path(testing::TempDir()) / ("nbq_compare_test_" + name);
  fs::remove_all(dir);
  return dir;
}

TEST(CompareRows, HaveTheBudgetOfTheQuantisedPhases) {
  const Recipe r = recipe(std::string(kSmall) + R"([[phase]]
kind = "quantised"
epochs = 4
[compare]
seeds = [3, 4]
[[compare.method]]
name = "ttq"
lr = 0.5
first_last_float = false
[[compare.method]]
name = "dorefa"
bits = 2
label = "dorefa-wide"
)");
  EXPECT_EQ(r.compare.seeds, (std::vector<std::uint64_t>{3, 4}));
  const auto rows = choose_rows(r, {});
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[0].label, "float");
  EXPECT_EQ((*rows)[1].label, "ttq:2");
  EXPECT_EQ((*rows)[2].label, "dorefa-wide");
  const PhaseSpec& ttq = (*rows)[1].phases.at(0);
  EXPECT_EQ(ttq.epochs, 7);
  EXPECT_EQ(ttq.batch, 64);
  EXPECT_EQ(ttq.lr, 0.5);
  EXPECT_FALSE(ttq.first_last_float);
  EXPECT_TRUE((*rows)[2].phases.at(0).first_last_float);
  EXPECT_EQ((*rows)[2].phases.at(0).lr, 0.02);

  const std::vector<std::string> wanted = {"ste:2", "ttq", "ttq:2", "twn"};
  const auto chosen = choose_rows(r, wanted);
  ASSERT_TRUE(chosen.ok()) << chosen.error().message;
  ASSERT_EQ(chosen->size(), 4u);
  EXPECT_EQ((*chosen)[1].label, "ste:2");
  ASSERT_EQ((*chosen)[1].phases.size(), 2u);
  EXPECT_EQ((*chosen)[1].phases[1].weight_bits, 2);
  EXPECT_EQ((*chosen)[1].phases[0].gradient, "ste");
  EXPECT_EQ((*chosen)[1].phases[0].distill, 0);  // no row has a teacher
  EXPECT_EQ((*chosen)[2].phases[0].lr, 0.5);     // the recipe's own row
  EXPECT_EQ(scale_epochs(r, 2).compare.rows[0].phases[0].epochs, 14);
}

TEST(CompareRows, BadOnesAreErrors) {
  EXPECT_THAT(error_of("[compare]\nseed = [1]\n"), HasSubstr("did you mean \"seeds\""));
  EXPECT_THAT(error_of("[[compare.method]]\nname = \"twm\"\n"), HasSubstr("did you mean \"twn\""));
  EXPECT_THAT(error_of("[[compare.method]]\nname = \"twn\"\nbits = 3\n"),
              AllOf(HasSubstr("compare.method.bits"), HasSubstr("twn has 2 bits")));
  EXPECT_THAT(error_of("[[compare.method]]\nname = \"twn\"\nlearning_rate = 3\n"),
              HasSubstr("unknown key"));
  EXPECT_THAT(error_of("[[compare.method]]\nname = \"twn\"\nalpha = \"linear\"\n"),
              HasSubstr("unknown key"));
  EXPECT_THAT(error_of("[[compare.method]]\nname = \"twn\"\n[[compare.method]]\nname = \"twn\"\n"),
              HasSubstr("give this one a label"));
  EXPECT_THAT(error_of("[[compare.method]]\nname = \"twn\"\nlabel = \"../x\"\n"),
              HasSubstr("letters"));
  EXPECT_THAT(error_of("[[compare.method]]\nname = \"twn\"\nlabel = \"shared\"\n"),
              HasSubstr("not be shared"));
  const std::vector<std::string> wrong[] = {{"twn:x"}, {"nothing"}, {"dorefa:9"}, {"twn", "twn:2"}};
  for (const auto& w : wrong) EXPECT_FALSE(choose_rows(recipe(kSmall), w).ok()) << w[0];
}

TEST(Method, IsTheLastPhaseAndStrict) {
  const std::string method = "[[phase]]\nkind = \"float\"\nmethod = \"dorefa\"\n";
  const std::string head =
      "[data]\nsource = \"digits\"\n[model]\nfamily = \"nbqnn\"\nstages = [[8], [16]]\n" + method;
  const auto message = [&](const std::string& more) {
    const auto r = parse_recipe(head + more, "r.toml");
    return r.ok() ? std::string() : r.error().message;
  };
  EXPECT_EQ(message("bits = 4\n"), "");
  EXPECT_THAT(message("bits = 9\n"), HasSubstr("1..8"));
  EXPECT_THAT(message("[[phase]]\nkind = \"quantised\"\n"),
              HasSubstr("no phase can follow one of method = \"dorefa\""));
  EXPECT_THAT(message("[[phase]]\nkind = \"float\"\n"), HasSubstr("no phase can follow"));
  const Recipe r = recipe(head + "bits = 2\nfirst_last_float = false\n");
  const Recipe again = recipe(recipe_toml(r));
  EXPECT_EQ(again.phases[0].method, "dorefa");
  EXPECT_EQ(again.phases[0].bits, 2);
  EXPECT_FALSE(again.phases[0].first_last_float);
  EXPECT_EQ(recipe(head).phases[0].bits, 3);
  EXPECT_TRUE(recipe(head).phases[0].first_last_float);
}

TrainRequest request(const Recipe& r, const fs::path& dir) {
  TrainRequest q;
  q.recipe = r;
  q.run_dir = dir;
  q.threads = 1;
  q.quiet = true;
  q.handle_signals = false;
  return q;
}

TEST(Method, SaysWhenNoLayerIsLeft) {
  Recipe r = recipe(kSmall);
  r.model.build.stages = {{8}};
  r.phases = compare_row(r, "ttq")->phases;
  const auto made = train(request(r, fresh("none_left")));
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message, HasSubstr("first_last_float = false"));
}

/// Methods with state: what is learnt (ttq), frozen (inq), refitted (lqnets).
TEST(Method, ResumedTrainingGivesTheSameWeights) {
  for (const char* name : {"ttq", "inq", "lqnets"}) {
    Recipe r = recipe(kSmall);
    const auto row = compare_row(r, name);
    ASSERT_TRUE(row.ok()) << row.error().message;
    r.phases = row->phases;
    r.phases[0].first_last_float = false;
    const auto whole = fresh(std::string(name) + "_whole"), parts = fresh(std::string(name) + "_p");
    const auto a = train(request(r, whole));
    ASSERT_TRUE(a.ok()) << a.error().message;
    for (const std::int64_t stop_at : {7, 20, 48}) {
      TrainRequest q = request(r, parts);
      q.resume = stop_at != 7;
      q.stop = [=](std::int64_t done) { return done == stop_at; };
      const auto stopped = train(q);
      ASSERT_TRUE(stopped.ok()) << stopped.error().message;
      EXPECT_TRUE(stopped->interrupted);
    }
    TrainRequest q = request(r, parts);
    q.resume = true;
    const auto b = train(q);
    ASSERT_TRUE(b.ok()) << b.error().message;
    EXPECT_EQ(read_file(whole / "float.nbq").value(), read_file(parts / "float.nbq").value())
        << name;
    // The file holds the quantised weights, and the accuracy is theirs.
    const Graph g = load_nbq(whole / "float.nbq").value();
    for (const int id : method_layers(g, false)) {
      const auto& w = g.nodes[static_cast<std::size_t>(id)].state.at("weight").data;
      const std::size_t per = w.size() / static_cast<std::size_t>(g.nodes[std::size_t(id)].shape.c);
      EXPECT_LE(std::set<float>(w.begin(), w.begin() + std::ptrdiff_t(per)).size(), 8u) << name;
    }
    DatasetSpec spec;
    spec.path = "digits";
    spec.split = Split::kTest;
    const auto eval = evaluate_torch(g, *open_dataset(spec).value());
    ASSERT_TRUE(eval.ok());
    EXPECT_DOUBLE_EQ(eval->accuracy, a->metrics.float_accuracy) << name;
  }
}

TEST(Compare, RowsShareTheirStartAndGoOnAfterAStop) {
  CompareRequest q;
  q.recipe = recipe(kSmall);
  const std::vector<std::string> wanted = {"reconstructed", "twn"};
  q.rows = choose_rows(q.recipe, wanted).value();
  q.seeds = {1, 2};
  q.out = fresh("rows");
  q.threads = 1;
  q.quiet = true;
  q.handle_signals = false;
  int steps = 0;
  q.stop = [&](std::int64_t) { return ++steps == 140; };  // 32 shared, 48 a row: in the second row
  const auto stopped = compare(q);
  ASSERT_TRUE(stopped.ok()) << stopped.error().message;
  EXPECT_TRUE(stopped->interrupted);
  EXPECT_THAT(stopped->message, HasSubstr("twn:2, seed 1"));
  EXPECT_EQ(stopped->rows[1].runs.size(), 1u);
  EXPECT_EQ(stopped->rows[2].runs.size(), 0u);
  q.stop = nullptr;
  EXPECT_FALSE(compare(q).ok());  // the folder is in use
  q.resume = true;
  const auto done = compare(q);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_FALSE(done->interrupted);
  EXPECT_FALSE(done->failed());
  for (const CompareResult& r : done->rows) {
    ASSERT_EQ(r.runs.size(), 2u) << r.row.label;
    for (const CompareRun& run : r.runs) EXPECT_GT(run.accuracy, 30) << r.row.label;
    EXPECT_NE(r.runs[0].accuracy, r.runs[1].accuracy) << r.row.label;
  }
  EXPECT_EQ(done->rows[1].runs[0].accuracy, stopped->rows[1].runs[0].accuracy);
  // 8*9 + 16*8*9 + 10*16*9 weights: float; 3 bits, a byte for each of 34 exponents; 2 bits, a float
  // for each layer.
  EXPECT_EQ(done->rows[0].size.weights, 2664);
  EXPECT_EQ(done->rows[0].size.bytes, 4 * 2664);
  EXPECT_EQ(done->rows[1].size.bytes, 27 + 432 + 540 + 34);
  EXPECT_EQ(done->rows[2].size.bytes, 18 + 288 + 360 + 12);
}

}  // namespace
}  // namespace nbq
