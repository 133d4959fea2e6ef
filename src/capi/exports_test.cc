// What of libnbq.so others see, and what it needs of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nbq/nbq.h>

#include <cstddef>
#include <regex>
#include <set>

#include "core/process.h"
#include "core/sanitizer.h"

namespace nbq::capi {
namespace {

const std::string kLibrary = std::string(NBQ_BINARY_DIR) + "/lib/libnbq.so";

std::string output_of(const std::vector<std::string>& argv) {
  const auto r = run_process(argv);
  EXPECT_TRUE(r.ok() && r->exit_code == 0) << argv[0];
  return r.ok() ? r->output : "";
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> all;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it)
    all.insert((*it)[1]);
  return all;
}

TEST(SharedLibrary, ShowsTheFunctionsOfTheHeaderAlone) {
  EXPECT_THAT(matches(output_of({"nm", "-D", "--defined-only", kLibrary}), R"([0-9a-f]+ \w (\S+))"),
              ::testing::UnorderedElementsAre(
                  "nbq_options_init", "nbq_model_load", "nbq_model_load_memory", "nbq_model_free",
                  "nbq_model_info", "nbq_model_run", "nbq_model_run_float", "nbq_class_name",
                  "nbq_last_error", "nbq_version"));
}

TEST(SharedLibrary, NeedsNothingButTheLanguagesLibraries) {
#if NBQ_SANITIZED
  GTEST_SKIP() << "sanitizers bring their own";
#endif
  const std::set<std::string> allowed = {"libc.so.6",
                                         "libm.so.6",
                                         "libstdc++.so.6",
                                         "libgcc_s.so.1",
                                         "ld-linux-x86-64.so.2",
                                         "ld-linux-aarch64.so.1"};
  const auto needed =
      matches(output_of({"readelf", "-d", kLibrary}), R"(\(NEEDED\)[^\[]*\[([^\]]*)\])");
  EXPECT_TRUE(needed.contains("libc.so.6"));
  for (const std::string& library : needed) EXPECT_TRUE(allowed.contains(library)) << library;
}

// Fields are appended, never moved: these are where the first release had them.
static_assert(sizeof(void*) != 8 ||
              (offsetof(nbq_options, threads) == 4 && offsetof(nbq_options, max_batch) == 8 &&
               offsetof(nbq_options, contexts) == 12 && offsetof(nbq_options, isa) == 16));
static_assert(sizeof(void*) != 8 ||
              (offsetof(nbq_info, channels) == 4 && offsetof(nbq_info, outputs) == 16 &&
               offsetof(nbq_info, logit_exp) == 20 && offsetof(nbq_info, max_batch) == 24 &&
               offsetof(nbq_info, threads) == 28 && offsetof(nbq_info, weight_bytes) == 32 &&
               offsetof(nbq_info, arena_bytes) == 40 && offsetof(nbq_info, isa) == 48));

}  // namespace
}  // namespace nbq::capi
