// The model around the operators: files, types, input, damage.
#include "exchange/onnx_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "core/file.h"
#include "onnx_builder.h"

namespace nbq::testing {
namespace {

namespace fs = std::filesystem;
using onnx::TensorProto;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// y = relu(conv(x, w)), w of one number.
OnnxBuilder small(std::int64_t opset = 13, const Ints& input = {0, 1, 2, 2}) {
  OnnxBuilder b(opset);
  b.input("x", input).floats("w", {1, 1, 1, 1}, {0.5f});
  b.node("Conv", {"x", "w"}, "c");
  b.node("Relu", {"c"}, "y");
  b.output("y");
  return b;
}
TensorProto& weight(OnnxBuilder& b) { return *b.proto().mutable_graph()->mutable_initializer(0); }

Result<Graph> import(const OnnxBuilder& b, const ImportOptions& o = {}, const fs::path& folder = {},
                     std::vector<std::string>* notes = nullptr) {
  return import_onnx_bytes(b.bytes(), folder, o, notes);
}
std::string error_of(const OnnxBuilder& b, const ImportOptions& o = {},
                     const fs::path& folder = {}) {
  const auto g = import(b, o, folder);
  EXPECT_FALSE(g.ok());
  return g.ok() ? "" : g.error().message;
}
float imported_weight(const OnnxBuilder& b, const fs::path& folder = {}) {
  const auto g = import(b, {}, folder);
  EXPECT_TRUE(g.ok()) << g.error().message;
  return g.ok() ? g->nodes[1].state.at("weight").data[0] : NAN;
}

TEST(OnnxImport, EveryOpsetFromNineTo28) {
  for (int opset = 9; opset <= 28; ++opset) EXPECT_TRUE(import(small(opset)).ok()) << opset;
  EXPECT_THAT(error_of(small(8)), HasSubstr("opset 8; 9..28 are read"));
  EXPECT_THAT(error_of(small(29)), HasSubstr("opset 29"));
}

TEST(OnnxImport, WeightsOfEveryFloatingType) {
  OnnxBuilder b = small();
  weight(b).clear_raw_data();
  weight(b).add_float_data(0.25f);
  EXPECT_EQ(imported_weight(b), 0.25f);
  const double d = 0.125;
  weight(b).clear_float_data();
  weight(b).set_data_type(TensorProto::DOUBLE);
  weight(b).set_raw_data(std::string(reinterpret_cast<const char*>(&d), sizeof d));
  EXPECT_EQ(imported_weight(b), 0.125f);
  weight(b).set_data_type(TensorProto::FLOAT16);
  weight(b).set_raw_data(std::string("\x00\xb8", 2));
  EXPECT_EQ(imported_weight(b), -0.5f);
  weight(b).set_raw_data(std::string("\x01\x00", 2));
  EXPECT_EQ(imported_weight(b), std::ldexp(1.0f, -24));
  weight(b).set_data_type(TensorProto::BFLOAT16);
  weight(b).set_raw_data(std::string("\xc0\x3f", 2));
  EXPECT_EQ(imported_weight(b), 1.5f);
  std::vector<std::string> notes;
  ASSERT_TRUE(import(b, {}, {}, &notes).ok());
  EXPECT_THAT(notes, ElementsAre("initializer w: converted from bfloat16 to float"));
  weight(b).set_data_type(TensorProto::STRING);
  EXPECT_THAT(error_of(b), HasSubstr("initializer w: elements of ONNX type 8"));
}

TEST(OnnxImport, DamagedTensors) {
  OnnxBuilder b = small();
  weight(b).set_raw_data("abc");
  EXPECT_THAT(error_of(b), HasSubstr("initializer w: 3 bytes for 1 elements"));
  b = small();
  weight(b).set_dims(0, -1);
  EXPECT_THAT(error_of(b), HasSubstr("out of range"));
  for (int i = 0; i < 4; ++i) weight(b).set_dims(i, std::int64_t{1} << 40);
  EXPECT_THAT(error_of(b), HasSubstr("out of range"));
  b = small();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  weight(b).set_raw_data(std::string(reinterpret_cast<const char*>(&nan), sizeof nan));
  EXPECT_THAT(error_of(b), HasSubstr("weight[0] is not a finite number"));
  b = small();
  weight(b).set_dims(1, 2);
  weight(b).set_raw_data(std::string(8, '\0'));
  EXPECT_THAT(error_of(b), HasSubstr("parameter weight has shape [1, 2, 1, 1]"));
}

TEST(OnnxImport, DamagedFiles) {
  auto bytes = small().bytes();
  bytes.resize(bytes.size() / 2);
  EXPECT_FALSE(import_onnx_bytes(bytes, {}).ok());
  EXPECT_THAT(import_onnx_bytes({}, {}).error().message, HasSubstr("not an ONNX model"));
  const std::string text = "\xff\xff\xff this is no model";
  const std::vector<std::uint8_t> no(text.begin(), text.end());
  EXPECT_THAT(import_onnx_bytes(no, {}).error().message, HasSubstr("not an ONNX model"));
  EXPECT_THAT(import_onnx("/nonexistent/a.onnx").error().message, HasSubstr("a.onnx"));
}

TEST(OnnxImport, OpenSizesComeFromTheOptions) {
  const OnnxBuilder open = small(13, {0, 1, 0, 0});
  EXPECT_THAT(error_of(open), HasSubstr("--input C,H,W"));
  ImportOptions o;
  o.input = Shape{1, 5, 7};
  EXPECT_EQ(import(open, o)->input().shape, (Shape{1, 5, 7}));
  EXPECT_THAT(error_of(small(), o), HasSubstr("the model takes 2 rows, the given size has 5"));
}

TEST(OnnxImport, FlatInputNeedsTheImagesSize) {
  OnnxBuilder b;
  b.input("x", {0, 6}).floats("w", {6, 1}, std::vector<float>(6, 1));
  b.node("MatMul", {"x", "w"}, "y");
  b.output("y");
  EXPECT_THAT(error_of(b), HasSubstr("--input C,H,W"));
  ImportOptions o;
  o.input = Shape{1, 2, 3};
  const auto g = import(b, o);
  ASSERT_TRUE(g.ok()) << g.error().message;
  EXPECT_EQ(g->nodes[1].kind(), OpKind::kFlatten);
  o.input = Shape{1, 2, 2};
  EXPECT_THAT(error_of(b, o), HasSubstr("6 features, the image has 4"));
}

TEST(OnnxImport, Normalisation) {
  ImportOptions o{.name = "net", .mean = {0.5f}, .std = {0.25f}, .input = {}};
  const auto g = import(small(), o);
  ASSERT_TRUE(g.ok());
  EXPECT_EQ(g->name, "net");
  EXPECT_THAT(g->input_attrs().std, ElementsAre(0.25f));
  o.std = {};
  EXPECT_THAT(error_of(small(), o), HasSubstr("together"));
  o.std = {1, 2};
  EXPECT_THAT(error_of(small(), o), HasSubstr("2 numbers, the image has 1 channels"));
  o.std = {0};
  EXPECT_THAT(error_of(small(), o), HasSubstr("std must be positive"));
}

TEST(OnnxImport, OneInputAndOneOutput) {
  OnnxBuilder b = small();
  b.output("c");
  EXPECT_THAT(error_of(b), HasSubstr("2 outputs"));
  OnnxBuilder two;
  two.input("x", {0, 1, 2, 2}).input("z", {0, 1, 2, 2});
  two.node("Add", {"x", "z"}, "y");
  EXPECT_THAT(error_of(two.output("y")), HasSubstr("2 inputs (x, z)"));
}

TEST(OnnxImport, WhatTheOutputDoesNotNeedIsNotRead) {
  OnnxBuilder b = small();
  b.node("NonMaxSuppression", {"c"}, "unused");
  const auto g = import(b);
  ASSERT_TRUE(g.ok()) << g.error().message;
  EXPECT_EQ(g->nodes.size(), 3u);
}

TEST(OnnxImport, SharedWeightsCannotFillMemory) {
  OnnxBuilder b;
  b.input("x", {0, 64, 8, 8}).floats("w", {64, 64, 3, 3}, std::vector<float>(64 * 64 * 9, 0.01f));
  std::string last = "x";
  for (int i = 0; i < 3000; ++i) {
    const std::string next = "t" + std::to_string(i);
    b.node("Conv", {last, "w"}, next).attr("pads", Ints{1, 1, 1, 1});
    last = next;
  }
  EXPECT_THAT(error_of(b.output(last)), HasSubstr("unfolds to far more numbers"));
}

TEST(OnnxImport, ConstantsOfAnySizeCannotFillMemory) {
  OnnxBuilder b = small();
  b.ints("huge", {1 << 14, 1 << 14});
  b.node("ConstantOfShape", {"huge"}, "zeros");
  b.node("MatMul", {"y", "zeros"}, "z");
  b.proto().mutable_graph()->mutable_output(0)->set_name("z");
  EXPECT_THAT(error_of(b), HasSubstr("its result is too large"));
}

class External : public ::testing::Test {
 protected:
  void SetUp() override {
    // Of this test alone: tests run side by side.
    root_ = fs::path(::testing::TempDir()) /
            (std::string("nbq_onnx_external_") +
             ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
    fs::create_directories(root_ / "model");
    write(root_ / "model/w.bin", {9.0f, 0.75f});
    write(root_ / "secret.bin", {1.0f});
  }
  void TearDown() override { fs::remove_all(root_); }
  static void write(const fs::path& p, const std::vector<float>& v) {
    std::ofstream(p, std::ios::binary)
        .write(reinterpret_cast<const char*>(v.data()), static_cast<std::streamsize>(v.size() * 4));
  }
  static OnnxBuilder at(const std::string& location, const std::string& offset) {
    OnnxBuilder b = small();
    weight(b).clear_raw_data();
    weight(b).set_data_location(TensorProto::EXTERNAL);
    for (const auto& [key, value] :
         {std::pair<std::string, std::string>{"location", location}, {"offset", offset}}) {
      auto* e = weight(b).add_external_data();
      e->set_key(key);
      e->set_value(value);
    }
    return b;
  }
  fs::path root_;
};

TEST_F(External, IsReadBesideTheModel) {
  EXPECT_EQ(imported_weight(at("w.bin", "4"), root_ / "model"), 0.75f);
}

TEST_F(External, StaysInsideTheFolder) {
  const fs::path folder = root_ / "model";
  for (const std::string& out : {std::string("../secret.bin"), (root_ / "secret.bin").string()})
    EXPECT_THAT(error_of(at(out, "0"), {}, folder), HasSubstr("outside the model's folder"));
  fs::create_symlink(root_ / "secret.bin", folder / "link.bin");
  EXPECT_THAT(error_of(at("link.bin", "0"), {}, folder), HasSubstr("outside the model's folder"));
  EXPECT_THAT(error_of(at("none.bin", "0"), {}, folder), HasSubstr("is not there"));
  EXPECT_THAT(error_of(at("w.bin", "8"), {}, folder), HasSubstr("is shorter than"));
  EXPECT_THAT(error_of(at("w.bin", "-1"), {}, folder), HasSubstr("is shorter than"));
}

}  // namespace
}  // namespace nbq::testing
