#pragma once
#include <string>
#include <vector>

#include "exchange/onnx_export.h"
#include "exchange/onnx_writer.h"

// Private to src/exchange: one layer on its way to ONNX nodes.
namespace nbq::exchange {

/// The set that QONNX's operators belong to.
inline constexpr const char* kQonnxDomain = "qonnx.custom_op.general";

/// Where a layer's activations are: batch x features when flat, else batch x channels x rows x
/// columns.
struct OnnxValue {
  std::string name;
  bool flat = false;
};

/// The network so far.
struct OnnxNetwork {
  const Graph& graph;
  const OnnxExportOptions& options;
  OnnxWriter writer;
  std::vector<OnnxValue> values;  ///< of our nodes, by id
};

class LayerEmitter {
 public:
  LayerEmitter(OnnxNetwork& network, int id)
      : net(network), node(network.graph.nodes[static_cast<std::size_t>(id)]) {}

  OnnxNetwork& net;
  const Node& node;

  OnnxWriter& writer() const { return net.writer; }
  bool qdq() const { return net.options.form == OnnxForm::kQdq; }
  bool qonnx() const { return net.options.form == OnnxForm::kQonnx; }
  const Node& operand(std::size_t i) const;
  /// Operand i as a map, or flat: with a node that turns it where it is not.
  std::string map(std::size_t i) const;
  std::string flat(std::size_t i) const;
  /// All operands as they are if they are laid out alike, else as maps.
  std::vector<OnnxValue> alike() const;

  /// The layer's weights with `dims` (output channels first) as a float tensor; int8 codes behind
  /// a DequantizeLinear in kQdq. Errors kUnsupported.
  Result<std::string> weights(const Ints& dims) const;
  /// Its biases, or "" where it has none. Errors kUnsupported.
  Result<std::string> bias() const;

  /// A value that passes the layer's clamp, and its format but in kFloat: what readers of the layer
  /// read.
  Result<OnnxValue> finish(const OnnxValue& sums) const;
  /// `value` rounded to `format` by a QuantizeLinear and a DequantizeLinear.
  OnnxValue round_to(const ActFormat& format, const OnnxValue& value) const;
  /// A QONNX Quant node. `scales`: one, or one for each of the first of `rank` dimensions.
  std::string quant(const std::string& value, const std::vector<float>& scales, std::size_t rank,
                    int bits, bool is_signed, bool narrow, const char* rounding,
                    const std::string& output) const;
  /// An 8-bit zero point as a constant.
  std::string zero_point(bool is_signed, int value) const;

 private:
  OnnxValue clamp(const OnnxValue& sums) const;
  Result<OnnxValue> finish_qonnx(const OnnxValue& sums) const;
  std::string dequantised(const std::string& codes, const std::vector<float>& scales,
                          const std::string& zero) const;
  Status check_codes() const;
  Status check_bias(std::size_t c, float value, int exp) const;
  Status check_half() const;
};

// One for every row of the registry, in onnx_export_ops.cc.
#define NBQ_OP(Kind, folder, name) Result<OnnxValue> emit_onnx_##folder(LayerEmitter& layer);
#include "ops.def"

}  // namespace nbq::exchange
