#include "core/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"

namespace nbq {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(LogFile, HoldsWhatIsLoggedWhileItLives) {
  const auto path = std::filesystem::path(testing::TempDir()) / "nbq_log_test.txt";
  std::filesystem::remove(path);
  log_info("before");
  {
    const auto file = LogFile::open(path, false);
    ASSERT_TRUE(file.ok()) << file.error().message;
    log_info("first {}", 1);
    log_debug("too fine");
    file.value()->note("for the file alone");
  }
  log_info("between");
  {
    const auto file = LogFile::open(path, true);
    log_warn("second");
  }
  const std::string text = read_text_file(path).value();
  EXPECT_THAT(text, AllOf(HasSubstr("info: first 1\n"), HasSubstr("info: for the file alone\n"),
                          HasSubstr("warning: second\n")));
  for (const char* absent : {"before", "between", "too fine"})
    EXPECT_THAT(text, Not(HasSubstr(absent)));
  { const auto file = LogFile::open(path, false); }
  EXPECT_EQ(read_text_file(path).value(), "");
}

TEST(LogFile, AnUnwritablePathIsAnError) {
  const auto file = LogFile::open("/proc/none/log.txt", false);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::kIo);
  EXPECT_THAT(file.error().message, HasSubstr("/proc/none/log.txt"));
}

}  // namespace
}  // namespace nbq
