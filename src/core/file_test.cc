#include "core/file.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "core/process.h"

namespace nbq {
namespace {
namespace fs = std::filesystem;

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(dir_); }
  void TearDown() override { fs::remove_all(dir_); }
  // Test cases run side by side.
  fs::path dir_ =
      fs::path(::testing::TempDir()) /
      (std::string("nbq_file_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(FileTest, WritesBesideAndRenames) {
  const fs::path p = dir_ / "new" / "a.txt";
  ASSERT_TRUE(write_file(p, std::string_view("one")).ok());
  ASSERT_TRUE(write_file(p, std::string_view("two")).ok());
  EXPECT_EQ(*read_text_file(p), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_ / "new"), fs::directory_iterator()), 1);
}

TEST_F(FileTest, FailedWriteKeepsTheOldFileAndNamesThePath) {
  const fs::path p = dir_ / "a.txt";
  ASSERT_TRUE(write_file(p, std::string_view("old")).ok());
  const Status s = write_atomically(p, [](const fs::path& tmp) -> Status {
    EXPECT_TRUE(write_file(tmp, std::string_view("half")).ok());
    return make_error(ErrorCode::kIo, "disk full");
  });
  EXPECT_FALSE(s.ok());
  EXPECT_EQ(*read_text_file(p), "old");
  const Status full = write_file("/dev/full/x", std::string_view("x"));
  ASSERT_FALSE(full.ok());
  EXPECT_NE(full.error().message.find("/dev/full/x"), std::string::npos);
}

TEST_F(FileTest, ReadErrorsNameThePath) {
  EXPECT_EQ(read_file(dir_ / "none").error().code, ErrorCode::kBadFile);
  EXPECT_EQ(read_file(dir_).error().code, ErrorCode::kBadFile);
  ASSERT_TRUE(write_file(dir_ / "big", std::string_view("12345")).ok());
  EXPECT_EQ(read_file(dir_ / "big", 4).error().code, ErrorCode::kIo);
}

TEST(Process, RunsAndReportsMissingTools) {
  const auto echo = run_process({"sh", "-c", "echo out; echo err >&2; exit 3"});
  ASSERT_TRUE(echo.ok());
  EXPECT_EQ(echo->exit_code, 3);
  EXPECT_EQ(echo->output, "out\nerr\n");
  std::string heard;
  // Deaf to SIGTERM, and a child of its own has the pipe, too.
  const auto ended =
      run_process({"sh", "-c", "trap '' TERM; echo one; sleep 60; echo two"}, {}, [&](auto piece) {
        heard += piece;
        return false;
      });
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ(ended->exit_code, 128 + SIGKILL);
  EXPECT_EQ(heard, "one\n");
  const auto missing = find_tool("nbq-no-such-tool", "some-package");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kToolMissing);
  EXPECT_EQ(missing.error().message,
            "nbq-no-such-tool is not installed: apt-get install some-package");
}

}  // namespace
}  // namespace nbq
