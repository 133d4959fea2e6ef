// Whole images through the RTL. The weights are random: bit-exactness does not need good
// ones, and the images are CIFAR-sized noise, so that the test needs no dataset.
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
