#include <cstdio>
#include <string>

#include "core/file.h"
#include "exchange/onnx_export.h"
#include "integer_graph.h"
#include "onnx_builder.h"

using nbq::testing::Ints;
using nbq::testing::OnnxBuilder;

namespace {

const std::vector<float> kTwo = {0.5f, -1};

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

nbq::Status write_exports(const std::string& folder) {
  const nbq::Graph g = integers();
  for (const auto form : {nbq::OnnxForm::kQdq, nbq::OnnxForm::kQonnx})
    for (const auto input : {nbq::OnnxInput::kUint8, nbq::OnnxInput::kFloat}) {
      NBQ_TRY(nbq::export_onnx(
          fmt::format("{}/integers{}{}", folder, static_cast<int>(form), static_cast<int>(input)),
          g, {form, input, false}));
    }
  return nbq::ok_status();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: onnx_import_seeds FOLDER\n");
    return 2;
  }
  for (const std::int64_t opset : {9, 13, 28})
    for (const auto& [name, model] :
         {std::pair{"network", network(opset)}, {"plumbing", plumbing(opset)}})
      if (!nbq::write_file(std::string(argv[1]) + "/" + name + std::to_string(opset), model.bytes())
               .ok())
        return 3;
  return write_exports(argv[1]).ok() ? 0 : 3;
}
