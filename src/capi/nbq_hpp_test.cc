#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nbq/nbq.hpp>

#include "model/nbq_file.h"
#include "ops/ref_executor.h"
#include "random_graph.h"

namespace nbq::capi {
namespace {

static_assert(std::is_move_constructible_v<Model> && std::is_move_assignable_v<Model>);
static_assert(!std::is_copy_constructible_v<Model> && !std::is_copy_assignable_v<Model>);

/// What `call` throws must be a ModelError, so.
template <class F>
void expect_error(F&& call, nbq_status status, const std::string& text) {
  try {
    call();
    FAIL() << "nothing thrown, expected " << text;
  } catch (const ModelError& e) {
    EXPECT_EQ(e.status(), status);
    EXPECT_THAT(e.what(), ::testing::HasSubstr(text));
  }
}

TEST(CppApi, RunsAFileAsTheReferenceDoes) {
  testing::RandomGraph random(11);
  Graph g = random.make_integer(4, 8);
  for (std::int64_t i = 0; i < g.output().shape.size(); ++i)
    g.class_names.push_back(std::to_string(i));
  const std::string path = ::testing::TempDir() + "/nbq_hpp.nbq";
  ASSERT_TRUE(save_nbq(path, g).ok());
  Model first = Model::load(path, {.threads = 2, .max_batch = 4, .contexts = 1, .isa = "portable"});
  const Model model = std::move(first);
  EXPECT_STREQ(model.info().isa, "portable");
  EXPECT_EQ(model.class_name(0), "0");
  EXPECT_EQ(model.class_name(-1), "");
  const int n = 3;
  const auto pixels = random.pixels(g, n);
  const auto ref = RefExecutor::create(g).value();
  const auto want = ref.run(pixels, n).value();
  std::vector<std::int64_t> got(want.size());
  model.run(pixels, n, got);
  EXPECT_EQ(got, want);
  std::vector<float> reals, scores(want.size());
  for (const std::uint8_t p : pixels) reals.push_back(static_cast<float>(p) / 255.0f);
  model.run_float(reals, n, scores);
  for (std::size_t i = 0; i < want.size(); ++i)
    EXPECT_EQ(scores[i], std::ldexp(static_cast<float>(want[i]), ref.logit_exp()));
}

TEST(CppApi, ThrowsWhatTheCFunctionsReport) {
  testing::RandomGraph random(11);
  const auto bytes = encode_nbq(random.make_integer(4, 8));
  const auto view = std::as_bytes(std::span(bytes));
  Model model = Model::load(view);
  std::vector<std::uint8_t> pixels(1);
  std::vector<std::int64_t> logits(1);
  std::vector<float> reals = {std::nanf("")}, scores(1);
  expect_error([&] { model.run(pixels, 1, logits); }, NBQ_BAD_ARGUMENT, "1 pixels; 1 images of");
  expect_error([&] { model.run({}, 1, logits); }, NBQ_BAD_ARGUMENT, "pixels is NULL");
  expect_error([&] { model.run(pixels, 0, logits); }, NBQ_BAD_ARGUMENT, "0 images");
  expect_error([&] { model.run_float(reals, 1, scores); }, NBQ_BAD_ARGUMENT, "1 pixels");
  expect_error([&] { Model::load(view.first(100)); }, NBQ_BAD_FILE, "truncated");
  expect_error([&] { Model::load("/nonexistent.nbq"); }, NBQ_BAD_FILE, "no such file");
  expect_error([&] { Model::load(view, {.isa = "mmx"}); }, NBQ_BAD_ARGUMENT, "\"mmx\"");
  expect_error([&] { Model::load(view, {.threads = 1000}); }, NBQ_BAD_ARGUMENT, "1000 threads");
  const Model taken = std::move(model);
  expect_error([&] { (void)model.info(); }, NBQ_BAD_ARGUMENT, "model is NULL");
}

}  // namespace
}  // namespace nbq::capi
