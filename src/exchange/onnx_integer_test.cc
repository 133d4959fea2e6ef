#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "exchange/onnx_export.h"
#include "exchange/onnx_import.h"
#include "integer_graph.h"
#include "model/nbq_file.h"
#include "onnx_builder.h"
#include "ops/ref_executor.h"
#include "random_graph.h"

namespace nbq::testing {
namespace {

using ::testing::HasSubstr;

/// Logits in real units.
std::vector<double> real_logits(const Graph& g, const std::vector<std::uint8_t>& pixels, int n) {
  const RefExecutor executor = RefExecutor::create(g).value();
  std::vector<double> out;
  for (const std::int64_t v : executor.run(pixels, n).value())
    out.push_back(std::ldexp(static_cast<double>(v), executor.logit_exp()));
  return out;
}

void expect_same_network(const Graph& g, const OnnxExportOptions& options,
                         const std::vector<std::uint8_t>& pixels, int n, const std::string& what) {
  const auto bytes = export_onnx_bytes(g, options);
  ASSERT_TRUE(bytes.ok()) << what << ": " << bytes.error().message;
  const auto back = import_onnx_bytes(*bytes, {}, {});
  ASSERT_TRUE(back.ok()) << what << ": " << back.error().message;
  ASSERT_EQ(back->stage, Stage::kInteger) << what;
  EXPECT_EQ(real_logits(*back, pixels, n), real_logits(g, pixels, n)) << what;
}

TEST(OnnxInteger, QdqExportsComeBackWithTheSameLogits) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    RandomGraph random(seed);
    const Graph g = random.make_integer(random.uniform(1, 4), random.uniform(3, 8));
    const auto pixels = random.pixels(g, 3);
    for (const OnnxInput input : {OnnxInput::kUint8, OnnxInput::kFloat})
      expect_same_network(g, {OnnxForm::kQdq, input, seed % 2 == 0}, pixels, 3,
                          fmt::format("seed {}", seed));
  }
}

TEST(OnnxInteger, QonnxExportsComeBackWithTheSameLogits) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    RandomGraph random(seed);
    const Graph g = random.make_integer(random.uniform(1, 5), random.uniform(3, 16));
    const auto pixels = random.pixels(g, 3);
    for (const OnnxInput input : {OnnxInput::kUint8, OnnxInput::kFloat})
      expect_same_network(g, {OnnxForm::kQonnx, input, false}, pixels, 3,
                          fmt::format("seed {}", seed));
  }
}

TEST(OnnxInteger, TheResNetOfTheZooComesBack) {
  const Graph g =
      load_nbq(std::filesystem::path(NBQ_SOURCE_DIR) / "zoo/resnet20-cifar10-w3a8.nbq").value();
  const auto pixels = RandomGraph(1).pixels(g, 2);
  expect_same_network(g, {OnnxForm::kQdq}, pixels, 2, "qdq");
  expect_same_network(g, {OnnxForm::kQonnx}, pixels, 2, "qonnx");
}

/// image (uint8) -> conv of two weights -> rounded, by hand.
class Model {
 public:
  std::vector<float> weights{0.5f, -0.25f};
  float bias = 0.125f;
  float scale = 0.25f;
  bool round_conv = true;
  const char* between = nullptr;
  const char* first = "DequantizeLinear";
  const char* output = "y";

  std::vector<std::uint8_t> bytes() const {
    OnnxBuilder b(13);
    b.input("x", {0, 2, 2, 2}).floats("w", {1, 2, 1, 1}, weights).floats("b", {1}, {bias});
    b.floats("unit", {}, {1.0f / 128}).floats("scale", {}, {scale}).floats("v", {4, 3}, kTwelve);
    b.zero_point("zx", onnx::TensorProto::UINT8, 128).zero_point("zc", onnx::TensorProto::INT8, 0);
    b.proto()
        .mutable_graph()
        ->mutable_input(0)
        ->mutable_type()
        ->mutable_tensor_type()
        ->set_elem_type(onnx::TensorProto::UINT8);
    b.node(first, {"x", "unit", "zx"}, "xr");
    b.node("Conv", {"xr", "w", "b"}, "c");
    std::string last = "c";
    if (between != nullptr) b.node(between, {"c"}, last = "between");
    if (round_conv) {
      b.node("QuantizeLinear", {last, "scale", "zc"}, "q");
      b.node("DequantizeLinear", {"q", "scale", "zc"}, last = "d");
    }
    b.node("Flatten", {last}, "f");
    b.node("MatMul", {"f", "v"}, "y");
    b.output(output);
    return b.bytes();
  }

 private:
  static inline const std::vector<float> kTwelve{1, 0, -1, 2, 4, 0.5f, 1, 1, 1, 2, 2, 2};
};

std::string error_of(const Model& m) {
  const auto g = import_onnx_bytes(m.bytes(), {}, {});
  EXPECT_FALSE(g.ok());
  if (g.ok()) return "";
  EXPECT_EQ(g.error().code, ErrorCode::kUnsupported);
  return g.error().message;
}

