#include "exchange/onnx_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cmath>
#include <cstring>

#include "core/file.h"
#include "exchange/onnx_import.h"
#include "float_reference.h"
#include "model/op_table.h"
#include "random_graph.h"

namespace nbq::testing {
namespace {

using onnx::TensorProto;
using ::testing::HasSubstr;

constexpr OnnxExportOptions kFloatNet{OnnxForm::kFloat, OnnxInput::kFloat, false};

onnx::ModelProto parse(const std::vector<std::uint8_t>& bytes) {
  onnx::ModelProto m;
  EXPECT_TRUE(m.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return m;
}

onnx::ModelProto exported(const Graph& g, const OnnxExportOptions& options = {}) {
  const auto bytes = export_onnx_bytes(g, options);
  EXPECT_TRUE(bytes.ok()) << (bytes.ok() ? "" : bytes.error().message);
  return parse(*bytes);
}

std::string error_of(const Graph& g, const OnnxExportOptions& options = {}) {
  const auto bytes = export_onnx_bytes(g, options);
  EXPECT_FALSE(bytes.ok());
  return bytes.ok() ? "" : bytes.error().message;
}

const TensorProto* constant(const onnx::ModelProto& m, const std::string& name) {
  for (const TensorProto& t : m.graph().initializer())
    if (t.name() == name) return &t;
  return nullptr;
}

const onnx::NodeProto* giver(const onnx::ModelProto& m, const std::string& tensor) {
  for (const onnx::NodeProto& n : m.graph().node())
    if (n.output(0) == tensor) return &n;
  return nullptr;
}

template <class T>
std::vector<T> data(const TensorProto& t) {
  std::vector<T> out(t.raw_data().size() / sizeof(T));
  std::memcpy(out.data(), t.raw_data().data(), t.raw_data().size());
  return out;
}

int count(const onnx::ModelProto& m, const std::string& op) {
  return static_cast<int>(std::count_if(m.graph().node().begin(), m.graph().node().end(),
                                        [&](const auto& n) { return n.op_type() == op; }));
}

/// image -> conv (relu) -> fc, all integers.
Graph small(int weight_bits = 3, int act_bits = 8) {
  Graph g;
  g.name = "small";
  g.add("image", InputAttrs{2, 4, 4, {}, {}}, {});
  Conv2dAttrs conv{3, 1, true, {}};
  conv.window.kernel_h = conv.window.kernel_w = 3;
  g.add("conv", conv, {0});
  g.add("relu", ReluAttrs{}, {1});
  g.add("flat", FlattenAttrs{}, {2});
  g.add("logits", LinearAttrs{5, true}, {3});
  EXPECT_TRUE(infer_shapes(g).ok());
  return RandomGraph(7).deploy_with_random_weights(g, weight_bits, act_bits);
}

TEST(OnnxExport, FloatNetworksComeBackThroughTheImporter) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    RandomGraph random(seed);
    const Graph g = random.make_integer(random.uniform(1, 5), random.uniform(4, 12));
    const auto bytes = export_onnx_bytes(g, kFloatNet);
    ASSERT_TRUE(bytes.ok()) << "seed " << seed << ": " << bytes.error().message;
    const auto back = import_onnx_bytes(*bytes, {}, {});
    ASSERT_TRUE(back.ok()) << "seed " << seed << ": " << back.error().message;
    std::vector<double> image(static_cast<std::size_t>(g.input().shape.size()));
    for (double& v : image) v = std::ldexp(random.uniform(-128, 127), -7);
    const std::vector<double> want = FloatReference(g).run(image);
    const std::vector<double> got = FloatReference(*back).run(image);
    ASSERT_EQ(got.size(), want.size()) << "seed " << seed;
    double largest = 0;
    for (const double v : want) largest = std::max(largest, std::abs(v));
    for (std::size_t i = 0; i < want.size(); ++i)
      EXPECT_NEAR(got[i], want[i], 1e-5 * largest) << "seed " << seed << " output " << i;
  }
}

/// The layer whose Q and DQ nodes these are, by its name before the slash.
const Node* layer_of(const Graph& g, const std::string& tensor) {
  for (const Node& n : g.nodes)
    if (tensor.starts_with(n.name + "/")) return &n;
  return nullptr;
}

TEST(OnnxExport, QdqHoldsEveryFormat) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    RandomGraph random(seed);
    const Graph g = random.make_integer(random.uniform(1, 4), random.uniform(4, 8));
    for (const bool all_uint8 : {false, true}) {
      const auto m = exported(g, {OnnxForm::kQdq, OnnxInput::kUint8, all_uint8});
      int quantised = 0;
      for (std::size_t id = 1; id < g.nodes.size(); ++id) quantised += g.nodes[id].act.quantised();
      EXPECT_EQ(count(m, "QuantizeLinear"), quantised) << "seed " << seed;
      for (const onnx::NodeProto& n : m.graph().node()) {
        if (n.op_type() != "QuantizeLinear") continue;
        const Node* layer = layer_of(g, n.output(0));
        ASSERT_NE(layer, nullptr) << n.output(0);
        const TensorProto& zero = *constant(m, n.input(2));
        EXPECT_EQ(data<float>(*constant(m, n.input(1))),
                  std::vector<float>{std::ldexp(1.0f, layer->act.exp)});
        EXPECT_EQ(zero.data_type(),
                  layer->act.is_signed && !all_uint8 ? TensorProto::INT8 : TensorProto::UINT8);
        EXPECT_EQ(data<std::uint8_t>(zero)[0], layer->act.is_signed && all_uint8 ? 128 : 0);
      }
    }
  }
}

