// nbq compare: three rows, two seeds, stopped and gone on with.
#include <algorithm>
#include <cmath>

#include "nbq_command.h"

namespace nbq::testing {
namespace {

class CompareCli : public CommandTest {
 protected:
  std::vector<std::string> command(std::vector<std::string> more) const {
    std::vector<std::string> args = {"compare",   NBQ_SOURCE_DIR "/zoo/compare-digits.toml",
                                     "--methods", "reconstructed,twn",
                                     "--seeds",   "1,2",
                                     "--out",     path("cmp"),
                                     "--json",    "--epochs-scale",
                                     "0.1"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  /// Starts the command and sends it SIGTERM as soon as `file` is there.
  int stop_when(const std::string& file) const {
    std::string line = "exec 2>/dev/null >/dev/null; '" NBQ_BINARY "'";
    for (const std::string& a : command({})) line += " '" + a + "'";
    line += " & pid=$!; until [ -e '" + file +
            "' ]; do kill -0 $pid || break; sleep 0.02; done; kill -TERM $pid; wait $pid";
    return run_process({"/bin/sh", "-c", line}).value().exit_code;
  }
};

TEST_F(CompareCli, StopsGoesOnAndWritesItsTable) {
  ASSERT_EQ(stop_when(path("cmp/seed1/float/checkpoint.pt")), 130);
  const auto partial = nlohmann::json::parse(read_text_file(path("cmp/compare.json")).value());
  EXPECT_EQ(partial.at("interrupted"), true);

  EXPECT_EQ(run(command({})).exit, 2) << "the folder is in use";
  const Ran done = run(command({"--resume"}));
  ASSERT_EQ(done.exit, 0) << done.err << done.out;
  const auto j = done.json();
  EXPECT_EQ(j.at("interrupted"), false);
  EXPECT_EQ(j.at("seeds"), (std::vector<int>{1, 2}));
  ASSERT_EQ(j.at("rows").size(), 3u);
  const char* const labels[] = {"float", "reconstructed:3", "twn:2"};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& row = j["rows"][i];
    EXPECT_EQ(row.at("row"), labels[i]);
    ASSERT_EQ(row.at("runs").size(), 2u);
    const double a = row["runs"][0].at("accuracy"), b = row["runs"][1].at("accuracy");
    EXPECT_NEAR(row.at("accuracy_mean").get<double>(), (a + b) / 2, 1e-9);
    EXPECT_NEAR(row.at("accuracy_deviation").get<double>(), std::fabs(a - b) / std::sqrt(2), 1e-9);
    EXPECT_GT(row.at("accuracy_mean").get<double>(), 50) << labels[i];
    EXPECT_GT(row.at("step_time_ratio").get<double>(), 0);
  }
  EXPECT_LT(j["rows"][2].at("weight_bytes").get<int>(),
            j["rows"][0].at("weight_bytes").get<int>() / 15);
  EXPECT_EQ(j["rows"][1].at("activations"), "8-bit integers");
  for (const char* file : {"compare.csv", "compare.md", "compare.json"})
    EXPECT_TRUE(fs::exists(path("cmp") + "/" + file)) << file;

  // float.nbq of a method's run is the network whose accuracy is in the table.
  const Ran eval = run({"eval", path("cmp/seed1/twn-2/float.nbq"), "--data", "digits", "--json"});
  ASSERT_EQ(eval.exit, 0) << eval.err;
  EXPECT_NEAR(eval.json().at("accuracy").get<double>(),
              j["rows"][2]["runs"][0].at("accuracy").get<double>(), 1e-9);
  // Nothing is left to do: the same table at once.
  EXPECT_EQ(run(command({"--resume"})).json().at("rows"), j.at("rows"));
}

TEST_F(CompareCli, BadRequestsSayWhy) {
  const Ran name = run({"compare", NBQ_SOURCE_DIR "/zoo/compare-digits.toml", "--methods", "twm",
                        "--out", path("x")});
  EXPECT_EQ(name.exit, 2);
  EXPECT_NE(name.err.find("did you mean twn"), std::string::npos) << name.err;
  EXPECT_EQ(run({"compare", NBQ_SOURCE_DIR "/zoo/compare-digits.toml", "--seeds", "1,1"}).exit, 2);
  const Ran key = run({"compare", NBQ_SOURCE_DIR "/zoo/compare-digits.toml", "--set",
                       "phase.2.epoch=1", "--out", path("x")});
  EXPECT_EQ(key.exit, 3);
  EXPECT_NE(key.err.find("epochs"), std::string::npos) << key.err;
}

TEST_F(CompareCli, SetReachesEveryRow) {
  const Ran done =
      run({"compare", NBQ_SOURCE_DIR "/zoo/compare-digits.toml", "--methods", "reconstructed",
           "--seeds", "3", "--out", path("cmp"), "--json", "--set", "phase.1.epochs=1", "--set",
           "phase.2.epochs=3", "--set", "quant.weight_bits=2"});
  ASSERT_EQ(done.exit, 0) << done.err;
  const auto j = done.json();
  ASSERT_EQ(j.at("rows").size(), 2u);
  EXPECT_EQ(j["rows"][1].at("row"), "reconstructed:2");
  for (const auto& row : j["rows"]) {
    const std::string log =
        read_text_file(row.at("runs")[0].at("run").get<std::string>() + "/log.csv").value();
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1 + 3) << log;
  }
}

}  // namespace
}  // namespace nbq::testing
