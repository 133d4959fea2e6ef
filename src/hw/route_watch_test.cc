#include "hw/route_watch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <initializer_list>

namespace nbq::hw {
namespace {

struct Heard {
  bool hopeless;
  std::size_t rounds;  ///< until then
  std::string last;
};

/// As nextpnr prints it, in pieces that end anywhere.
Heard listen(std::initializer_list<int> overuse) {
  Heard h{};
  RouteWatch watch([&](const std::string& what) { h.last = what; });
  std::string log = "Info: iter=7 steplen=1.897472 a=268.394562 penalty=[13.54]\n";
  EXPECT_TRUE(watch.heard(log));
  EXPECT_EQ(h.last, "placing, step 7");
  for (const int n : overuse) {
    ++h.rounds;
    const std::string line = fmt::format(
        "Info:     iter={} wires=802946 overused={} overuse={} archfail=NA\n", h.rounds, n - 1, n);
    bool on = true;
    for (std::size_t at = 0; at < line.size(); at += 7) on = watch.heard(line.substr(at, 7)) && on;
    if (!on) break;
  }
  h.hopeless = watch.hopeless();
  if (h.hopeless) {
    EXPECT_NE(watch.reason().find("14 rounds"), std::string::npos);
  }
  return h;
}

// Both are what nextpnr 0.11.1 printed.
TEST(RouteWatch, EndsARouterThatGetsNowhere) {
  const Heard h = listen({81231, 47885, 31838, 22190, 17810, 15295, 13560, 12023, 11642, 11707,
                          11403, 11479, 11671, 12302, 12900});
  EXPECT_TRUE(h.hopeless);
  EXPECT_EQ(h.rounds, 14u);
}

TEST(RouteWatch, LetsASlowOneGoOn) {
  const Heard h =
      listen({92451, 50753, 29342, 18302, 12320, 9244, 7070, 5645, 4594, 3690, 3135, 2676, 2300,
              1950,  1555,  1400,  1250,  1100,  990,  844,  780,  700,  640,  560,  496,  470,
              430,   400,   350,   309,   308,   305,  303,  300,  296,  294,  145,  54,   1});
  EXPECT_FALSE(h.hopeless);
  EXPECT_EQ(h.rounds, 39u);
  EXPECT_EQ(h.last, "routing, round 39: 1 wires to part");
}

}  // namespace
}  // namespace nbq::hw
