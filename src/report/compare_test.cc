#include "report/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/file.h"

namespace nbq::report {
namespace {

using testing::HasSubstr;

ComparedRun run(std::uint64_t seed, double accuracy, double rate) {
  return {seed, accuracy, rate, 10, "runs/x", {}};
}

Comparison example() {
  Comparison c{"digits", false, {1, 2, 3}, {}};
  c.rows.push_back({"float",
                    "float",
                    "",
                    32,
                    "float32",
                    1000,
                    4000,
                    {run(1, 98, 200), run(2, 97, 200), run(3, 99, 200)}});
  c.rows.push_back({"twn:2",
                    "twn",
                    "arXiv:1605.04711",
                    2,
                    "float32",
                    1000,
                    254,
                    {run(1, 96, 100), run(2, 95, 100)}});
  ComparedRun bad = run(3, kAbsent, 0);
  bad.error = "diverged, \"twn\"";
  c.rows.back().runs.push_back(bad);
  return c;
}

TEST(Comparison, MeansDeviationsAndLosses) {
  const Comparison c = example();
  EXPECT_DOUBLE_EQ(c.rows[0].mean(), 98);
  EXPECT_DOUBLE_EQ(c.rows[0].deviation(), 1);  // sample: sqrt((0 + 1 + 1) / 2)
  EXPECT_DOUBLE_EQ(c.rows[1].mean(), 95.5);
  EXPECT_DOUBLE_EQ(c.rows[1].deviation(), std::sqrt(0.5));
  EXPECT_DOUBLE_EQ(c.loss(c.rows[1]), 2);  // over seeds 1 and 2 alone, not 98 - 95.5
  EXPECT_DOUBLE_EQ(c.step_ratio(c.rows[1]), 2);
  Comparison one = c;
  one.rows[1].runs.resize(1);
  EXPECT_TRUE(std::isnan(one.rows[1].deviation()));
}

TEST(Comparison, IsWrittenAsTableCsvJsonAndDrawing) {
  const auto dir = std::filesystem::path(testing::TempDir()) / "nbq_compare_test";
  std::filesystem::remove_all(dir);
  ASSERT_TRUE(write_comparison(example(), dir.string()).ok());
  const auto read = [&](const char* name) { return read_text_file(dir / name).value(); };
  EXPECT_THAT(
      read("compare.md"),
      HasSubstr("| twn:2 | 2 | float32 | 254 | 2.03 | 2 of 3 | 95.50 ± 0.71 | 2.00 | 2.00 |"));
  EXPECT_THAT(read("compare.md"), HasSubstr("twn:2, seed 3: diverged"));
  EXPECT_THAT(read("compare.csv"), HasSubstr("twn:2,twn,2,float32,254,3,,0,10,\"runs/x\","
                                             "\"diverged, \"\"twn\"\"\"\n"));
  const auto j = nlohmann::json::parse(read("compare.json"));
  EXPECT_EQ(j["rows"][1]["loss_against_float"], 2);
  EXPECT_EQ(j["rows"][1]["runs"][2]["accuracy"], nullptr);
  const std::string svg = read("compare.svg");
  EXPECT_THAT(svg, HasSubstr("http://www.w3.org/2000/svg"));
  EXPECT_THAT(svg, HasSubstr("#c2570c"));
  EXPECT_EQ(svg.find("var("), std::string::npos);
  EXPECT_THAT(svg, HasSubstr("twn:2"));
}

}  // namespace
}  // namespace nbq::report
