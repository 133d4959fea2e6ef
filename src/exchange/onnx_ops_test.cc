// What each ONNX operator becomes, over the opsets that changed it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exchange/onnx_import.h"
#include "onnx_builder.h"

namespace nbq::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<float> ramp(std::size_t n, float step = 1) {
  std::vector<float> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = step * static_cast<float>(i + 1);
  return v;
}

Result<Graph> import(const OnnxBuilder& b, const ImportOptions& o = {},
                     std::vector<std::string>* notes = nullptr) {
  return import_onnx_bytes(b.bytes(), {}, o, notes);
}
Graph imported(const OnnxBuilder& b, const ImportOptions& o = {}) {
  const auto g = import(b, o);
  EXPECT_TRUE(g.ok()) << g.error().message;
  return g.ok() ? *g : Graph{};
}
std::string error_of(const OnnxBuilder& b, const ImportOptions& o = {}) {
  const auto g = import(b, o);
  EXPECT_FALSE(g.ok());
  return g.ok() ? "" : g.error().message;
}
std::vector<std::string> kinds(const Graph& g) {
  std::vector<std::string> k;
  for (const Node& n : g.nodes) k.emplace_back(op_name(n.kind()));
  return k;
}
template <class T>
const T& attrs(const Graph& g, std::size_t id) {
  return std::get<T>(g.nodes.at(id).attrs);
}
const std::vector<float>& data(const Graph& g, std::size_t id, const std::string& name) {
  return g.nodes.at(id).state.at(name).data;
}

class EachOpset : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Opsets, EachOpset, ::testing::Values(9, 10, 11, 12, 13, 18, 21, 28));

TEST(OnnxOps, ConvWithEveryAttribute) {
  OnnxBuilder b;
  b.input("x", {0, 4, 9, 8}).floats("w", {6, 2, 3, 2}, ramp(72)).floats("b", {6}, ramp(6));
  b.node("Conv", {"x", "w", "b"}, "y")
      .attr("group", 2)
      .attr("strides", Ints{2, 1})
      .attr("dilations", Ints{1, 2})
      .attr("pads", Ints{1, 0, 2, 3})
      .attr("kernel_shape", Ints{3, 2});
  const Graph g = imported(b.output("y"));
  const auto& a = attrs<Conv2dAttrs>(g, 1);
  EXPECT_EQ(a.groups, 2);
  EXPECT_TRUE(a.bias);
  EXPECT_THAT(
      (std::vector<int>{a.window.stride_h, a.window.stride_w, a.window.dilation_w, a.window.pad_top,
                        a.window.pad_left, a.window.pad_bottom, a.window.pad_right}),
      ElementsAre(2, 1, 2, 1, 0, 2, 3));
  EXPECT_EQ(data(g, 1, "weight"), ramp(72));
  EXPECT_EQ(g.output().shape, (Shape{6, 5, 9}));
}

TEST(OnnxOps, AutoPadPutsTheOddColumnWhereItSays) {
  for (const char* how : {"SAME_UPPER", "SAME_LOWER", "VALID"}) {
    OnnxBuilder b;
    b.input("x", {1, 1, 8, 7}).floats("w", {1, 1, 3, 3}, ramp(9));
    b.node("Conv", {"x", "w"}, "y").attr("auto_pad", how).attr("strides", Ints{2, 2});
    const Graph g = imported(b.output("y"));
    const Window& w = attrs<Conv2dAttrs>(g, 1).window;
    const bool upper = std::string(how) == "SAME_UPPER", same = std::string(how) != "VALID";
    EXPECT_EQ(w.pad_top, same && !upper ? 1 : 0);
    EXPECT_EQ(w.pad_bottom, upper ? 1 : 0);
    EXPECT_EQ(w.pad_left, same ? 1 : 0);
    EXPECT_EQ(w.pad_right, same ? 1 : 0);
  }
}

