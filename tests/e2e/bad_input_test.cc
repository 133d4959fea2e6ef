// Each bad input: a clear error naming the thing, the exit code, nothing half written.
#include <fstream>

#include "data/image.h"
#include "model/nbq_file.h"
#include "model/quantise.h"
#include "nbq_command.h"
#include "random_graph.h"

namespace nbq::testing {
namespace {

class BadInput : public CommandTest {
 protected:
  void expect_error(const Ran& r, int exit, const std::string& words) const {
    EXPECT_EQ(r.exit, exit) << r.err << r.out;
    EXPECT_NE(r.err.find(words), std::string::npos) << r.err;
  }
  std::string model() const {
    EXPECT_TRUE(save_nbq(path("m.nbq"), digits_like()).ok());
    return path("m.nbq");
  }
  /// 1x8x8 images, 10 classes.
  static Graph digits_like() {
    Graph g;
    g.add("image", InputAttrs{1, 8, 8, {}, {}}, {});
    g.add("flat", FlattenAttrs{}, {0});
    g.add("fc", LinearAttrs{10, false}, {1});
    NBQ_CHECK(infer_shapes(g).ok());
    g.nodes[2].state["weight"] = {{10, 64}, std::vector<float>(640, 0.5f)};
    return deploy(quantise(g, {}, ActSamples(3, {1.0f})).value()).value();
  }
  void write_png_at(const std::string& name) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    ASSERT_TRUE(write_png(path(name), Image{1, 8, 8, std::vector<std::uint8_t>(64, 9)}).ok());
  }
};

TEST_F(BadInput, DamagedModels) {
  const std::string good = model();
  auto bytes = read_file(good).value();
  const auto with = [&](auto change) {
    auto b = bytes;
    change(b);
    EXPECT_TRUE(write_file(path("bad.nbq"), b).ok());
    return run({"info", path("bad.nbq")});
  };
  expect_error(with([](auto& b) { b.resize(b.size() / 2); }), 3, "bad.nbq: ");
  expect_error(with([](auto& b) { b.clear(); }), 3, "bad.nbq: not an .nbq model");
  expect_error(with([](auto& b) { b[5] ^= 1; }), 3, "not an .nbq model");
  expect_error(with([](auto& b) { b[0] = b[1] = b[2] = 0xff; }), 3, "damaged or truncated");
  expect_error(run({"info", path("none.nbq")}), 3, "none.nbq: no such file");
  const Ran json = run({"info", path("none.nbq"), "--json"});
  EXPECT_EQ(json.json().at("code"), 3);
}

TEST_F(BadInput, AnAccumulatorThatCouldOverflow) {
  Graph g;
  g.stage = Stage::kInteger;
  g.add("image", InputAttrs{1, 1024, 1024, {}, {}}, {});
  Conv2dAttrs one{1, 1, false, {}};
  g.add("wide", one, {0});
  g.add("flat", FlattenAttrs{}, {1});
  g.add("fc", LinearAttrs{2, false}, {2});
  ASSERT_TRUE(infer_shapes(g).ok());
  g.nodes[0].act = ActFormat::make(8, true, -7);
  g.nodes[1].act = g.nodes[2].act = ActFormat::make(16, true, -7);
  g.nodes[1].po2 = {5, {0}, {Po2Code::make({5}, false, 1)}, {}, 9};
  g.nodes[3].po2 = {
      5, {0, 0}, std::vector<Po2Code>(2 << 20, Po2Code::make({5}, false, 15)), {}, 48};
  ASSERT_TRUE(save_nbq(path("wide.nbq"), g).ok());
  expect_error(run({"info", path("wide.nbq")}), 3, "fc: the accumulator of channel 0 could need");
}

TEST_F(BadInput, ImageFolders) {
  const std::string m = model();
  expect_error(run({"eval", m, "--data", path("none")}), 3, path("none"));
  fs::create_directories(path("empty/a"));
  fs::create_directories(path("empty/b"));
  expect_error(run({"eval", m, "--data", path("empty")}), 3, path("empty"));
  write_png_at("one/a/1.png");
  expect_error(run({"eval", m, "--data", path("one")}), 3, "one class");
  write_png_at("broken/a/1.png");
  write_png_at("broken/b/1.png");
  std::ofstream(path("broken/b/2.jpg"), std::ios::binary) << "\xff\xd8\xff\xe0 this is no picture";
  expect_error(run({"eval", m, "--data", path("broken")}), 3, "broken/b/2.jpg");
  expect_error(run({"run", m, path("broken/b/2.jpg")}), 3, "broken/b/2.jpg");
  write_png_at("two/a/1.png");
  write_png_at("two/b/1.png");
  expect_error(run({"eval", m, "--data", path("two")}), 2, "2 classes, the model 10 outputs");
}

TEST_F(BadInput, OnnxModels) {
  const std::string good = NBQ_SOURCE_DIR "/tests/golden/onnx/old.onnx";
  const auto import = [&](const std::string& model, const std::vector<std::string>& more = {}) {
    std::vector<std::string> args = {"import", model, "-o", path("out.nbq")};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  };
  expect_error(import(path("none.onnx")), 3, "none.onnx: no such file");
  expect_error(import(NBQ_SOURCE_DIR "/README.md"), 3,
               "README.md: truncated, or not an ONNX model");
  auto bytes = read_file(good).value();
  bytes.resize(bytes.size() / 2);
  ASSERT_TRUE(write_file(path("half.onnx"), bytes).ok());
  expect_error(import(path("half.onnx")), 3, "half.onnx: truncated");
  // The same model with another operator, of as many letters.
  std::string text = read_text_file(good).value();
  text.replace(text.find("\x04"
                         "Clip"),
               5,
               "\x04"
               "Sqrt");
  ASSERT_TRUE(write_file(path("sqrt.onnx"), std::string_view(text)).ok());
  expect_error(import(path("sqrt.onnx")), 3, "(Sqrt): the operator has no layer here");
  expect_error(import(good, {"--input", "3,8,9"}), 2, "the model takes 9 rows");
  expect_error(import(good, {"--mean", "0,0", "--std", "1"}), 2, "2 numbers");
  expect_error(import(good, {"--mean", "0", "--std", "0"}), 3, "std must be positive");
  EXPECT_FALSE(fs::exists(path("out.nbq")));
}

TEST_F(BadInput, ExportOptionsOfOtherForms) {
  const std::string m = model();
  const auto to = [&](const char* form, const std::vector<std::string>& more) {
    std::vector<std::string> args = {"export", m, "--to", form, "-o", path("out.c")};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  };
  expect_error(to("c", {"--all-uint8"}), 2, "--all-uint8: goes with --to onnx-qdq; c has no use");
  expect_error(to("qonnx", {"--all-uint8"}), 2, "--all-uint8: goes with --to onnx-qdq");
  expect_error(to("c", {"--input", "float"}), 2, "--input: goes with --to onnx-qdq, qonnx, onnx");
  expect_error(to("qonnx", {"--name", "net"}), 2, "--name: goes with --to c; qonnx has no use");
  expect_error(to("qonnx", {"--weight-bits", "2"}), 2, "--weight-bits: ");
  expect_error(to("nbq", {"--data", "digits"}), 2, "is quantised already");
  EXPECT_FALSE(fs::exists(path("out.c")));
  EXPECT_EQ(to("c", {"--name", "net"}).exit, 0);
}

TEST_F(BadInput, Recipes) {
  std::string text = read_text_file(NBQ_SOURCE_DIR "/zoo/nbqnn-digits.toml").value();
  text.replace(text.find("weight_bits"), 11, "wieght_bits");
  ASSERT_TRUE(write_file(path("typo.toml"), std::string_view(text)).ok());
  const Ran r = run({"train", path("typo.toml"), "--run", path("run")});
  expect_error(r, 3, "typo.toml:");
  EXPECT_NE(r.err.find("wieght_bits"), std::string::npos) << r.err;
  EXPECT_NE(r.err.find("weight_bits"), std::string::npos) << r.err;
  EXPECT_FALSE(fs::exists(path("run/checkpoint.pt")));
}

TEST_F(BadInput, DevicesThatThereAreNot) {
  for (const char* command : {"train", "compare"}) {
    const std::string recipe = NBQ_SOURCE_DIR "/zoo/" +
                               std::string(command[0] == 't' ? "nbqnn" : "compare") +
                               "-digits.toml";
    expect_error(run({command, recipe, "--device", "tpu", command[0] == 't' ? "--run" : "--out",
                      path("run")}),
                 2, "no device is named \"tpu\"; there are cpu, cuda");
    EXPECT_FALSE(fs::exists(path("run") + "/checkpoint.pt"));
  }
}

TEST_F(BadInput, TrainingNeverDestroysWhatItFinds) {
  fs::create_directories(path("run"));
  ASSERT_TRUE(write_file(path("run/model.nbq"), std::string_view("precious")).ok());
  const std::string recipe = NBQ_SOURCE_DIR "/zoo/nbqnn-digits.toml";
  expect_error(run({"train", recipe, "--run", path("run")}), 2, "run/model.nbq is there already");
  EXPECT_EQ(read_text_file(path("run/model.nbq")).value(), "precious");
  expect_error(run({"train", recipe, "--run", path("run"), "--resume"}), 3, "no such checkpoint");
  expect_error(run({"train", recipe, "--run", path("x"), "--epochs-scale", "nan"}), 2,
               "--epochs-scale");
}

TEST_F(BadInput, TrainingOnFoldersThatWontDo) {
  const std::string recipe = NBQ_SOURCE_DIR "/zoo/nbqnn-digits.toml";
  const auto train_on = [&](const std::string& data) {
    const Ran r = run({"train", recipe, "--run", path("run"), "--data", data});
    EXPECT_FALSE(fs::exists(path("run"))) << "nothing was learnt";
    return r;
  };
  fs::create_directories(path("empty"));
  expect_error(train_on(path("empty")), 3, "empty: no images");
  write_png_at("one/a/1.png");
  expect_error(train_on(path("one")), 3, "only one class, \"a\", has images; training needs two");
  expect_error(train_on(path("nowhere")), 3, "nowhere: no such folder");
}

TEST_F(BadInput, ARunFolderThatCantBe) {
  const std::string recipe = NBQ_SOURCE_DIR "/zoo/nbqnn-digits.toml";
  ASSERT_TRUE(write_file(path("file"), std::string_view("in the way")).ok());
  expect_error(run({"train", recipe, "--run", path("file/run")}), 3, "file/run");
  expect_error(run({"train", recipe, "--run", "/proc/none/run"}), 3, "/proc/none/run");
}

TEST_F(BadInput, ResumingWithOtherImages) {
  for (const char* name : {"a/1.png", "a/2.png", "b/1.png", "b/2.png"})
    write_png_at(std::string("data/") + name);
  const std::string recipe = NBQ_SOURCE_DIR "/zoo/nbqnn-digits.toml";
  const std::vector<std::string> train = {"train",  recipe,       "--run",          path("run"),
                                          "--data", path("data"), "--epochs-scale", "0.01"};
  const Ran first = run(train);
  ASSERT_EQ(first.exit, 0) << first.err;
  ASSERT_TRUE(
      write_png(path("data/b/2.png"), Image{1, 8, 8, std::vector<std::uint8_t>(64, 10)}).ok());
  auto resumed = train;
  resumed.push_back("--resume");
  expect_error(run(resumed), 2, "are not those that this training began with");
}

TEST_F(BadInput, UsageErrorsAreJsonToo) {
  const Ran r = run({"check", model(), "--images", "0", "--json"});
  EXPECT_EQ(r.exit, 2);
  EXPECT_EQ(r.json().at("code"), 2);
  EXPECT_EQ(run({"eval", model(), "--data", "digits", "--images", "-1"}).exit, 2);
}

TEST_F(BadInput, UnwritableOutput) {
  const std::string m = model();
  ASSERT_TRUE(save_nbq(path("f.nbq"), RandomGraph(4).make_quantised(3, 8)).ok());
  expect_error(run({"export", path("f.nbq"), "-o", "/proc/none/out.nbq"}), 3, "/proc/none/out.nbq");
  expect_error(run({"export", m, "-o", path("x.nbq")}), 2, "is an integer network already");
}

TEST_F(BadInput, MissingTools) {
  const std::string m = model();
  const std::string none = "PATH=/nonexistent NBQ_CACHE=" + path("cache");
  expect_error(run({"sim", m}, none), 4, "verilator is not installed: apt-get install verilator");
  expect_error(run({"check", m}, none), 4, "verilator is not installed");
  expect_error(run({"synth", m}, none), 4, "yosys is not installed: apt-get install yosys");
}

}  // namespace
}  // namespace nbq::testing
