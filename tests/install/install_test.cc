// What `cmake --install` puts down is enough to build the examples, which give the reference's
// integers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "core/file.h"
#include "install/run.h"
#include "model/nbq_file.h"
#include "ops/ref_executor.h"
#include "random_graph.h"

namespace nbq {
namespace {

namespace fs = std::filesystem;
using testing::run;

/// A folder of this process's own, gone afterwards.
class Installed : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = fs::temp_directory_path() / fmt::format("nbq_install_{}", ::getpid());
    fs::remove_all(root_);
    for (const char* component : {"library", "development"})
      run({NBQ_CMAKE, "--install", NBQ_BINARY_DIR, "--component", component, "--prefix", prefix()});
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  static std::string prefix() { return (root_ / "prefix").string(); }
  static std::string path(const std::string& name) { return (root_ / name).string(); }

  static fs::path root_;
};
fs::path Installed::root_;

/// A line an image: its class, then its logits.
std::string lines(const Graph& g, const std::vector<std::int64_t>& logits) {
  const auto outputs = static_cast<std::size_t>(g.output().shape.size());
  std::ostringstream all;
  for (std::size_t i = 0; i < logits.size(); i += outputs) {
    const auto own = std::span(logits).subspan(i, outputs);
    all << g.class_names[static_cast<std::size_t>(argmax(own))];
    for (const std::int64_t logit : own) all << ' ' << logit;
    all << '\n';
  }
  return all.str();
}

TEST_F(Installed, ExamplesFindItAndGiveTheReferencesIntegers) {
  const std::string build = path("examples");
  run({NBQ_CMAKE, "-S", NBQ_SOURCE_DIR "/examples", "-B", build, "-G", NBQ_GENERATOR,
       "-DCMAKE_PREFIX_PATH=" + prefix(), "-DCMAKE_BUILD_TYPE=Release",
       "-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Werror",
       "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror"});
  run({NBQ_CMAKE, "--build", build});
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    testing::RandomGraph random(seed);
    Graph g = random.make_integer(3, 8);
    for (std::int64_t i = 0; i < g.output().shape.size(); ++i)
      g.class_names.push_back("class" + std::to_string(i));
    const int n = 5;
    const auto pixels = random.pixels(g, n);
    ASSERT_TRUE(save_nbq(path("model.nbq"), g).ok());
    ASSERT_TRUE(write_file(path("pixels"), pixels).ok());
    const std::string want = lines(g, RefExecutor::create(g)->run(pixels, n).value());
    for (const std::string program : {"classify_c", "classify_cpp"}) {
      EXPECT_EQ(run({build + "/" + program, path("model.nbq"), path("pixels")}), want)
          << program << ", seed " << seed;
      EXPECT_THAT(run({build + "/" + program, path("none.nbq"), path("pixels")}, 3),
                  ::testing::HasSubstr("none.nbq: no such file"));
    }
  }
}

TEST_F(Installed, PkgConfigLeadsToWhatIsThere) {
  const auto found = run_process({"pkg-config", "--version"});
  if (!found.ok() || found->exit_code != 0) GTEST_SKIP() << "pkg-config is not installed";
  std::string file;
  for (const auto& entry : fs::recursive_directory_iterator(prefix()))
    if (entry.path().filename() == "nbq.pc") file = entry.path().string();
  ASSERT_NE(file, "");
  const auto variable = [&](const std::string& name) {
    std::string value = run({"pkg-config", "--variable=" + name, file});
    while (value.ends_with('\n') || value.ends_with(' ')) value.pop_back();
    return value;
  };
  EXPECT_TRUE(fs::exists(variable("libdir") + "/libnbq.so")) << variable("libdir");
  EXPECT_TRUE(fs::exists(variable("includedir") + "/nbq/nbq.h")) << variable("includedir");
  EXPECT_THAT(run({"pkg-config", "--libs", file}), ::testing::HasSubstr("-lnbq"));
}

}  // namespace
}  // namespace nbq