TEST(OnnxOps, GemmScalesAndTransposes) {
  for (const bool transposed : {false, true}) {
    OnnxBuilder b;
    b.input("x", {0, 3, 1, 1});
    b.floats("w", transposed ? Ints{2, 3} : Ints{3, 2}, ramp(6)).floats("c", {1, 2}, {10, 20});
    b.node("Flatten", {"x"}, "f");
    b.node("Gemm", {"f", "w", "c"}, "y")
        .attr("transB", transposed ? 1 : 0)
        .attr("alpha", 2.0f)
        .attr("beta", 0.5f);
    const Graph g = imported(b.output("y"));
    EXPECT_EQ(kinds(g), (std::vector<std::string>{"input", "linear"}));
    if (transposed)
      EXPECT_THAT(data(g, 1, "weight"), ElementsAre(2, 4, 6, 8, 10, 12));
    else
      EXPECT_THAT(data(g, 1, "weight"), ElementsAre(2, 6, 10, 4, 8, 12));
    EXPECT_THAT(data(g, 1, "bias"), ElementsAre(5, 10));
  }
}

TEST(OnnxOps, SumsOfAnyNumber) {
  for (const std::size_t count : {1u, 2u, 4u}) {
    OnnxBuilder b;
    b.input("x", {0, 2, 4, 4});
    b.node("Relu", {"x"}, "r");
    b.node("Sum", std::vector<std::string>(count, "r"), "y");
    const Graph g = imported(b.output("y"));
    EXPECT_EQ(g.nodes.size(), 1 + count);
    const auto sum = count == 1   ? std::vector<int>{0}
                     : count == 2 ? std::vector<int>{1, 1}
                                  : std::vector<int>{3, 1};
    EXPECT_EQ(g.nodes.back().inputs, sum);
  }
}

TEST(OnnxOps, AddOfAConstantBecomesTheBias) {
  OnnxBuilder b;
  b.input("x", {0, 2, 4, 4}).floats("w", {3, 2, 1, 1}, ramp(6)).floats("c", {3, 1, 1}, ramp(3));
  b.node("Conv", {"x", "w"}, "a");
  b.node("Add", {"c", "a"}, "s");
  b.node("GlobalAveragePool", {"s"}, "p");
  b.node("Flatten", {"p"}, "f");
  b.floats("v", {3, 2}, ramp(6)).floats("d", {2}, {7, 8});
  b.node("MatMul", {"f", "v"}, "m");
  b.node("Add", {"m", "d"}, "y");
  const Graph g = imported(b.output("y"));
  EXPECT_EQ(kinds(g), (std::vector<std::string>{"input", "conv2d", "global_avg_pool", "linear"}));
  EXPECT_EQ(data(g, 1, "bias"), ramp(3));
  EXPECT_THAT(data(g, 3, "bias"), ElementsAre(7, 8));
}

/// Seen by the fuzzer: the addition wrote beyond a bias that was too short.
TEST(OnnxOps, ParametersOfAnotherLengthAreRefusedWhereTheyStand) {
  OnnxBuilder conv;
  conv.input("x", {0, 2, 4, 4}).floats("w", {3, 2, 1, 1}, ramp(6)).floats("b", {1}, {5});
  conv.floats("c", {3, 1, 1}, ramp(3));
  conv.node("Conv", {"x", "w", "b"}, "a");
  conv.node("Add", {"a", "c"}, "y");
  EXPECT_THAT(error_of(conv.output("y")), HasSubstr("input 2 has dimensions [1], 3 channels"));
  OnnxBuilder norm;
  norm.input("x", {0, 2, 4, 4}).floats("s", {2}, {1, 1}).floats("short", {1}, {1});
  norm.node("BatchNormalization", {"x", "s", "s", "s", "short"}, "y");
  EXPECT_THAT(error_of(norm.output("y")), HasSubstr("input 4 has dimensions [1], 2 channels"));
}

