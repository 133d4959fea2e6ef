// Whole images through the RTL. The weights are random: bit-exactness does not need good
// ones, and the images are CIFAR-sized noise, so that the test needs no dataset.
#include "core/file.h"
#include "hw/energy/tiny_library.h"
#include "model/builders.h"
#include "model/nbq_file.h"
#include "model/quantise.h"
#include "nbq_command.h"
#include "random_graph.h"

namespace nbq::testing {
namespace {

class CliSlow : public CommandTest {};

TEST_F(CliSlow, Resnet20ImagesThroughBothArrays) {
  BuildSpec spec;
  spec.family = "resnet_cifar";
  RandomGraph random(20);
  ASSERT_TRUE(
      save_nbq(path("resnet20.nbq"), random.deploy_with_random_weights(build_graph(spec).value()))
          .ok());
  const Ran c = run({"check", path("resnet20.nbq"), "--images", "2", "--pe", "both", "--json"});
  ASSERT_EQ(c.exit, 0) << c.err << c.out;
  EXPECT_EQ(c.json().at("mismatches"), 0);
  // 20 images in all.
  const Ran s = run({"sim", path("resnet20.nbq"), "--images", "18", "--json"});
  ASSERT_EQ(s.exit, 0) << s.err << s.out;
  EXPECT_EQ(s.json().at("mismatches"), 0);
}

/// In gates with the rest of the engine, and on an FPGA's cells.
TEST_F(CliSlow, EnergyOfArrayAndEngine) {
  BuildSpec spec;
  spec.family = "nbqnn";
  spec.stages = {{4}, {8}};
  spec.channels = 1;
  spec.height = spec.width = 8;
  RandomGraph random(20);
  ASSERT_TRUE(
      save_nbq(path("small.nbq"), random.deploy_with_random_weights(build_graph(spec).value()))
          .ok());
  ASSERT_TRUE(write_file(path("tiny.lib"), hw::tiny_liberty()).ok());
  const std::vector<std::string> command = {
      "energy", path("small.nbq"), "--windows", "4",        "--cycles", "16",    "--lanes-in",
      "4",      "--lanes-out",     "4",         "--pixels", "1",        "--json"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), command.begin(), command.end());
    return run(more);
  };
  const Ran e = with({"--images", "2", "--liberty", path("tiny.lib"), "--engine", "--pe", "svpe",
                      "--memory-pj", "0.5", "--images-at-once", "3"});
  ASSERT_EQ(e.exit, 0) << e.err << e.out;
  const auto engine = e.json().at("svpe").at("engine");
  const auto per_mac = engine.at("pj_per_mac");
  EXPECT_GT(per_mac.at("rest").get<double>(), 0);
  EXPECT_GT(per_mac.at("memories").get<double>(), 0);
  EXPECT_NEAR(per_mac.at("array").get<double>(), e.json().at("svpe").at("pj_per_mac").get<double>(),
              1e-9);
  EXPECT_GT(engine.at("signals_compared").get<double>(), 30 * engine.at("cycles").get<double>());
  const Ran one = with({"--liberty", path("tiny.lib"), "--engine", "--images", "1"});
  EXPECT_NE(one.exit, 0);
  EXPECT_NE(one.err.find("--images 2"), std::string::npos) << one.err;
  const Ran t = with({"--images", "2", "--target", "ecp5"});
  ASSERT_EQ(t.exit, 0) << t.err << t.out;
  EXPECT_GT(t.json().at("svpe").at("toggles_per_mac").get<double>(), 0);
  EXPECT_GT(t.json().at("toggle_ratio").at("vpe16_dense").get<double>(), 0);
}

/// A family's network as its authors have it, and the engine for it.
struct Whole {
  const char* name;
  std::vector<std::string> engine;
};

class WholeNetworks : public CommandTest, public ::testing::WithParamInterface<Whole> {};

/// AlexNet and ResNet-18 at 224x224; AlexNet's weights stream.
TEST_P(WholeNetworks, AnImageThroughTheRtl) {
  const Ran made = shell_line(
      quoted(NBQ_CPU_MODELS) + " " + quoted(path("models")) + " --only " + GetParam().name,
      path(""));
  ASSERT_EQ(made.exit, 0) << made.err;
  std::vector<std::string> command = {"sim", path("models/") + GetParam().name + ".nbq", "--images",
                                      "1", "--json"};
  command.insert(command.end(), GetParam().engine.begin(), GetParam().engine.end());
  const Ran s = run(command);
  ASSERT_EQ(s.exit, 0) << s.err << s.out;
  EXPECT_EQ(s.json().at("mismatches"), 0);
  const double cycles = s.json().at("cycles_per_run").get<double>();
  EXPECT_NEAR(s.json().at("predicted_cycles_per_run").get<double>(), cycles, 0.01 * cycles);
}

INSTANTIATE_TEST_SUITE_P(
    Families, WholeNetworks,
    ::testing::Values(Whole{"nbqnn", {}}, Whole{"densenet40", {}}, Whole{"vgg", {}},
                      Whole{"resnet18", {"--lanes-in", "16", "--lanes-out", "32"}},
                      Whole{"alexnet",
                            {"--lanes-in", "16", "--lanes-out", "64", "--pixels", "2", "--axi-bits",
                             "128", "--weight-depth", "8192"}}),
    [](const auto& i) { return std::string(i.param.name); });

}  // namespace
}  // namespace nbq::testing
