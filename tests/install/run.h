#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/process.h"

namespace nbq::testing {

/// Runs a program that must end with the exit code `want`; what it printed.
inline std::string run(const std::vector<std::string>& argv, int want = 0) {
  const auto r = run_process(argv);
  EXPECT_TRUE(r.ok()) << r.error().message;
  if (!r.ok()) return "";
  EXPECT_EQ(r->exit_code, want) << argv[0] << " " << argv[1] << "\n" << r->output;
  return r->output;
}

}  // namespace nbq::testing
