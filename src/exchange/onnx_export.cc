#include "exchange/onnx_export.h"

#include "core/file.h"
#include "exchange/onnx_emitter.h"
#include "model/quantise.h"

namespace nbq {
namespace exchange {
namespace {

constexpr std::int64_t kOpset = 13;  // the first with DequantizeLinear along an axis
constexpr std::int64_t kIrVersion = 8;
constexpr const char* kLogits = "logits";

using EmitFn = Result<OnnxValue> (*)(LayerEmitter&);
EmitFn emit_onnx(OpKind kind) {
  static constexpr EmitFn kRows[] = {
#define NBQ_OP(Kind, folder, name) emit_onnx_##folder,
#include "ops.def"
  };
  return kRows[static_cast<int>(kind)];
}

/// The last layer's values as batch x outputs.
void give_logits(OnnxNetwork& net) {
  const OnnxValue& v = net.values.back();
  if (v.flat)
    net.writer.output_node("Identity", v.name, kLogits);
  else
    net.writer.output_node("Flatten", v.name, kLogits).attr("axis", 1);
}

}  // namespace
}  // namespace exchange

Result<std::vector<std::uint8_t>> export_onnx_bytes(const Graph& integer,
                                                    const OnnxExportOptions& options) {
  using namespace exchange;
  NBQ_TRY(verify_integer(integer));
  Graph graph = integer;
  NBQ_TRY(infer_shapes(graph));
  OnnxNetwork net{graph, options, OnnxWriter(graph.name, kOpset, kIrVersion), {}};
  if (options.form == OnnxForm::kQonnx) net.writer.import_domain(kQonnxDomain, 1);
  net.writer.output(kLogits, onnx::TensorProto::FLOAT, {-1, graph.output().shape.size()});
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    LayerEmitter layer(net, static_cast<int>(id));
    NBQ_ASSIGN(OnnxValue value, emit_onnx(layer.node.kind())(layer));
    net.values.push_back(std::move(value));
  }
  give_logits(net);
  return net.writer.bytes();
}

Status export_onnx(const std::filesystem::path& path, const Graph& integer,
                   const OnnxExportOptions& options) {
  NBQ_ASSIGN(const std::vector<std::uint8_t> bytes, export_onnx_bytes(integer, options));
  return write_file(path, bytes);
}

}  // namespace nbq
