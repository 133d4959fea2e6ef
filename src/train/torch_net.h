#pragma once
#include <functional>
#include <span>

#include "core/result.h"
#include "train/train_op.h"
#include "train/weight_method.h"

// Private to src/train: a Graph with its numbers in libtorch tensors.
namespace nbq {

/// A learnt tensor of the network.
struct Param {
  int node;
  std::string name;  ///< "weight", "bias"
  at::Tensor tensor;
  bool is_po2 = false;     ///< a weight whose codes are learnt (quantised graphs)
  bool is_matrix = false;  ///< weight of a convolution or linear layer: weight decay applies
  bool is_norm = false;    ///< gamma of a norm that a layer has taken up
};

/// Any stage of a Graph, executable on compute_device() as it was when it was made. Not copyable
/// cheaply: tensors are shared between copies.
class TorchNet {
 public:
  /// Errors as check_state() or verify_integer(); kOverflow from the output stages.
  static Result<TorchNet> create(const Graph& graph);
  /// What evaluation runs: of a quantised graph the integer network that deploy() makes of it.
  static Result<TorchNet> for_evaluation(const Graph& graph);

  /// A float graph's layers get the method, which begins with their present weights; what it learns
  /// joins params(). `bits` is in the row's range.
  void use_method(const MethodRow& row, int bits, bool first_last_float);
  /// Of a quantised graph's layers with a norm: the exponent of a channel of whose weights many are
  /// beyond its codes' range rises by one, that of one which leaves its large codes unused falls by
  /// one. `per_layer`: channels of a layer keep one exponent.  Errors kOverflow: an accumulator
  /// would.
  Status follow_exps(bool per_layer);
  /// Norms take over what their layers' output z has (`seen`, sums over `batches`): gamma its
  /// deviation, the running statistics what gives the same weight scale. They then change nothing
  /// of z but its mean, so that the network in training is the deployed one.
  void settle_norms(const std::map<int, BatchStatistics>& seen, int batches);
  /// The hooks of weight_method.h, around a step.
  void begin_step(double progress);
  void after_step();
  /// The methods' state() in graph order; empty without methods.
  std::vector<at::Tensor> method_state() const;
  /// Errors kBadFile: not of these methods.
  Status restore_methods(const std::vector<at::Tensor>& state);

  /// image  [N, C, H, W] float32 from image_tensor().  Result  the output's values: [N, ...], real
  /// numbers; in exact passes multiples of 2^output_exp().
  /// `observe`, if given, sees every node's output.
  using Observer = std::function<void(int id, const at::Tensor& value)>;
  at::Tensor forward(const at::Tensor& image, const Pass& pass, const Observer& observe = {}) const;

  /// Pixels [n x C x H x W] as the network's input values, in channels_last layout, on its device.
  at::Tensor image_tensor(std::span<const std::uint8_t> pixels, std::int64_t n) const;

  /// The graph with the present numbers.
  Graph graph() const;
  /// graph() with the quantised weights of layers that have a method.
  Graph quantised_graph() const;
  const Graph& structure() const { return graph_; }
  const std::vector<Param>& params() const { return learnt_; }
  /// Running statistics, in graph order.
  std::vector<at::Tensor> statistics() const;
  /// All that learning changes: params(), statistics(), method_state().
  std::vector<at::Tensor> numbers() const;
  int output_exp() const;
  int outputs() const { return static_cast<int>(graph_.output().shape.size()); }

  /// "layer: name" of the first parameter or statistic with a NaN or infinity; empty: all are
  /// finite.
  std::string first_non_finite() const;

 private:
  explicit TorchNet(Graph graph) : graph_(std::move(graph)) {}
  void make_tensors(const Node& node, Params& params);
  Status find_acc_exps();
  /// Node `id` in a pass, which must outlive what is returned.
  OpContext context(std::size_t id, const Pass& pass) const;
  /// gamma / sigma of layer `id`'s norm  [channels].
  at::Tensor norm_scale(std::size_t id) const;
  void make_input_values(const InputAttrs& image);

  Graph graph_;  ///< without state and codes
  std::vector<Params> tensors_;
  std::vector<Param> learnt_;
  std::vector<std::shared_ptr<WeightMethod>> methods_;  ///< of each node; null: none
  std::vector<std::vector<int>> acc_exps_;
  std::vector<at::Tensor> weight_exp_tensors_, acc_exp_tensors_;  ///< for OpContext
  std::vector<at::ScalarType> dtypes_;                            ///< of exact passes
  std::vector<int> last_reader_;                                  ///< of each node's output
  std::vector<std::array<float, 256>> input_values_;              ///< per channel, of each pixel
  at::Tensor input_table_, input_places_;  ///< the same on another device than the CPU; undefined
};

/// at::set_num_threads; 0: one a core. `processes` of this machine share them.
void use_threads(int threads, int processes = 1);

}  // namespace nbq
