#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/process.h"

namespace nbq::testing {

namespace fs = std::filesystem;

struct Ran {
  int exit;
  std::string out, err;
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

inline std::string quoted(const std::string& s) { return "'" + s + "'"; }

/// Runs a line of shell, its output going to files in `dir`.
inline Ran shell_line(const std::string& line, const fs::path& dir) {
  const auto r = run_process(
      {"/bin/sh", "-c",
       "{ " + line + "; } >" + quoted(dir / "stdout") + " 2>" + quoted(dir / "stderr")});
  return {r.value().exit_code, read_text_file(dir / "stdout").value(),
          read_text_file(dir / "stderr").value()};
}

/// Runs the built nbq; `environment` is put before the command ("PATH=/none").
inline Ran nbq(const std::vector<std::string>& args, const fs::path& dir,
               const std::string& environment = "") {
  std::string line = "env " + environment + " " + quoted(NBQ_BINARY);
  for (const std::string& a : args) line += " " + quoted(a);
  return shell_line(line, dir);
}

/// A folder of its own for each test, removed at its end.
class CommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    dir_ = fs::path(::testing::TempDir()) / (std::string("nbq_") + info->test_suite_name() + "_" +
                                             info->name() + "_" + std::to_string(::getpid()));
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }

  Ran run(const std::vector<std::string>& args, const std::string& environment = "") const {
    return nbq(args, dir_, environment);
  }
  Ran shell(const std::string& line) const { return shell_line(line, dir_); }
  std::string path(const std::string& name) const { return (dir_ / name).string(); }
  /// A digits network trained just long enough to be one: float.nbq, quantised.nbq, model.nbq.
  void train_briefly() const {
    const Ran r = run({"train", NBQ_SOURCE_DIR "/zoo/nbqnn-digits.toml", "--run", path("run"),
                       "--epochs-scale", "0.1", "--json"});
    ASSERT_EQ(r.exit, 0) << r.err;
  }

  fs::path dir_;
};

}  // namespace nbq::testing