TEST(OnnxExport, QdqWeightsAreCodesAndPowersOfTwo) {
  const Graph g = small(4);
  const auto m = exported(g);
  const Node& conv = g.nodes[1];
  const onnx::NodeProto& node = *giver(m, "conv");
  const onnx::NodeProto& weights = *giver(m, node.input(1));
  const onnx::NodeProto& bias = *giver(m, node.input(2));
  EXPECT_EQ(weights.op_type(), "DequantizeLinear");
  EXPECT_EQ(weights.attribute(0).name(), "axis");
  EXPECT_EQ(weights.attribute(0).i(), 0);
  const auto codes = data<std::int8_t>(*constant(m, weights.input(0)));
  ASSERT_EQ(codes.size(), conv.po2.codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i)
    EXPECT_EQ(codes[i], conv.po2.codes[i].value(Po2Format{4}));
  EXPECT_EQ(constant(m, weights.input(2))->data_type(), TensorProto::INT8);
  const auto scales = data<float>(*constant(m, weights.input(1)));
  const auto bias_scales = data<float>(*constant(m, bias.input(1)));
  const auto biases = data<std::int32_t>(*constant(m, bias.input(0)));
  ASSERT_EQ(scales.size(), 3u);
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_EQ(scales[c], std::ldexp(1.0f, conv.po2.exps[c]));
    EXPECT_EQ(bias_scales[c], std::ldexp(1.0f, conv.po2.exps[c] - 7));
    EXPECT_EQ(biases[c], conv.po2.bias[c]);
  }
  EXPECT_EQ(count(m, "Relu"), 1);
  EXPECT_EQ(count(m, "Clip"), 0) << "uint8 clips by itself";
}

TEST(OnnxExport, NarrowFormatsAreClipped) {
  const auto m = exported(small(3, 5));
  ASSERT_EQ(count(m, "Clip"), 1);
  const onnx::NodeProto& clip = *giver(m, "conv/clip");
  const float exp = static_cast<float>(small(3, 5).nodes[1].act.exp);
  EXPECT_EQ(data<float>(*constant(m, clip.input(1)))[0], 0.0f);
  EXPECT_EQ(data<float>(*constant(m, clip.input(2)))[0], 31 * std::exp2(exp));
  // Nothing but the type limits a float network.
  EXPECT_EQ(count(exported(small(3, 5), kFloatNet), "Clip"), 0);
}

TEST(OnnxExport, ModelsAreDeclaredAsTheDocsSay) {
  const auto m = exported(small());
  EXPECT_EQ(m.ir_version(), 8);
  EXPECT_EQ(m.opset_import(0).version(), 13);
  ASSERT_EQ(m.graph().input_size(), 1);
  const auto& in = m.graph().input(0);
  EXPECT_EQ(in.name(), "image");
  EXPECT_EQ(in.type().tensor_type().elem_type(), TensorProto::UINT8);
  EXPECT_EQ(in.type().tensor_type().shape().dim(0).dim_param(), "N");
  EXPECT_EQ(in.type().tensor_type().shape().dim(1).dim_value(), 2);
  // The layer of the same name does not take the output's.
  EXPECT_EQ(m.graph().output(0).name(), "logits");
  EXPECT_EQ(m.graph().output(0).type().tensor_type().shape().dim(1).dim_value(), 5);
  EXPECT_EQ(giver(m, "logits")->op_type(), "Identity");
  EXPECT_EQ(exported(small(), kFloatNet).graph().input(0).type().tensor_type().elem_type(),
            TensorProto::FLOAT);
}

TEST(OnnxExport, TensorNamesAreUnique) {
  RandomGraph random(3);
  for (int i = 0; i < 20; ++i) {
    const auto m = exported(random.make_integer(3, 8));
    std::set<std::string> names{"image"};
    for (const onnx::NodeProto& n : m.graph().node())
      EXPECT_TRUE(names.insert(n.output(0)).second) << n.output(0);
    for (const TensorProto& t : m.graph().initializer())
      EXPECT_TRUE(names.insert(t.name()).second) << t.name();
  }
}

TEST(OnnxExport, RefusesWhatEightBitsDoNotHold) {
  Graph wide = small(5);
  const Po2Format five{5};
  for (std::size_t i = 0; i < 4; ++i) wide.nodes[1].po2.codes[i] = Po2Code{};
  wide.nodes[1].po2.codes[4] = Po2Code::make(five, false, 9);
  wide.nodes[1].po2.acc_bits = prove_acc_bits(wide).value()[1];
  EXPECT_THAT(error_of(wide), HasSubstr("conv: weight 4 is 256 units"));
  EXPECT_TRUE(export_onnx_bytes(wide, kFloatNet).ok());
  EXPECT_THAT(error_of(small(3, 10)), HasSubstr("conv: 10-bit activations"));
  Graph biased = small();
  biased.nodes.back().po2.bias[1] = std::int64_t{1} << 33;
  biased.nodes.back().po2.acc_bits = prove_acc_bits(biased).value().back();
  EXPECT_THAT(error_of(biased), HasSubstr("logits: the bias of channel 1 needs more than 32 bits"));
  EXPECT_THAT(error_of(RandomGraph(1).make_float()), HasSubstr("nbq export it first"));
}

TEST(OnnxExport, WritesFiles) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "small.onnx";
  ASSERT_TRUE(export_onnx(path, small(), {}).ok());
  EXPECT_EQ(read_file(path).value(), export_onnx_bytes(small(), {}).value());
  EXPECT_FALSE(export_onnx("/proc/no/small.onnx", small(), {}).ok());
}

}  // namespace
}  // namespace nbq::testing
