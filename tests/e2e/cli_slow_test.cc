// Whole ResNet-20 images through the RTL. The weights are random: bit-exactness does not need good
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
}

}  // namespace
}  // namespace nbq::testing