TEST(OnnxInteger, ForeignModelsOfPowersOfTwoAreExact) {
  const Graph g = import_onnx_bytes(Model().bytes(), {}, {}).value();
  ASSERT_EQ(g.stage, Stage::kInteger);
  std::vector<std::uint8_t> pixels{0, 10, 128, 255, 200, 3, 77, 128};
  std::vector<double> rows;
  for (std::size_t i = 0; i < 4; ++i) {
    const double sum = 0.5 * (pixels[i] - 128) / 128 - 0.25 * (pixels[i + 4] - 128) / 128 + 0.125;
    rows.push_back(std::floor(sum / 0.25 + 0.5) * 0.25);
  }
  const double want[] = {rows[0] + 2 * rows[1] + rows[2] + 2 * rows[3],
                         4 * rows[1] + rows[2] + 2 * rows[3],
                         -rows[0] + 0.5 * rows[1] + rows[2] + 2 * rows[3]};
  EXPECT_THAT(real_logits(g, pixels, 1), ::testing::ElementsAreArray(want));
}

TEST(OnnxInteger, SaysWhatIsNotExact) {
  Model m;
  m.weights[1] = 0.75f;
  EXPECT_THAT(error_of(m), HasSubstr("weight 1 (channel 0) is 0.75"));
  m = Model();
  m.weights[1] = std::ldexp(1.0f, 20);
  EXPECT_THAT(error_of(m), HasSubstr("channel 0 has weights of 2^-1..2^20"));
  m = Model();
  m.bias = std::ldexp(1.0f, -40);
  EXPECT_THAT(error_of(m), HasSubstr("a bias in units of 2^-40"));
  m = Model();
  m.scale = 0.1f;
  EXPECT_THAT(error_of(m), HasSubstr("no power of two"));
  m = Model();
  m.round_conv = false;
  EXPECT_THAT(error_of(m), HasSubstr("not rounded"));
  m = Model();
  m.output = "q";
  EXPECT_THAT(error_of(m), HasSubstr("output q: integers of a QuantizeLinear"));
  m = Model();
  m.first = "Relu";
  EXPECT_THAT(error_of(m), HasSubstr("put a DequantizeLinear with scale 1/128"));
}

TEST(OnnxInteger, QonnxRefusesBiasesThatFloatDoesNotHold) {
  IntegerGraph by_hand(3, {2, 3, 3});
  by_hand.add(Conv2dAttrs{3, 1, true, {}}, 0, ActFormat::make(8, true, 1), {.least = 4, .most = 4});
  by_hand.add(GlobalAvgPoolAttrs{}, {1}, ActFormat{});
  Graph g = by_hand.finish().value();
  const auto refusal = [&](std::int64_t bias) {
    g.nodes[1].po2.bias[2] = bias;
    const std::vector<int> bits = prove_integer(g).value();
    for (std::size_t id = 0; id < bits.size(); ++id) g.nodes[id].po2.acc_bits = bits[id];
    const auto bytes = export_onnx_bytes(g, {OnnxForm::kQonnx});
    return bytes.ok() ? "" : bytes.error().message;
  };
  EXPECT_EQ(refusal((1 << 24) - 9), "");  // and the half is 8 units
  EXPECT_THAT(refusal((1 << 24) - 1), HasSubstr("channel 2 and half a unit"));
  EXPECT_THAT(refusal((1 << 24) + 1), HasSubstr("channel 2 needs more than"));
}

TEST(OnnxInteger, ARelusClampGoesIntoTheLayerBeforeIt) {
  Model m;
  m.between = "Relu";
  const Graph g = import_onnx_bytes(m.bytes(), {}, {}).value();
  ASSERT_EQ(g.nodes.size(), 4u);
  EXPECT_EQ(g.nodes[1].kind(), OpKind::kConv2d);
  EXPECT_EQ(g.nodes[1].act.lo, 0);
}

TEST(OnnxInteger, QonnxHoldsEveryWidthInQuantNodes) {
  IntegerGraph by_hand(3, {2, 3, 3});
  by_hand.add(Conv2dAttrs{3, 1, true, {}}, 0, ActFormat::make(5, true, 1), {.bits = 4});
  by_hand.add(GlobalAvgPoolAttrs{}, {1}, ActFormat{});
  const auto bytes = export_onnx_bytes(by_hand.finish().value(), {OnnxForm::kQonnx});
  onnx::ModelProto m;
  ASSERT_TRUE(m.ParseFromArray(bytes->data(), static_cast<int>(bytes->size())));
  EXPECT_EQ(m.opset_import(1).domain(), "qonnx.custom_op.general");
  std::vector<float> widths;
  for (const auto& n : m.graph().node()) {
    if (n.op_type() != "Quant") continue;
    EXPECT_EQ(n.domain(), "qonnx.custom_op.general");
    for (const auto& t : m.graph().initializer())
      if (t.name() == n.input(3)) {
        widths.push_back(0);
        std::memcpy(&widths.back(), t.raw_data().data(), 4);
      }
  }
  EXPECT_EQ(widths, (std::vector<float>{8, 5}));  // 4-bit codes reach +-64: 8 bits with a sign
}

}  // namespace
}  // namespace nbq::testing