TEST(OnnxOps, ArithmeticWithConstantsIsABatchNormOtherwise) {
  OnnxBuilder b;
  b.input("x", {0, 2, 4, 4}).floats("m", {1, 2, 1, 1}, {1, 2}).floats("s", {}, {4});
  b.node("Sub", {"x", "m"}, "a");
  b.node("Div", {"a", "s"}, "y");
  const Graph g = imported(b.output("y"));
  EXPECT_EQ(kinds(g), (std::vector<std::string>{"input", "batch_norm", "batch_norm"}));
  EXPECT_THAT(data(g, 1, "bias"), ElementsAre(-1, -2));
  EXPECT_THAT(data(g, 2, "weight"), ElementsAre(0.25f, 0.25f));
}

TEST(OnnxOps, BatchNorm) {
  OnnxBuilder b;
  b.input("x", {0, 2, 3, 3});
  for (const char* n : {"s", "b", "m", "v"}) b.floats(n, {2}, ramp(2));
  b.node("BatchNormalization", {"x", "s", "b", "m", "v"}, "y")
      .attr("epsilon", 1e-3f)
      .attr("momentum", 0.75f);
  const Graph g = imported(b.output("y"));
  EXPECT_FLOAT_EQ(attrs<BatchNormAttrs>(g, 1).eps, 1e-3f);
  EXPECT_FLOAT_EQ(attrs<BatchNormAttrs>(g, 1).momentum, 0.25f);
}

TEST_P(EachOpset, ClipIsAReluWithAMaximum) {
  OnnxBuilder b(GetParam());
  b.input("x", {0, 2, 3, 3});
  if (b.opset() < 11) {
    b.node("Clip", {"x"}, "y").attr("min", 0.0f).attr("max", 6.0f);
  } else {
    b.floats("lo", {}, {0}).floats("hi", {}, {6});
    b.node("Clip", {"x", "lo", "hi"}, "y");
  }
  EXPECT_EQ(attrs<ReluAttrs>(imported(b.output("y")), 1).max, 6);
}

TEST_P(EachOpset, Pad) {
  OnnxBuilder b(GetParam());
  b.input("x", {0, 2, 3, 3});
  const Ints pads = {0, 1, 2, 3, 0, 4, 5, 6};
  std::vector<std::string> in = {"x"};
  for (const auto& i : b.list_input("pads", pads, 11)) in.push_back(i);
  b.list_attr(b.node("Pad", in, "y"), "pads", pads, 11);
  const Graph g = imported(b.output("y"));
  EXPECT_EQ(kinds(g), (std::vector<std::string>{"input", "pad"}));
  EXPECT_EQ(g.output().shape, (Shape{7, 10, 12}));
  EXPECT_EQ(attrs<PadAttrs>(g, 1).right, 6);
}

TEST_P(EachOpset, SlicesMerge) {
  OnnxBuilder b(GetParam());
  b.input("x", {0, 4, 9, 9});
  const auto slice = [&](const char* from, const char* to, const Ints& starts, const Ints& ends,
                         const Ints& axes, const Ints& steps) {
    if (b.opset() < 10) {  // had no steps
      b.node("Slice", {from}, to).attr("starts", starts).attr("ends", ends).attr("axes", axes);
      return;
    }
    const std::string t = to;
    b.ints(t + "s", starts).ints(t + "e", ends).ints(t + "a", axes).ints(t + "t", steps);
    b.node("Slice", {from, t + "s", t + "e", t + "a", t + "t"}, to);
  };
  slice("x", "a", {1, -8}, {INT64_MAX, INT64_MAX}, {2, -1}, {2, 1});
  slice("a", "y", {1}, {-1}, {2}, {1});
  const Graph g = imported(b.output("y"));
  EXPECT_EQ(kinds(g), (std::vector<std::string>{"input", "slice"}));
  const auto& s = attrs<SliceAttrs>(g, 1);
  EXPECT_EQ(s.start_w, 1);
  if (b.opset() < 10) {
    EXPECT_THAT((std::vector<int>{s.start_h, s.size_h, s.step_h}), ElementsAre(2, 6, 1));
  } else {
    EXPECT_THAT((std::vector<int>{s.start_h, s.size_h, s.step_h}), ElementsAre(3, 2, 2));
  }
}

