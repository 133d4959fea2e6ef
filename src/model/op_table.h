#pragma once
#include <vector>

#include "model/graph.h"

namespace nbq {

/// Shape, parameters and work of a layer. Errors kBadFile naming the node.
using ShapeFn = Result<LayerInfo> (*)(const Node& node, const std::vector<Shape>& in);

/// What the overflow proof needs of one layer of an integer graph.
struct AccBound {
  std::vector<std::int64_t> max_abs;  ///< largest |accumulator| per channel, or one for all
  std::vector<int> exps;              ///< the accumulator's exponent per channel, or one for all
};
/// Bound and exponent of the accumulator for any input in the operands' formats. For quantised
/// graphs (no codes yet) only `exps` is filled. Errors kBadFile, kOverflow naming node and channel.
using BoundFn = Result<AccBound> (*)(const Node& node, const std::vector<const Node*>& in);

// src/ops/<folder>/shape.cc defines both for every row of the registry.
#define NBQ_OP(Kind, folder, name)                                                  \
  Result<LayerInfo> shape_##folder(const Node& node, const std::vector<Shape>& in); \
  Result<AccBound> bound_##folder(const Node& node, const std::vector<const Node*>& in);
#include "ops.def"

ShapeFn op_shape(OpKind kind);
BoundFn op_bound(OpKind kind);

/// Layers that hand on their operand's integers unchanged, and so keep its format.
bool keeps_format(OpKind kind);

/// Bound and exponents of node `id`'s accumulator.
Result<AccBound> acc_bound(const Graph& graph, int id);

/// Conv2d and linear: layers whose weight is a matrix that can take up a batch norm.
bool is_matrix(OpKind kind);
/// eps and momentum in range. Errors kBadFile naming the layer.
Status check_norm(const BatchNormAttrs& attrs, const std::string& where);

// Shared by the rows.
Status expect_inputs(const Node& node, std::size_t have, std::size_t want);
/// Bound of a node that passes its one operand on unchanged (pooling by maximum, relu, flatten).
AccBound pass_through(const Node& operand);
/// Bound of a weighted sum: per output channel sum |w_int| * max|x| + |bias|, each of the
/// `channels` rows of `codes` one channel. 2^62 saturates.
Result<AccBound> weighted_bound(const Node& node, const Node& operand, std::int64_t channels);

}  // namespace nbq
