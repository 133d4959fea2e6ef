// Imported networks give what onnxruntime gives: onnx/ comes from make_onnx.py.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "exchange/onnx_import.h"
#include "train/executor.h"

namespace nbq {
namespace {

TEST(OnnxGolden, LogitsEqualOnnxruntimes) {
  const std::string folder = NBQ_SOURCE_DIR "/tests/golden/onnx/";
  const auto expected = nlohmann::json::parse(read_text_file(folder + "expected.json").value());
  const int images = expected.at("images");
  ImportOptions options;
  options.mean = expected.at("mean").get<std::vector<float>>();
  options.std = expected.at("std").get<std::vector<float>>();
  for (const auto& [name, list] : expected.at("logits").items()) {
    const auto g = import_onnx(folder + name + ".onnx", options);
    ASSERT_TRUE(g.ok()) << g.error().message;
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(images * g->input().shape.size()));
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<std::uint8_t>((37 * i + 11) % 256);
    const auto scores = torch_scores(*g, pixels, images);
    ASSERT_TRUE(scores.ok()) << name << ": " << scores.error().message;
    const auto want = list.get<std::vector<float>>();
    ASSERT_EQ(scores->size(), want.size()) << name;
    for (std::size_t i = 0; i < want.size(); ++i)
      EXPECT_NEAR((*scores)[i], want[i], 2e-5 + 1e-5 * std::abs(want[i])) << name << " " << i;
  }
}

TEST(OnnxGolden, PixelsAndTheirNumbersGiveTheSameScores) {
  ImportOptions options;
  options.mean = {0.5f};
  options.std = {0.25f};
  const Graph g = import_onnx(NBQ_SOURCE_DIR "/tests/golden/onnx/lopsided.onnx", options).value();
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(2 * g.input().shape.size()));
  std::vector<float> numbers;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>((37 * i + 11) % 256);
    numbers.push_back((static_cast<float>(pixels[i]) / 255 - 0.5f) / 0.25f);
  }
  const auto want = torch_scores(g, pixels, 2).value(), got = torch_scores(g, numbers, 2).value();
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-5) << i;
  EXPECT_FALSE(torch_scores(g, std::span(numbers).first(3), 2).ok());
}

}  // namespace
}  // namespace nbq
