#pragma once
#include <string>
#include <vector>

#include "model/graph.h"

namespace nbq {

/// What the builder functions take; each uses the fields that its doc names.
struct BuildSpec {
  std::string family;  ///< "nbqnn", "resnet_cifar"
  int channels = 3, height = 32, width = 32, classes = 10;
  int depth = 20;  ///< resnet_cifar: 6 n + 2
  /// nbqnn: output channels of each 3x3 convolution, stage by stage.
  std::vector<std::vector<int>> stages;
};

/// A float graph without parameters (shapes set).
/// nbqnn: the paper's own structure for shift arrays: nothing but 3x3 convolutions with batch norm
/// and relu, each stage after the first entered by a stride of 2, a last 3x3 convolution to the
/// classes, and the average over the map. resnet_cifar: He et al. 2016, 16-32-64 channels,
/// zero-padded shortcuts replaced by 1x1 convolutions (option B). Errors kInvalidArgument names the
/// field.
Result<Graph> build_graph(const BuildSpec& spec);

}  // namespace nbq