TEST_P(EachOpset, ReduceMeanOverTheMap) {
  for (const int keep : {0, 1}) {
    OnnxBuilder b(GetParam());
    b.input("x", {0, 4, 5, 6}).floats("w", {4, 2}, ramp(8));
    const Ints axes = {-1, 2};
    std::vector<std::string> in = {"x"};
    for (const auto& i : b.list_input("axes", axes, 18)) in.push_back(i);
    auto n = b.node("ReduceMean", in, "m").attr("keepdims", keep);
    b.list_attr(n, "axes", axes, 18);
    std::string from = "m";
    if (keep == 1) b.node("Flatten", {from}, "f"), from = "f";
    b.node("MatMul", {from, "w"}, "y");
    EXPECT_EQ(kinds(imported(b.output("y"))),
              (std::vector<std::string>{"input", "global_avg_pool", "linear"}));
  }
}

TEST_P(EachOpset, SqueezeAndUnsqueeze) {
  OnnxBuilder b(GetParam());
  b.input("x", {0, 4, 5, 6}).floats("w", {4, 4, 1, 1}, ramp(16)).floats("v", {4, 2}, ramp(8));
  b.node("GlobalAveragePool", {"x"}, "p");
  const auto turn = [&](const std::string& op, const std::string& from, const std::string& to,
                        const Ints& axes) {
    if (b.opset() < 13) {
      b.node(op, {from}, to).attr("axes", axes);
    } else {
      b.ints("axes_" + to, axes);
      b.node(op, {from, "axes_" + to}, to);
    }
  };
  turn("Squeeze", "p", "s", {3, 2});
  turn("Unsqueeze", "s", "u", {2, 3});
  b.node("Conv", {"u", "w"}, "c");
  turn("Squeeze", "c", "d", {-1});
  turn("Squeeze", "d", "e", {2});
  b.node("MatMul", {"e", "v"}, "y");
  EXPECT_EQ(kinds(imported(b.output("y"))),
            (std::vector<std::string>{"input", "global_avg_pool", "conv2d", "linear"}));
}

TEST(OnnxOps, Pooling) {
  OnnxBuilder b;
  b.input("x", {0, 2, 9, 9});
  b.node("MaxPool", {"x"}, "m")
      .attr("kernel_shape", Ints{3, 3})
      .attr("strides", Ints{2, 2})
      .attr("pads", Ints{1, 1, 1, 1});
  b.node("AveragePool", {"m"}, "a")
      .attr("kernel_shape", Ints{2, 2})
      .attr("pads", Ints{1, 1, 0, 0})
      .attr("count_include_pad", 1);
  b.node("GlobalMaxPool", {"a"}, "y");
  const Graph g = imported(b.output("y"));
  EXPECT_EQ(kinds(g), (std::vector<std::string>{"input", "max_pool", "avg_pool", "max_pool"}));
  EXPECT_EQ(attrs<AvgPoolAttrs>(g, 2).window.pad_left, 1);
  EXPECT_EQ(g.output().shape, (Shape{2, 1, 1}));
}

TEST(OnnxOps, CeilModeOfMaxPoolIsPadding) {
  for (const auto& [size, out] : {std::pair{8, 4}, {9, 4}, {7, 3}}) {
    OnnxBuilder b;
    b.input("x", {0, 1, size, size});
    b.node("MaxPool", {"x"}, "y")
        .attr("kernel_shape", Ints{3, 3})
        .attr("strides", Ints{2, 2})
        .attr("ceil_mode", 1);
    EXPECT_EQ(imported(b.output("y")).output().shape, (Shape{1, out, out}));
  }
}

TEST(OnnxOps, PadGoesIntoTheWindowBehindIt) {
  OnnxBuilder b(9);
  b.input("x", {0, 2, 4, 4}).floats("w", {3, 2, 3, 3}, ramp(54));
  b.node("Pad", {"x"}, "p").attr("pads", Ints{0, 0, 1, 1, 0, 0, 2, 2});
  b.node("Conv", {"p", "w"}, "c");
  b.node("Relu", {"c"}, "r");
  b.node("Pad", {"r"}, "q").attr("pads", Ints{0, 0, 1, 1, 0, 0, 1, 1});
  b.node("MaxPool", {"q"}, "y").attr("kernel_shape", Ints{3, 3});
  const Graph g = imported(b.output("y"));
  EXPECT_EQ(kinds(g), (std::vector<std::string>{"input", "conv2d", "relu", "max_pool"}));
  EXPECT_EQ(attrs<Conv2dAttrs>(g, 1).window.pad_bottom, 2);
  EXPECT_EQ(attrs<MaxPoolAttrs>(g, 3).window.pad_top, 1);
}

