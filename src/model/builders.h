#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "model/graph.h"

namespace nbq {

/// What the builder functions take; each uses the fields that its doc names (family_keys()).
struct BuildSpec {
  std::string family;  ///< a row of builders.cc
  int channels = 3, height = 32, width = 32, classes = 10;
  // Empty or 0: the family's own.
  int depth = 0;  ///< layers with weights, as the family's authors count them
  /// How the image enters: "cifar" keeps small images large, "imagenet" quarters large ones.
  std::string stem;
  int base_width = 0;  ///< channels of the first stage; the others keep their ratio to it

  std::string shortcut =
      "conv";  ///< of residual blocks that change the shape; "conv": 1x1, strided; "pad": every
               ///< second pixel, zeros for the new channels
  /// nbqnn: output channels of each 3x3 convolution, stage by stage.
  std::vector<std::vector<int>> stages;
  int growth = 12;           ///< densenet_bc: channels that each layer adds
  double compression = 0.5;  ///< densenet_bc: of the channels by a transition, in (0, 1]
  std::vector<int> blocks;   ///< densenet_bc: layers of each block, instead of depth
  bool norm = false;         ///< alexnet: batch norm after every hidden layer
};

/// A float graph without parameters (shapes set). Batch norm and relu follow every convolution
/// unless said otherwise.
///
/// nbqnn: the paper's own structure for shift arrays: nothing but 3x3 convolutions, each stage
/// after the first entered by a stride of 2, a last 3x3 convolution to the classes, and the average
/// over the map. Uses stages; stem: "imagenet" puts two convolutions of stride 2 first, with half
/// the first stage's width and all of it.
/// resnet_cifar: He et al. 2016, section 4.2: three stages, 1x1 convolutions (option B) or padded
/// identities (option A) as shortcuts where the shape changes. Uses depth (6 n + 2, 20), shortcut,
/// base_width (16). resnet: He et al. 2016, section 4.1, with the stride in the 3x3 convolution of
/// a bottleneck (torchvision's v1.5). Uses depth (18 or 34: basic blocks; 50, 101 or 152:
/// bottlenecks), stem
/// ("imagenet": 7x7 of stride 2, 3x3 maximum of stride 2; "cifar": 3x3), base_width (64).
/// densenet_bc: Huang et al. 2017, batch norm and relu before each convolution. Uses depth (6 n +
/// 4, 40: three equal blocks) or blocks, growth, compression, stem ("imagenet" as resnet; "cifar":
/// 3x3). alexnet: torchvision's ("one weird trick"). Uses norm, base_width (64), stem ("imagenet":
/// 11x11 of stride 4, 3x3 maxima, hidden layers of 64 base_width; "cifar": 3x3 of stride 2, 2x2
/// maxima, hidden layers of 8 base_width). vgg_small: six 3x3 convolutions of base_width (128),
/// twice and four times that, a 2x2 maximum after every second, one linear layer: VGG-small of the
/// low-bit literature (Zhang et al. 2018).
///
/// Errors kInvalidArgument names the field; kBadFile the layer that the image is too small for.
Result<Graph> build_graph(const BuildSpec& spec);

/// Names of the families.
std::vector<std::string> family_names();
/// The keys of [model] that a family uses; empty for an unknown one.
std::vector<std::string> family_keys(std::string_view family);
/// `spec` with the family's own values where it has none.
BuildSpec with_family_defaults(BuildSpec spec);

/// The widths of nbqnn's documented forms "T", "S", "L": about 1.2, 2.5 and 9.9 million weights.
/// Empty for another name.
std::vector<std::vector<int>> nbqnn_form(std::string_view form);

}  // namespace nbq
