#pragma once
// Private to src/model: what the families are built of.
#include "model/builders.h"

namespace nbq {

/// A square window, padded so that a stride of 1 keeps the map (odd kernels).
Window square(int kernel, int stride);
/// A square window with `pad` on every side.
Window square(int kernel, int stride, int pad);

/// The graph with its input; returns the graph, the input is node 0.
Graph image_graph(const BuildSpec& spec);

/// Convolution and batch norm, and a relu when asked; returns the last id.
int conv_bn(Graph& g, const std::string& name, int in, int out_channels, int kernel, int stride,
            bool relu);
/// Batch norm and relu; returns the relu.
int bn_relu(Graph& g, const std::string& name, int in);

/// The last layers of most families: average over the map, then a linear layer.
void classify(Graph& g, int in, int classes);

/// Errors kInvalidArgument: stem is neither "cifar" nor "imagenet".
Status check_stem(const BuildSpec& spec);
/// The stem that ResNet and DenseNet share: 7x7 of stride 2 and a 3x3 maximum of stride 2, with
/// batch norm and relu between them.
int imagenet_stem(Graph& g, int width);

Result<Graph> build_nbqnn(const BuildSpec& spec);
Result<Graph> build_resnet_cifar(const BuildSpec& spec);
Result<Graph> build_resnet(const BuildSpec& spec);
Result<Graph> build_densenet_bc(const BuildSpec& spec);
Result<Graph> build_alexnet(const BuildSpec& spec);
Result<Graph> build_vgg_small(const BuildSpec& spec);

}  // namespace nbq
