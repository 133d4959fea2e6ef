#include "report/front.h"

#include <gtest/gtest.h>

namespace nbq::report {
namespace {

TEST(Front, DrawsEverySeriesAndItsBest) {
  const std::vector<FrontSeries> series = {{"svpe", {{3, 30, true}, {1, 10, true}, {2, 5, false}}},
                                           {"none", {}},
                                           {"v\"pe", {{2, 4, true}}}};
  const Plot p = front_plot(series, "Designs", "LUT", "images/s");
  EXPECT_NE(p.commands.find("$all0 << EOD\n1 10\n2 5\n3 30\nEOD"), std::string::npos) << p.commands;
  EXPECT_NE(p.commands.find("$best0 << EOD\n1 10\n3 30\nEOD"), std::string::npos);
  EXPECT_NE(p.commands.find("title \"vpe\""), std::string::npos);
  EXPECT_EQ(p.commands.find("$all1"), std::string::npos);
  const auto drawn = draw({p});
  if (!drawn.ok() && drawn.error().code == ErrorCode::kToolMissing)
    GTEST_SKIP() << drawn.error().message;
  ASSERT_TRUE(drawn.ok()) << drawn.error().message;
  EXPECT_NE(drawn->front().find("images/s"), std::string::npos);
}

TEST(Front, NothingIsNoPlot) { EXPECT_TRUE(front_plot({}, "", "", "").commands.empty()); }

}  // namespace
}  // namespace nbq::report