TEST(OnnxOps, PadThatZeroWinsInStays) {
  OnnxBuilder b(9);
  b.input("x", {0, 2, 4, 4});
  b.node("Pad", {"x"}, "p").attr("pads", Ints{0, 0, 1, 1, 0, 0, 1, 1});
  b.node("MaxPool", {"p"}, "y").attr("kernel_shape", Ints{3, 3});
  EXPECT_EQ(kinds(imported(b.output("y"))), (std::vector<std::string>{"input", "pad", "max_pool"}));
}

TEST(OnnxOps, ConcatAndShortcut) {
  OnnxBuilder b;
  b.input("x", {0, 2, 4, 4});
  b.node("Relu", {"x"}, "r");
  b.node("Concat", {"x", "r"}, "c").attr("axis", -3);
  b.node("Relu", {"c"}, "d");
  b.node("Add", {"c", "d"}, "y");
  const Graph g = imported(b.output("y"));
  EXPECT_EQ(kinds(g), (std::vector<std::string>{"input", "relu", "concat", "relu", "add"}));
  EXPECT_EQ(g.output().shape, (Shape{4, 4, 4}));
}

TEST(OnnxOps, ExportersComputeReshapeTargets) {  // x.view(x.size(0), -1)
  OnnxBuilder b;
  b.input("x", {0, 2, 3, 4}).ints("zero", {0}).ints("rest", {-1}).floats("w", {24, 2}, ramp(48));
  b.node("Shape", {"x"}, "shape");
  b.node("Gather", {"shape", "zero"}, "n");
  b.node("Concat", {"n", "rest"}, "target").attr("axis", 0);
  b.node("Reshape", {"x", "target"}, "f");
  b.node("MatMul", {"f", "w"}, "y");
  EXPECT_EQ(kinds(imported(b.output("y"))),
            (std::vector<std::string>{"input", "flatten", "linear"}));
}

