// The acceptance of bit-exactness: trainer evaluation, reference and Verilated RTL.
#include "nbq_command.h"

namespace nbq::testing {
namespace {

class CliRtl : public CommandTest {};

TEST_F(CliRtl, EveryWidthThroughTheSvpeAndTheVpeArray) {
  train_briefly();
  for (const char* act : {"8", "16"})
    for (const char* bits : {"2", "3", "4", "5"}) {
      ASSERT_EQ(run({"export", path("run/float.nbq"), "-o", path("q.nbq"), "--data", "digits",
                     "--weight-bits", bits, "--act-bits", act})
                    .exit,
                0);
      // One engine for all widths, wide enough for the widest: codes of fewer bits are a subset.
      const Ran c =
          run({"check",      path("q.nbq"), "--data",      "digits", "--images",          "6",
               "--pe",       "both",        "--lanes-in",  "4",      "--lanes-out",       "8",
               "--pixels",   "2",           "--code-bits", "5",      "--engine-act-bits", "16",
               "--acc-bits", "48",          "--json"});
      ASSERT_EQ(c.exit, 0) << bits << "/" << act << ": " << c.err << c.out;
      EXPECT_EQ(c.json().at("mismatches"), 0);
      EXPECT_GE(c.json().at("executors").size(), 7u);  // 6, and the CPU engine's kernels
    }
}

TEST_F(CliRtl, SimCountsCyclesAndFindsNoMismatch) {
  train_briefly();
  const Ran s = run({"sim", path("run/model.nbq"), "--data", "digits", "--images", "20", "--json"});
  ASSERT_EQ(s.exit, 0) << s.err;
  EXPECT_EQ(s.json().at("mismatches"), 0);
  EXPECT_GT(s.json().at("utilisation").get<double>(), 0.1);
  EXPECT_LT(s.json().at("utilisation").get<double>(), 1.0);
  EXPECT_GE(s.json().at("cycles_per_image").get<double>(),
            s.json().at("busy_cycles_per_image").get<double>());
  // The compiler's cycles of the layers are the RTL's, and the report takes them as they are.
  const auto sim = s.json();
  std::int64_t cycles = 0;
  for (const auto& layer : sim.at("layers")) cycles += layer.at("cycles").get<std::int64_t>();
  EXPECT_EQ(cycles, sim.at("cycles_per_run").get<std::int64_t>());
  ASSERT_TRUE(write_file(path("sim_svpe.json"), s.out).ok());
  const Ran report = run({"report", dir_.string(), "--json"});
  ASSERT_EQ(report.exit, 0) << report.err;
  EXPECT_EQ(report.json().at("svpe").at("utilisation"), s.json().at("utilisation"));
}

}  // namespace
}  // namespace nbq::testing
