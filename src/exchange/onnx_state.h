#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "exchange/onnx_constants.h"
#include "exchange/onnx_import.h"
#include "exchange/onnx_node.h"
#include "exchange/onnx_tensor.h"

// Private to src/exchange: what the readers of ONNX nodes see and build.
namespace nbq::exchange {

/// What a dimension of an ONNX tensor is in our graph, whose maps are channels, rows, columns.
enum class Axis : std::uint8_t { kBatch, kC, kH, kW };
using Axes = std::vector<Axis>;
inline const Axes kMapAxes = {Axis::kBatch, Axis::kC, Axis::kH, Axis::kW};
inline const Axes kFlatAxes = {Axis::kBatch, Axis::kC};

/// Order of the features of a flattened map that does not lie as channels, rows, columns.
struct FlatOrder {
  Shape map;
  Axes order;  ///< the three axes, outermost first
  /// Where feature `i` of the ONNX tensor lies in our flattened map.
  std::int64_t feature(std::int64_t i) const;
};

/// Integers as a QuantizeLinear stores them, or a uint8 image holds: (q - zero) * 2^exp.
struct StoredIntegers {
  int exp = 0;
  std::int64_t zero = 0;
  bool pixels = false;  ///< of the image
};

/// A tensor of the ONNX graph: a constant, or the output of node `id` of ours. The axes that `axes`
/// lacks have size 1.
struct Value {
  std::shared_ptr<const ConstTensor> constant;
  int id = -1;
  Axes axes;
  std::optional<FlatOrder> flat;
  std::optional<StoredIntegers> stored{};  ///< set: only a DequantizeLinear may read it

  bool is_constant() const { return constant != nullptr; }
};

/// A node that an importer puts where activations are clamped or rounded: a concatenation of one
/// operand, until make_integer() gives its act to the layer before it.
struct Marker {
  std::optional<std::pair<double, double>> clamp;  ///< to these, in real units
  bool floor = false;                              ///< rounds down, not to the nearest
};

/// The network so far.
struct ImportState {
  ImportState(const ImportOptions& given, std::vector<std::string>& told)
      : options(given), notes(told) {}

  const ImportOptions& options;
  std::vector<std::string>& notes;
  std::int64_t opset = 0;
  std::int64_t batch = 0;   ///< 0: open
  std::int64_t budget = 0;  ///< numbers that may still be stored: a small file can't fill memory
  std::filesystem::path folder;
  std::string output;  ///< name of the ONNX output
  Graph graph;
  std::map<std::string, Value> values;
  std::map<std::string, int> reads;       ///< how many nodes read each ONNX tensor
  std::set<std::string> names;            ///< of our nodes
  std::map<std::string, Marker> markers;  ///< by the names of our nodes
  bool rounds_to_even = false;            ///< somewhere
  bool stored_image = false;              ///< the input is uint8

  /// Errors kBadFile when the budget is spent.
  Status spend(std::int64_t numbers, const std::string& where);
  /// Appends a node of ours with its shape, and returns its id. Errors: shapes that don't fit, more
  /// than 2^28 activations.
  Result<int> add(const std::string& wanted_name, Attrs attrs, std::vector<int> inputs,
                  std::map<std::string, FloatTensor> params);
  /// A name of a node that no other has, from ONNX's.
  std::string unique_name(const std::string& wanted);
};

/// One ONNX node on its way to zero or more of ours.
class NodeContext {
 public:
  NodeContext(ImportState& network, const onnx::NodeProto& proto)
      : state(network), attributes(proto) {}

  ImportState& state;
  AttributeReader attributes;

  std::string where() const { return attributes.where(); }
  template <class... Args>
  Error unsupported(fmt::format_string<Args...> f, Args&&... args) const {
    return make_error(ErrorCode::kUnsupported, "{}: {}", where(),
                      fmt::format(f, std::forward<Args>(args)...));
  }
  template <class... Args>
  Error bad(fmt::format_string<Args...> f, Args&&... args) const {
    return make_error(ErrorCode::kBadFile, "{}: {}", where(),
                      fmt::format(f, std::forward<Args>(args)...));
  }

  const std::string& output_name() const;
  std::size_t input_count() const;  ///< without trailing inputs that are left out
  bool has_input(std::size_t i) const;
  Result<const Value*> input(std::size_t i) const;
  /// Input i, activations in any layout; and in channels, rows, columns; and one row a image.
  Result<Value> activations(std::size_t i) const;
  Result<Value> map(std::size_t i) const;
  Result<Value> flat(std::size_t i) const;
  /// Input i, floats known while importing; and integers.
  Result<const ConstTensor*> weights(std::size_t i) const;
  Result<std::vector<std::int64_t>> integers(std::size_t i) const;
  /// A list that is an attribute in old opsets and input i in newer ones; nullopt: absent.
  Result<std::optional<std::vector<std::int64_t>>> list(const char* attribute, std::size_t i);
  /// Counts a copy of the tensor against the budget.
  Result<FloatTensor> parameter(const ConstTensor& t, std::vector<std::int64_t> dims) const;

  const Shape& shape(const Value& v) const {
    return state.graph.nodes[static_cast<std::size_t>(v.id)].shape;
  }
  std::int64_t size(const Value& v, Axis axis) const;
  /// Whether this node is the only reader of its input i, and that no output of the network.
  bool reads_alone(std::size_t i) const;

  /// Appends a node of ours that reads `inputs`. Errors: shapes that don't fit.
  Result<int> add(Attrs attrs, std::vector<int> inputs, std::map<std::string, FloatTensor> params);
  Result<int> add(Attrs attrs, const Value& input) { return add(std::move(attrs), {input.id}, {}); }
  /// This ONNX node's first output.
  Status give(Value v);
  /// Appends a node that reads `input`, and gives its output in the input's layout.
  Status give(Attrs attrs, Value input, std::map<std::string, FloatTensor> params = {});
};

using ReaderFn = Status (*)(NodeContext&);
/// The reader of an operator, or nullptr.
ReaderFn find_reader(const std::string& op_type);
/// "Add, AveragePool, ...": what messages and documentation list.
std::string known_operators();

/// An int within [lo, hi]. Errors kBadFile.
Result<int> checked_int(const NodeContext& n, std::int64_t v, std::int64_t lo, std::int64_t hi,
                        const char* what);

}  // namespace nbq::exchange
