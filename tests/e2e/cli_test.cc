// train -> export -> eval -> run -> check, as a user types them.
#include "data/dataset.h"
#include "data/image.h"
#include "nbq_command.h"

namespace nbq::testing {
namespace {

class Cli : public CommandTest {};

TEST_F(Cli, UsageErrorsExitWith2) {
  for (const char* c :
       {"train", "compare", "eval", "export", "info", "run", "check", "sim", "synth", "compile",
        "explore", "energy", "import", "report", "sensitivity", "bench"})
    EXPECT_EQ(run({c, "--no-such-option"}).exit, 2) << c;
  EXPECT_EQ(run({}).exit, 2);
  EXPECT_EQ(run({"--version"}).exit, 0);
}

TEST_F(Cli, FromRecipeToLogits) {
  train_briefly();
  const std::string model = path("run/model.nbq");

  const Ran eval = run({"eval", model, "--data", "digits", "--confusion", "--json"});
  ASSERT_EQ(eval.exit, 0) << eval.err;
  EXPECT_EQ(eval.json().at("images"), 797);
  EXPECT_GT(eval.json().at("accuracy").get<double>(), 70.0);  // a tenth of the recipe's epochs

  // The trainer's evaluation of what it learnt is the integer network's, to the image.
  const Ran quantised =
      run({"eval", path("run/quantised.nbq"), "--data", "digits", "--confusion", "--json"});
  EXPECT_EQ(quantised.json().at("correct"), eval.json().at("correct"));
  EXPECT_EQ(quantised.json().at("confusion"), eval.json().at("confusion"));
  const auto metrics = nlohmann::json::parse(read_text_file(path("run/metrics.json")).value());
  EXPECT_EQ(metrics.at("confusion"), eval.json().at("confusion"));
  EXPECT_EQ(metrics.at("classes"), eval.json().at("classes"));

  const Ran exported = run({"export", path("run"), "-o", path("again.nbq"), "--json"});
  ASSERT_EQ(exported.exit, 0) << exported.err;
  EXPECT_EQ(read_file(path("again.nbq")).value(), read_file(model).value());

  const Ran check = run(
      {"check", model, "--data", "digits", "--images", "50", "--pe", "both", "--no-rtl", "--json"});
  ASSERT_EQ(check.exit, 0) << check.err << check.out;
  EXPECT_EQ(check.json().at("mismatches"), 0);
  const auto isas = run({"bench", "--isas", "--json"}).json();
  // Sets of kernels that convolve in two ways are checked in both, and in the faster one's mixture.
  std::size_t engines = 0;
  for (const auto& row : isas.at("isas")) {
    const std::string name = row.at("name");
    const bool two_ways = name.starts_with("avx") || name == "amx";
    if (row.at("available")) engines += two_ways ? 3 : 1;
  }
  EXPECT_GE(engines, 1u);
  EXPECT_EQ(check.json().at("executors").size(), 4 + engines);

  const Ran by_reference = run({"eval", model, "--data", "digits", "--executor", "ref", "--json"});
  EXPECT_EQ(by_reference.json().at("correct"), eval.json().at("correct"));
  const Ran bench =
      run({"bench", model, "--layers", "--seconds", "0.05", "--isa", "portable", "--json"});
  ASSERT_EQ(bench.exit, 0) << bench.err;
  EXPECT_GT(bench.json().at("images_per_s").get<double>(), 0);
  EXPECT_GE(bench.json().at("layers").size(), 3u);
  EXPECT_EQ(run({"bench", model, "--isa", "none"}).exit, 2);

  // The report reads what the commands print.
  ASSERT_TRUE(write_file(path("run/eval.json"), eval.out).ok());
  ASSERT_TRUE(write_file(path("run/check.json"), check.out).ok());
  ASSERT_TRUE(write_file(path("run/bench.json"), bench.out).ok());
  ASSERT_EQ(run({"sensitivity", path("run"), "--images", "64", "--bits", "2,3"}).exit, 0);
  const Ran report = run({"report", path("run"), "--json"});
  ASSERT_EQ(report.exit, 0) << report.err;
  EXPECT_EQ(report.json().at("mismatches"), 0);
  EXPECT_EQ(report.json().at("cpu").at("isa"), "portable");
  const std::string page = read_text_file(path("run/report.html")).value();
  for (const char* part : {"SVPE cycles</th>", " at 2 bits</td>", "<h2>Confusions</h2>",
                           "<h3>SVPE array</h3>", "<h3>CPU engine</h3>"})
    EXPECT_NE(page.find(part), std::string::npos) << part;

  const Ran info = run({"info", model, "--json"});
  EXPECT_EQ(info.json().at("weight_bits"), 3);
  EXPECT_LT(info.json().at("model_bytes").get<int>(), info.json().at("float_bytes").get<int>() / 4);
  EXPECT_NE(run({"info", model}).out.find("conv1_1"), std::string::npos);

  // Image files give the class that eval saw.
  DatasetSpec spec;
  spec.path = "digits";
  spec.split = Split::kTest;
  const ImageSourcePtr digits = open_dataset(spec).value();
  ASSERT_TRUE(write_class_folders(*digits, path("png")).ok());
  const Ran folder = run({"eval", model, "--data", path("png"), "--json"});
  ASSERT_EQ(folder.exit, 0) << folder.err;
  EXPECT_EQ(folder.json().at("correct"), eval.json().at("correct"));
  const std::string image = fs::directory_iterator(path("png/3"))->path().string();
  const Ran one = run({"run", model, image, image, "--json"});
  ASSERT_EQ(one.exit, 0) << one.err;
  ASSERT_EQ(one.json().at("results").size(), 2u);
  EXPECT_EQ(one.json()["results"][0].at("logits").size(), 10u);
  EXPECT_EQ(one.json()["results"][0].at("path"), image);
}

TEST_F(Cli, PostTrainingQuantisationOfEveryWidthIsBitExact) {
  train_briefly();
  for (const char* bits : {"1", "2", "3", "4", "5"})
    for (const char* act : {"8", "16"}) {
      const Ran e = run({"export", path("run/float.nbq"), "-o", path("q.nbq"), "--data", "digits",
                         "--weight-bits", bits, "--act-bits", act});
      ASSERT_EQ(e.exit, 0) << e.err;
      const Ran c =
          run({"check", path("q.nbq"), "--data", "digits", "--images", "10", "--no-rtl", "--json"});
      EXPECT_EQ(c.exit, 0) << bits << " bits, " << act << " activation bits: " << c.out;
    }
}

/// Five classes of images of one colour each, 13 x 11 pixels.
void write_colours(const fs::path& folder) {
  for (int label = 0; label < 5; ++label)
    for (const char* split : {"train", "test"})
      for (int i = 0; i < 6; ++i) {
        Image image{3, 13, 11, std::vector<std::uint8_t>(3 * 13 * 11)};
        for (std::size_t p = 0; p < image.pixels.size(); ++p)
          image.pixels[p] = static_cast<std::uint8_t>((50 * label + 7 * i + 3 * p) % 256);
        const fs::path at = folder / split / std::to_string(label);
        fs::create_directories(at);
        ASSERT_TRUE(write_png(at / (std::to_string(i) + ".png"), image).ok());
      }
}

TEST_F(Cli, AnImportedNetworkIsDeployedAndLearnt) {
  write_colours(path("data"));
  const Ran import =
      run({"import", NBQ_SOURCE_DIR "/tests/golden/onnx/lopsided.onnx", "--mean", ".4,.5,.6",
           "--std", ".25", "-o", path("float.nbq"), "--name", "odd", "--json"});
  ASSERT_EQ(import.exit, 0) << import.err;
  EXPECT_EQ(import.json().at("name"), "odd");
  EXPECT_EQ(import.json().at("outputs"), 5);
  const Ran eval = run({"eval", path("float.nbq"), "--data", path("data"), "--json"});
  ASSERT_EQ(eval.exit, 0) << eval.err;
  EXPECT_EQ(eval.json().at("images"), 30);

  ASSERT_EQ(run({"export", path("float.nbq"), "--data", path("data"), "-o", path("q.nbq")}).exit,
            0);
  // Out again for other engines, and back.
  ASSERT_EQ(run({"export", path("q.nbq"), "--to", "onnx-qdq", "-o", path("q.onnx")}).exit, 0);
  const Ran out = run({"export", path("q.nbq"), "--to", "onnx-float", "--input", "float", "-o",
                       path("f.onnx"), "--json"});
  ASSERT_EQ(out.exit, 0) << out.err;
  EXPECT_EQ(out.json().at("model_bytes"), fs::file_size(path("f.onnx")));
  EXPECT_EQ(run({"import", path("f.onnx"), "-o", path("back.nbq"), "--json"}).json().at("outputs"),
            5);
  const Ran check = run({"check", path("q.nbq"), "--data", path("data"), "--no-rtl", "--json"});
  EXPECT_EQ(check.exit, 0) << check.out;

  ASSERT_TRUE(write_file(path("fine.toml"),
                         std::string_view("init = \"float.nbq\"\n"
                                          "[[phase]]\nkind = \"float\"\nbatch = 10\nlr = 0.01\n"
                                          "[[phase]]\nkind = \"quantised\"\nbatch = 10\n"
                                          "lr = 0.001\nepochs = 2\n"))
                  .ok());
  const Ran train =
      run({"train", path("fine.toml"), "--data", path("data"), "--run", path("run"), "--json"});
  ASSERT_EQ(train.exit, 0) << train.err;
  EXPECT_EQ(run({"eval", path("run/model.nbq"), "--data", path("data")}).exit, 0);
}

}  // namespace
}  // namespace nbq::testing