TEST(OnnxOps, ChannelsLastReordersTheColumns) {
  OnnxBuilder b;  // as tf2onnx writes Keras: turned at the beginning, and back before the flatten
  b.input("x", {0, 2, 1, 3}).floats("w", {6, 1}, ramp(6)).ints("target", {-1, 6});
  b.node("Transpose", {"x"}, "t").attr("perm", Ints{0, 3, 1, 2});
  b.node("Relu", {"t"}, "r");
  b.node("Transpose", {"r"}, "u").attr("perm", Ints{0, 2, 3, 1});
  b.node("Reshape", {"u", "target"}, "f");
  b.node("MatMul", {"f", "w"}, "y");
  const Graph g = imported(b.output("y"));
  EXPECT_EQ(g.input().shape, (Shape{3, 2, 1}));
  EXPECT_EQ(kinds(g), (std::vector<std::string>{"input", "relu", "flatten", "linear"}));
  // Column (c, h) of ours is ONNX's row h * 3 + c.
  EXPECT_THAT(data(g, 3, "weight"), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(OnnxOps, SoftmaxAtTheEndIsLeftOut) {
  OnnxBuilder b;
  b.input("x", {0, 3, 1, 1});
  b.node("Dropout", {"x"}, "d");
  b.node("Relu", {"d"}, "r");
  b.node("Softmax", {"r"}, "y").attr("axis", 1);
  std::vector<std::string> notes;
  const auto g = import(b.output("y"), {}, &notes);
  ASSERT_TRUE(g.ok()) << g.error().message;
  EXPECT_EQ(kinds(*g), (std::vector<std::string>{"input", "relu"}));
  EXPECT_THAT(notes, ElementsAre(HasSubstr("logits")));
}

struct Refused {
  const char* what;
  void (*build)(OnnxBuilder&);
  const char* words;
};
class Refuses : public ::testing::TestWithParam<Refused> {};
TEST_P(Refuses, WithWordsThatName) {
  OnnxBuilder b(9);
  b.input("x", {0, 2, 6, 6}).floats("w", {2, 2, 3, 3}, ramp(36));
  GetParam().build(b);
  EXPECT_THAT(error_of(b.output("y")), HasSubstr(GetParam().words));
}
INSTANTIATE_TEST_SUITE_P(
    Nodes, Refuses,
    ::testing::Values(Refused{"an operator", [](OnnxBuilder& b) { b.node("Erf", {"x"}, "y"); },
                              "node y (Erf): the operator has no layer here"},
                      Refused{"an attribute",
                              [](OnnxBuilder& b) {
                                b.node("Conv", {"x", "w"}, "y").attr("novel", 1);
                              },
                              "attribute novel is not known"},
                      Refused{"a type of attribute",
                              [](OnnxBuilder& b) {
                                b.node("Conv", {"x", "w"}, "y").attr("pads", 1);
                              },
                              "attribute pads has a wrong type"},
                      Refused{"a missing initializer",
                              [](OnnxBuilder& b) {
                                b.node("Conv", {"x", "none"}, "y");
                              },
                              "reads none, which"},
                      Refused{"a cycle",
                              [](OnnxBuilder& b) {
                                b.node("Add", {"x", "y"}, "a");
                                b.node("Relu", {"a"}, "y");
                              },
                              "reads y, which neither"},
                      Refused{"average pooling that leaves padding out",
                              [](OnnxBuilder& b) {
                                b.node("AveragePool", {"x"}, "y")
                                    .attr("kernel_shape", Ints{3, 3})
                                    .attr("pads", Ints{1, 1, 1, 1});
                              },
                              "count_include_pad = 1"},
                      Refused{"reflection",
                              [](OnnxBuilder& b) {
                                b.node("Pad", {"x"}, "y")
                                    .attr("mode", "reflect")
                                    .attr("pads", Ints{0, 0, 1, 1, 0, 0, 1, 1});
                              },
                              "only with zeros"},
                      Refused{"a clip below zero",
                              [](OnnxBuilder& b) {
                                b.node("Clip", {"x"}, "y").attr("min", -1.0f).attr("max", 1.0f);
                              },
                              "only from 0 up"},
                      Refused{"a cut batch",
                              [](OnnxBuilder& b) {
                                b.node("Slice", {"x"}, "y")
                                    .attr("starts", Ints{1})
                                    .attr("ends", Ints{9})
                                    .attr("axes", Ints{0});
                              },
                              "cuts the batch"},
                      Refused{"a mixed batch",
                              [](OnnxBuilder& b) {
                                b.ints("t", {-1, 3});
                                b.node("Reshape", {"x", "t"}, "y");
                              },
                              "the first dimension must stay the batch"},
                      Refused{"a product of activations",
                              [](OnnxBuilder& b) {
                                b.node("Mul", {"x", "x"}, "y");
                              },
                              "a constant per channel"},
                      Refused{"another domain",
                              [](OnnxBuilder& b) {
                                b.node("Relu", {"x"}, "y");
                                b.proto().mutable_graph()->mutable_node(0)->set_domain(
                                    "com.microsoft");
                              },
                              "an operator of com.microsoft"},
                      Refused{"channels last without a transpose",
                              [](OnnxBuilder& b) {
                                b.node("Transpose", {"x"}, "t").attr("perm", Ints{0, 2, 3, 1});
                                b.node("MaxPool", {"t"}, "y").attr("kernel_shape", Ints{2, 2});
                              },
                              "channels first"}),
    [](const auto& param) {
      std::string name = param.param.what;
      for (char& c : name)
        if (c == ' ') c = '_';
      return name;
    });

}  // namespace
}  // namespace nbq::testing
