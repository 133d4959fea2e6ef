// networks.json comes from make_golden.py, which is written from the specification alone.
#include <gtest/gtest.h>

#include <bit>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "hw/engine.h"
#include "hw/program_model.h"
#include "ops/ref_executor.h"

namespace nbq {
namespace {

using nlohmann::json;

Window window_of(const json& j) {
  const json& w = j.at("window");
  Window r;
  r.kernel_h = w.at("kernel_h");
  r.kernel_w = w.at("kernel_w");
  r.stride_h = w.at("stride_h");
  r.stride_w = w.at("stride_w");
  r.pad_top = r.pad_left = r.pad_bottom = r.pad_right = w.at("pad");
  return r;
}

Attrs attrs_of(const json& j) {
  const std::string op = j.at("op");
  if (op == "input") return InputAttrs{j["shape"][0], j["shape"][1], j["shape"][2], {}, {}};
  if (op == "conv2d") return Conv2dAttrs{j.at("out_channels"), j.at("groups"), true, window_of(j)};
  if (op == "linear") return LinearAttrs{j.at("out_features"), true};
  if (op == "max_pool") return MaxPoolAttrs{window_of(j)};
  if (op == "avg_pool") return AvgPoolAttrs{window_of(j)};
  if (op == "global_avg_pool") return GlobalAvgPoolAttrs{};
  if (op == "add") return AddAttrs{};
  if (op == "concat") return ConcatAttrs{};
  return FlattenAttrs{};
}

Graph graph_of(const json& nodes) {
  Graph g;
  g.stage = Stage::kInteger;
  for (const json& j : nodes) {
    Node& n = g.nodes[static_cast<std::size_t>(
        g.add(j.at("name"), attrs_of(j), j.at("inputs").get<std::vector<int>>()))];
    if (const json& a = j.at("act"); !a.is_null())
      n.act = ActFormat{a.at("bits"), a.at("signed"), a.at("exp"), a.at("lo"), a.at("hi")};
    if (!j.contains("weights")) continue;
    n.po2.bits = j.at("bits");
    n.po2.exps = j.at("exps").get<std::vector<int>>();
    n.po2.bias = j.at("bias").get<std::vector<std::int64_t>>();
    for (const int w : j.at("weights"))
      n.po2.codes.push_back(Po2Code::make({n.po2.bits}, w < 0,
                                          std::bit_width(static_cast<unsigned>(w < 0 ? -w : w))));
  }
  NBQ_CHECK(infer_shapes(g).ok());
  const auto bits = prove_acc_bits(g).value();
  for (std::size_t id = 0; id < g.nodes.size(); ++id) g.nodes[id].po2.acc_bits = bits[id];
  return g;
}

class Golden : public ::testing::Test {
 protected:
  void SetUp() override {
    cases_ = json::parse(read_text_file(NBQ_SOURCE_DIR "/tests/golden/networks.json").value());
    ASSERT_EQ(cases_.size(), 30u);
  }
  json cases_;
};

TEST_F(Golden, RefGivesTheSpecifiedLogits) {
  for (const json& c : cases_) {
    const auto ref = RefExecutor::create(graph_of(c.at("nodes")));
    ASSERT_TRUE(ref.ok()) << ref.error().message;
    const auto pixels = c.at("pixels").get<std::vector<std::uint8_t>>();
    EXPECT_EQ(ref->run(pixels, 1).value(), c.at("logits").get<std::vector<std::int64_t>>());
  }
}

TEST_F(Golden, AcceleratorProgramsGiveTheSpecifiedLogits) {
  hw::EngineConfig config;
  config.lanes_in = config.lanes_out = 4;
  config.pixels = 2;
  for (const json& c : cases_) {
    const auto program = hw::compile(graph_of(c.at("nodes")), config);
    ASSERT_TRUE(program.ok()) << program.error().message;
    auto engine = hw::Engine::open(hw::make_program_model(program->config), *program);
    ASSERT_TRUE(engine.ok());
    const auto pixels = c.at("pixels").get<std::vector<std::uint8_t>>();
    EXPECT_EQ(engine->run(pixels).value().logits, c.at("logits").get<std::vector<std::int64_t>>());
  }
}

}  // namespace
}  // namespace nbq
