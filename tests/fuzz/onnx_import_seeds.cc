#include <cstdio>
#include <filesystem>
#include <string>

#include "core/file.h"
#include "exchange/onnx_export.h"
#include "exchange/onnx_import.h"
#include "integer_graph.h"
#include "onnx_builder.h"

using nbq::testing::Ints;
using nbq::testing::OnnxBuilder;

namespace {

const std::vector<float> kTwo = {0.5f, -1};
const std::vector<float> kEight = {1, 2, 4, 0.5f, -1, -2, 0, 1};

/// Convolution to linear layer, with what lies between them.
OnnxBuilder network(std::int64_t opset) {
  OnnxBuilder b(opset);
  b.input("x", {0, 1, 4, 4}).floats("w", {2, 1, 1, 1}, kTwo).floats("b", {2}, kTwo);
  b.node("Conv", {"x", "w", "b"}, "c").attr("pads", Ints{1, 0, 1, 0}).attr("strides", Ints{1, 2});
  b.node("BatchNormalization", {"c", "b", "b", "b", "one"}, "n").attr("epsilon", 0.1f);
  b.floats("one", {2}, {1, 1});
  b.node("Relu", {"n"}, "r");
  b.node("MaxPool", {"r"}, "m").attr("kernel_shape", Ints{2, 2}).attr("ceil_mode", 1);
  b.node("Add", {"m", "m"}, "a");
  b.node("Concat", {"a", "m"}, "k").attr("axis", 1);
  b.node("GlobalAveragePool", {"k"}, "g");
  b.node("Flatten", {"g"}, "f");
  b.floats("v", {4, 1}, {1, 2, 3, 4}).floats("d", {1}, {1});
  b.node("Gemm", {"f", "v", "d"}, "y").attr("alpha", 2.0f);
  b.output("y");
  return b;
}

/// Pads, slices, means and reshapes; lists as attributes or as inputs.
OnnxBuilder plumbing(std::int64_t opset) {
  OnnxBuilder b(opset);
  b.input("x", {0, 4, 4, 1});
  b.node("Transpose", {"x"}, "t").attr("perm", Ints{0, 3, 1, 2});
  const Ints pads = {0, 1, 0, 1, 0, 0, 1, 0};
  if (opset < 10) {
    b.node("Pad", {"t"}, "p").attr("pads", pads);
    b.node("Slice", {"p"}, "s").attr("starts", Ints{1}).attr("ends", Ints{3}).attr("axes", Ints{2});
  } else {
    b.ints("pads", pads).ints("one", {1}).ints("three", {3}).ints("axis", {-1}).ints("two", {2});
    b.node("Pad", {"t", "pads"}, "p");
    b.node("Slice", {"p", "one", "three", "axis", "two"}, "s");
  }
  b.node("Shape", {"s"}, "shape");
  b.node("Slice", {"shape", "zero", "one_"}, "n");
  b.ints("zero", {0}).ints("one_", {1}).ints("rest", {-1});
  b.node("Concat", {"n", "rest"}, "target").attr("axis", 0);
  b.node("Transpose", {"s"}, "u").attr("perm", Ints{0, 2, 3, 1});
  b.node("Reshape", {"u", "target"}, "f");
  const std::int64_t features = opset < 10 ? 2 * 2 * 5 : 2 * 5 * 1;
  b.floats("w", {features, 1}, std::vector<float>(static_cast<std::size_t>(features), 0.5f));
  b.node("MatMul", {"f", "w"}, "y");
  b.output("y");
  return b;
}

/// The QDQ form as others write it: weights quantised in the model, and copies between a layer and
/// its rounding.
OnnxBuilder qdq() {
  OnnxBuilder b(13);
  b.input("x", {0, 1, 4, 4}).floats("w", {2, 1, 1, 1}, kTwo).floats("v", {8, 1}, kEight);
  b.floats("unit", {}, {1.0f / 128}).floats("half", {}, {0.5f}).floats("scales", {2}, {0.5f, 0.5f});
  b.zero_point("z", onnx::TensorProto::INT8, 0).zero_point("u", onnx::TensorProto::UINT8, 128);
  b.node("QuantizeLinear", {"x", "unit", "z"}, "xq");
  b.node("DequantizeLinear", {"xq", "unit", "z"}, "xr");
  b.node("QuantizeLinear", {"w", "half", "z"}, "wq");
  b.node("DequantizeLinear", {"wq", "scales"}, "wr").attr("axis", 0);
  b.node("Conv", {"xr", "wr"}, "c");
  b.node("MaxPool", {"c"}, "m").attr("kernel_shape", Ints{2, 2}).attr("strides", Ints{2, 2});
  b.floats("low", {}, {-1}).floats("high", {}, {4});
  b.node("Clip", {"m", "low", "high"}, "k");
  b.node("QuantizeLinear", {"k", "half", "u"}, "q");
  b.node("DequantizeLinear", {"q", "half", "u"}, "r");
  b.node("Flatten", {"r"}, "f");
  b.node("MatMul", {"f", "v"}, "y");
  b.output("y");
  return b;
}

/// QONNX's: every rounding, over weights and activations.
OnnxBuilder qonnx() {
  OnnxBuilder b(13);
  const auto quant = [&](const char* in, const char* scale, const char* out, const char* rounding,
                         int is_signed) {
    b.node("Quant", {in, scale, "zero", "bits"}, out)
        .domain("qonnx.custom_op.general")
        .attr("signed", is_signed)
        .attr("narrow", 0)
        .attr("rounding_mode", rounding);
  };
  b.input("x", {0, 1, 4, 4}).floats("w", {2, 1, 1, 1}, kTwo).floats("v", {2, 1}, kTwo);
  b.floats("unit", {}, {1.0f / 128}).floats("half", {}, {0.5f}).floats("quarter", {}, {0.25f});
  b.floats("zero", {}, {0}).floats("bits", {}, {8}).floats("scales", {2, 1, 1, 1}, {0.5f, 1});
  quant("x", "unit", "xr", "ROUND", 1);
  quant("w", "scales", "wr", "ROUND", 1);
  b.node("Conv", {"xr", "wr"}, "c");
  b.node("Relu", {"c"}, "r");
  quant("r", "half", "h", "HALF_UP", 0);
  b.node("GlobalAveragePool", {"h"}, "g");
  b.node("Add", {"g", "quarter"}, "a");
  quant("a", "half", "d", "FLOOR", 1);
  b.node("Flatten", {"d"}, "f");
  b.node("Gemm", {"f", "v"}, "y");
  b.output("y");
  return b;
}

/// An integer network as its exports write it: quantizers of both forms.
nbq::Graph integers() {
  nbq::testing::IntegerGraph g(1, {1, 4, 4});
  const auto act = nbq::ActFormat::make(6, true, 0);
  const int conv = g.add(nbq::Conv2dAttrs{2, 1, true, {}}, 0, act, {});
  const int pool = g.add(nbq::MaxPoolAttrs{nbq::Window{1, 1, 2, 2}}, conv);
  const int relu = g.add(nbq::ReluAttrs{}, {pool}, nbq::ActFormat::make(6, false, 1));
  const int add = g.add(nbq::AddAttrs{}, {relu, pool}, act);
  const int concat = g.add(nbq::ConcatAttrs{}, {add, relu}, act);
  g.add(nbq::FlattenAttrs{}, concat);
  g.add(nbq::LinearAttrs{2, true}, g.size() - 1, nbq::ActFormat{}, {});
  return g.finish().value();
}

/// Writes a seed. Errors: one that the fuzzer would cut off, or that ends at an error.
nbq::Status write_seed(const std::filesystem::path& file, const std::vector<std::uint8_t>& bytes) {
  constexpr std::size_t kMaxBytes = 4096;  // scripts/fuzz
  if (bytes.size() > kMaxBytes)
    return nbq::make_error(nbq::ErrorCode::kUnsupported, "{}: {} bytes, more than {}",
                           file.string(), bytes.size(), kMaxBytes);
  NBQ_TRY(nbq::import_onnx_bytes(bytes, {}));
  return nbq::write_file(file, bytes);
}

nbq::Status write_seeds(const std::filesystem::path& folder) {
  for (const std::int64_t opset : {9, 13, 28}) {
    NBQ_TRY(write_seed(folder / fmt::format("network{}", opset), network(opset).bytes()));
    NBQ_TRY(write_seed(folder / fmt::format("plumbing{}", opset), plumbing(opset).bytes()));
  }
  NBQ_TRY(write_seed(folder / "qdq", qdq().bytes()));
  NBQ_TRY(write_seed(folder / "qonnx", qonnx().bytes()));
  const nbq::Graph g = integers();
  for (const auto form : {nbq::OnnxForm::kQdq, nbq::OnnxForm::kQonnx})
    for (const auto input : {nbq::OnnxInput::kUint8, nbq::OnnxInput::kFloat}) {
      NBQ_ASSIGN(const auto bytes, nbq::export_onnx_bytes(g, {form, input, false}));
      const std::string name =
          fmt::format("integers{}{}", static_cast<int>(form), static_cast<int>(input));
      NBQ_TRY(write_seed(folder / name, bytes));
    }
  return nbq::ok_status();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: onnx_import_seeds FOLDER\n");
    return 2;
  }
  const nbq::Status s = write_seeds(argv[1]);
  if (!s.ok()) std::fprintf(stderr, "onnx_import_seeds: %s\n", s.error().message.c_str());
  return s.ok() ? 0 : 3;
}
