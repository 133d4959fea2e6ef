// What `cmake --install` puts down runs, wherever it is moved; so does what the Debian packages
// hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "install/run.h"

namespace nbq {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run;
using ::testing::StartsWith;

/// A folder of this process's own, gone afterwards; the program is installed in it, then moved.
class InstalledProgram : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = fs::temp_directory_path() / fmt::format("nbq_program_{}", ::getpid());
    fs::remove_all(root_);
    run({NBQ_CMAKE, "--install", NBQ_BINARY_DIR, "--component", "program", "--prefix",
         (root_ / "first").string()});
    fs::rename(root_ / "first", prefix());
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  static fs::path prefix() { return root_ / "moved"; }
  static fs::path data() { return prefix() / "share/nbq"; }
  static std::string model(const fs::path& data) {
    return (data / "zoo/resnet20-cifar10-w3a8.nbq").string();
  }

  /// Without the variables that lead to a source tree.
  static std::string nbq(const fs::path& program, const std::vector<std::string>& args,
                         int want = 0) {
    std::vector<std::string> argv{"env",
                                  "-u",
                                  "NBQ_RTL_DIR",
                                  "-u",
                                  "NBQ_BOARDS_DIR",
                                  "NBQ_LOG=error",
                                  "NBQ_CACHE=" + (root_ / "cache").string(),
                                  program.string()};
    argv.insert(argv.end(), args.begin(), args.end());
    return run(argv, want);
  }
  static std::string nbq(const std::vector<std::string>& args, int want = 0) {
    return nbq(prefix() / "bin/nbq", args, want);
  }

  static fs::path root_;
};
fs::path InstalledProgram::root_;

TEST_F(InstalledProgram, RunsWhereItWasMoved) {
  EXPECT_THAT(nbq({"info", model(data())}), HasSubstr("conv2d"));
  const std::string checked = nbq({"check", model(data()), "--images", "1", "--no-rtl", "--json"});
  EXPECT_EQ(nlohmann::json::parse(checked).at("mismatches"), 0);
}

TEST_F(InstalledProgram, ReadsItsOwnBoards) {
  std::string board = read_text_file(data() / "boards/zcu102.toml").value();
  const std::string name = "name = \"zcu102\"";
  ASSERT_THAT(board, HasSubstr(name));
  board.replace(board.find(name), name.size(), "name = \"own\"");
  ASSERT_TRUE(write_file(data() / "boards/own.toml", board).ok());
  const auto j = nlohmann::json::parse(
      nbq({"compile", model(data()), "--board", "own", "--json", "--lanes-in", "8", "--lanes-out",
           "8", "--pixels", "4", "--images-at-once", "1"}));
  EXPECT_EQ(j["board"], "own");
  fs::remove(data() / "boards/own.toml");
}

TEST_F(InstalledProgram, ReadsItsOwnRtl) {
  std::ifstream list(data() / "rtl/files.f");
  int files = 0;
  for (std::string line; std::getline(list, line); ++files)
    EXPECT_TRUE(fs::is_regular_file(data() / "rtl" / line)) << line;
  EXPECT_GT(files, 10);
  const auto found = find_tool("verilator", "verilator");
  if (!found.ok()) GTEST_SKIP() << found.error().message;
  std::ofstream(data() / "rtl/files.f", std::ios::app) << "absent.sv\n";
  EXPECT_THAT(nbq({"sim", model(data()), "--images", "1"}, 3),
              HasSubstr((data() / "rtl/absent.sv").string() + ": no such file"));
}

TEST_F(InstalledProgram, DescribesItself) {
  const std::string page = (prefix() / "share/man/man1/nbq.1.gz").string();
  EXPECT_EQ(run({"gzip", "-dc", page}), nbq({"--generate", "man"}));
  const fs::path completion = prefix() / "share/bash-completion/completions/nbq";
  EXPECT_EQ(read_text_file(completion).value(), nbq({"--generate", "bash"}));
}

TEST_F(InstalledProgram, DebianPackages) {
  if (!find_tool("dpkg-deb", "dpkg").ok()) GTEST_SKIP() << "dpkg-deb is not installed";
  const fs::path packages = root_ / "packages";
  run({NBQ_CPACK, "--config", NBQ_BINARY_DIR "/CPackConfig.cmake", "-B", packages.string()});
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(packages)) {
    const std::string file = entry.path().filename().string();
    if (entry.path().extension() == ".deb")
      files[file.substr(0, file.find('_'))] = entry.path().string();
  }
  std::vector<std::string> names;
  for (const auto& [name, file] : files) {
    names.push_back(name);
    EXPECT_EQ(run({"dpkg-deb", "-f", file, "Version"}), NBQ_VERSION "\n");
    run({"dpkg-deb", "-x", file, (root_ / "unpacked").string()});
  }
  ASSERT_THAT(names, ElementsAre("libnbq-dev", StartsWith("libnbq"), "nbq"));
  const fs::path usr = root_ / "unpacked/usr";
  EXPECT_THAT(nbq(usr / "bin/nbq", {"info", model(usr / "share/nbq")}), HasSubstr("conv2d"));
  EXPECT_THAT(run({"dpkg-deb", "-f", files["libnbq-dev"], "Depends"}),
              HasSubstr(names[1] + " (= " NBQ_VERSION ")"));
  EXPECT_TRUE(fs::exists(usr / "share/doc" / names[1] / "changelog.gz"));
  EXPECT_TRUE(fs::exists(usr / "share/doc/nbq/copyright"));
  EXPECT_TRUE(fs::exists(usr / "lib" / "libnbq.so"));
  if (!find_tool("dpkg-shlibdeps", "dpkg-dev").ok()) GTEST_SKIP() << "no dpkg-shlibdeps";
  EXPECT_THAT(run({"dpkg-deb", "-f", files["nbq"], "Depends"}), HasSubstr("libtorch"));
  EXPECT_THAT(run({"dpkg-deb", "-f", files[names[1]], "Depends"}), HasSubstr("libc6"));
  EXPECT_THAT(run({"dpkg-deb", "-f", files[names[1]], "Depends"}), Not(HasSubstr("libfmt")));
}

}  // namespace
}  // namespace nbq
