#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/po2_code.h"
#include "core/result.h"
#include "model/act_format.h"
#include "model/attrs.h"

namespace nbq {

/// One image's activations: channels, rows, columns.
struct Shape {
  int c = 0, h = 0, w = 0;
  std::int64_t size() const { return std::int64_t{c} * h * w; }
  bool operator==(const Shape&) const = default;
};

/// A float parameter, row-major.
struct FloatTensor {
  std::vector<std::int64_t> dims;
  std::vector<float> data;
};

/// Power-of-two weights of a conv2d, linear or batch_norm node.
/// While it is being learnt only bits and exps are set (the exponents are state, never refitted);
/// in an integer graph codes and bias hold the network.
struct Po2Weights {
  int bits = 0;                ///< n; 0: the node has none
  std::vector<int> exps;       ///< s per output channel: code k stands for 2^(s+k-1)
  std::vector<Po2Code> codes;  ///< in the weight tensor's row-major order
  std::vector<std::int64_t>
      bias;          ///< per output channel, in units of the accumulator; may be empty
  int acc_bits = 0;  ///< proved width of the accumulator (integer graphs)
};

struct Node {
  std::string name;
  Attrs attrs;
  std::vector<int> inputs;  ///< ids of earlier nodes
  Shape shape;              ///< of the output; set by infer_shapes()
  ActFormat act;            ///< of the output
  Po2Weights po2;
  std::map<std::string, FloatTensor> state;  ///< float parameters by their usual names
  /// The batch norm that this conv2d or linear layer has taken up and that is still being learnt:
  /// the layer computes norm(weight * x), with norm's beta as its "bias" and the rest in
  /// "norm.weight", "norm.running_mean" and "norm.running_var". deploy() folds it; integer graphs
  /// have none.
  std::optional<BatchNormAttrs> norm;

  OpKind kind() const { return kind_of(attrs); }
};

/// What the numbers in a graph are.
enum class Stage : std::uint8_t {
  kFloat = 0,      ///< float parameters
  kQuantised = 1,  ///< float parameters, locked exponents and activation formats: being learnt
  kInteger = 2,    ///< codes and integer biases: the deployed network
};

/// A network: nodes in topological order; node 0 is the input, the last node the output.
struct Graph {
  std::string name;
  Stage stage = Stage::kFloat;
  std::string quantizer;  ///< row of quantizers.def that made the exponents (kQuantised, kInteger)
  std::vector<Node> nodes;
  std::vector<std::string> class_names;  ///< may be empty

  const Node& input() const { return nodes.front(); }
  const Node& output() const { return nodes.back(); }
  const InputAttrs& input_attrs() const { return std::get<InputAttrs>(input().attrs); }

  /// Appends a node and returns its id.
  int add(std::string node_name, Attrs attrs, std::vector<int> inputs);
  /// Ids of the nodes that read each node.
  std::vector<std::vector<int>> consumers() const;
  std::vector<Shape> input_shapes(int id) const;
};

/// A parameter that a node of this kind must have.
struct ParamSpec {
  std::string name;  ///< "weight", "bias", "running_mean", ...
  std::vector<std::int64_t> dims;
  bool learnt = true;  ///< false: a statistic
};

/// What a layer is, from its attributes and its inputs' shapes.
struct LayerInfo {
  Shape out;
  std::vector<ParamSpec> params;
  std::int64_t macs = 0;  ///< multiply-accumulates per image
};

/// Checks the structure (one input first, earlier inputs only, unique names, one output) and sets
/// every node's shape. Errors kBadFile naming the node.
Status infer_shapes(Graph& graph);

/// Shape, parameters and work of node `id`; its inputs' shapes must be set.
Result<LayerInfo> describe(const Graph& graph, int id);

/// Total multiply-accumulates of one image; shapes must be set.
std::int64_t total_macs(const Graph& graph);
/// Number of weights and biases.
std::int64_t total_params(const Graph& graph);

/// Output size of a window along one axis, or 0 when it does not fit.
int window_out(int in, int kernel, int stride, int pad_before, int pad_after, int dilation);
/// Output columns [first, last) whose tap `kx` lies inside a row of `in_w`.
struct ColumnRange {
  int first, last;
};
ColumnRange tap_columns(const Window& w, int kx, int in_w, int out_w);
/// Checks a window and gives the output shape with `channels`.
Result<Shape> window_shape(const Shape& in, const Window& w, int channels,
                           const std::string& where);

}  // namespace nbq
