// From a network to a board without any tool: memories, resource model, choice, files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "core/file.h"
#include "hw/board_image.h"
#include "hw/choose.h"
#include "hw/memories.h"
#include "hw/memory_host.h"
#include "hw/pll.h"
#include "hw/resource_model.h"
#include "model/nbq_file.h"
#include "random_graph.h"

namespace nbq::hw {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(Memories, PiecesCoverTheDepthLargestFirst) {
  for (const int depth : {2, 300, 512, 513, 1024, 4608, 5000, 1540}) {
    int next = 0, before = 1 << 20;
    for (const RamPiece& p : ram_pieces(depth)) {
      EXPECT_EQ(p.start, next) << depth;
      EXPECT_LT(p.words, before) << depth;
      next += p.words;
      before = p.words;
    }
    EXPECT_EQ(next, depth);
  }
}

TEST(Memories, AreWhatYosysMaps) {  // each line from `synth_ecp5` and `synth_xilinx -family xcup`
  struct Case {
    int width, depth;
    double ecp5, xcup;
  };
  for (const Case& c : {Case{32, 512, 1, 0.5},
                        {32, 1024, 2, 1},
                        {32, 2048, 4, 2},
                        {16, 1024, 1, 0.5},
                        {8, 2048, 1, 0.5},
                        {32, 128, 1, 0.5},
                        {32, 32, 0, 0}}) {
    const EngineMemory m{"test", c.width, c.depth, 1};
    EXPECT_EQ(memory_resources(m, SynthTarget::kEcp5).bram, c.ecp5) << c.width << " " << c.depth;
    EXPECT_EQ(memory_resources(m, SynthTarget::kXcup).bram, c.xcup) << c.width << " " << c.depth;
  }
}

TEST(ResourceModel, IsWithinTenPercentOfYosys) {
  ASSERT_GE(resource_runs().size(), 12u);
  for (const ResourceRun& r : resource_runs()) {
    const Resources e = estimate_resources(r.config, r.target);
    SCOPED_TRACE(fmt::format("{} {} {}x{}x{}x{} code {} act {}", target_name(r.target),
                             pe_name(r.config.pe), r.config.lanes_in, r.config.lanes_out,
                             r.config.pixels, r.config.images, r.config.code_bits,
                             r.config.act_bits));
    EXPECT_NEAR(e.lut, r.lut, 0.1 * r.lut);
    EXPECT_NEAR(e.ff, r.ff, 0.1 * r.ff);
    EXPECT_EQ(e.dsp, r.dsp);
    EXPECT_EQ(e.bram, r.bram);
  }
}

TEST(Pll, MakesTheBoardsClocks) {
  for (const auto& [in, out] : {std::pair{25.0, 90.0}, {12.0, 120.0}, {25.0, 80.0}, {25.0, 62.5}}) {
    const auto p = ecp5_pll(in, out);
    ASSERT_TRUE(p.ok()) << p.error().message;
    EXPECT_LE(p->mhz, out + 1e-6);
    EXPECT_GE(p->mhz, 0.9 * out);
    EXPECT_NEAR(p->mhz, in / p->refclk * p->feedback, 1e-9);
    EXPECT_GE(p->mhz * p->output, 400);
    EXPECT_LE(p->mhz * p->output, 800);
  }
  EXPECT_FALSE(ecp5_pll(25, 1).ok());
}

class PlanTest : public ::testing::Test {
 protected:
  Graph graph_ = testing::RandomGraph(3).make_integer(3, 8);
  Board board_ = find_board("ulx3s-85f").value();
};

TEST_F(PlanTest, FillsTheBoardAndNoMore) {
  const auto plan = plan_for_board(graph_, board_, {});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const Resources r = plan->resources, have = board_.budget();
  EXPECT_LE(r.lut + r.lutram, have.lut);
  EXPECT_LE(r.bram, have.bram);
  EXPECT_EQ(r.dsp, 0);
  EXPECT_EQ(plan->timing.layers.size(), plan->program.layers.size());
  PlanLimits few;
  few.images = 1;
  const auto one = plan_for_board(graph_, board_, few);
  ASSERT_TRUE(one.ok()) << one.error().message;
  EXPECT_EQ(one->program.config.images, 1);
  EXPECT_LT(one->images_per_s(), plan->images_per_s());
}

TEST_F(PlanTest, BroadcastIsTheBoardsUnlessGiven) {
  board_.broadcast = 3;
  EXPECT_EQ(plan_for_board(graph_, board_, {}).value().program.config.broadcast, 3);
  PlanLimits l;
  l.broadcast = 0;
  EXPECT_EQ(plan_for_board(graph_, board_, l).value().program.config.broadcast, 0);
}

TEST_F(PlanTest, FewerColumnsAreTakenWhereTheyCostLittle) {
  for (const char* name : {"ulx3s-85f", "zcu102"}) {
    SCOPED_TRACE(name);
    const Board board = find_board(name).value();
    const BoardPlan chosen = plan_for_board(graph_, board, {}).value();
    double fastest = 0;
    for (const int pixels : {1, 2, 4, 8, 16, 32}) {
      PlanLimits l;
      l.pixels = pixels;
      const auto plan = plan_for_board(graph_, board, l);
      if (!plan.ok()) continue;
      fastest = std::max(fastest, plan->images_per_s());
      if (pixels < chosen.program.config.pixels) {
        EXPECT_LT(plan->images_per_s(), chosen.images_per_s());
      }
    }
    EXPECT_GE(chosen.images_per_s(), (board.family == SynthTarget::kEcp5 ? 0.96 : 0.99) * fastest);
  }
}

TEST_F(PlanTest, SmallerOutputStagesAreTakenOnAnEcp5WhereTheyCostLittle) {
  const Graph resnet = load_nbq(fs::path(NBQ_SOURCE_DIR) / "zoo/resnet20-cifar10-w3a8.nbq").value();
  const BoardPlan chosen = plan_for_board(resnet, board_, {}).value();
  const EngineConfig& c = chosen.program.config;
  int larger = 0;
  for (const int out_cycles : {1, 2, 4, 8, 16}) {
    PlanLimits l;
    l.lanes_in = c.lanes_in;
    l.lanes_out = c.lanes_out;
    l.pixels = c.pixels;
    l.images = c.images;
    l.out_cycles = out_cycles;
    const auto plan = plan_for_board(resnet, board_, l);
    if (!plan.ok()) continue;
    larger += plan->resources.lut > chosen.resources.lut ? 1 : 0;
    if (plan->resources.lut < chosen.resources.lut) {
      EXPECT_LT(plan->images_per_s(), chosen.images_per_s());
    }
  }
  EXPECT_GT(larger, 0) << "the largest output stage was taken";
}

TEST_F(PlanTest, WideActivationsHaveTheBoardsDigitsUnlessGiven) {
  board_.wide_digits = 2;
  EXPECT_EQ(plan_for_board(graph_, board_, {}).value().program.config.act_digits, 1);
  PlanLimits l;
  l.act_bits = 12;
  const auto wide = plan_for_board(graph_, board_, l);
  ASSERT_TRUE(wide.ok()) << wide.error().message;
  EXPECT_EQ(wide->program.config.act_digits, 2);
  l.pe = PeKind::kVpe;
  EXPECT_EQ(plan_for_board(graph_, board_, l).value().program.config.act_digits, 1);
  l.pe = PeKind::kSvpe;
  l.act_digits = 1;
  EXPECT_EQ(plan_for_board(graph_, board_, l).value().program.config.act_digits, 1);
  l.act_bits = 0;
  l.act_digits = 2;
  EXPECT_EQ(plan_for_board(graph_, board_, l).value().program.config.act_digits, 2);
}

TEST_F(PlanTest, KeepsTheLanesThatAreFixed) {
  PlanLimits l;
  l.pe = PeKind::kVpe;
  l.lanes_in = 4;
  l.lanes_out = 12;
  l.pixels = 2;
  const auto plan = plan_for_board(graph_, board_, l);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->program.config.lanes_in, 4);
  EXPECT_EQ(plan->program.config.lanes_out, 12);
  EXPECT_EQ(plan->program.config.pixels, 2);
  EXPECT_LE(plan->resources.dsp, board_.budget().dsp);
  l.lanes_out = 10;
  EXPECT_EQ(plan_for_board(graph_, board_, l).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(PlanTest, AnEngineNamedWholeMayExceedTheBudgetByTheModelsError) {
  PlanLimits l;
  l.lanes_in = l.lanes_out = 8;
  l.pixels = 2;
  l.images = 2;
  l.out_cycles = 1;
  const auto plan = plan_for_board(graph_, board_, l);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const double lut = plan->resources.lut + plan->resources.lutram;
  Board small = board_;
  small.resources.lut = static_cast<int>(lut / 1.02 / small.use);
  EXPECT_TRUE(plan_for_board(graph_, small, l).ok());
  small.resources.lut = static_cast<int>(lut / 1.05 / small.use);
  EXPECT_FALSE(plan_for_board(graph_, small, l).ok());
}

TEST_F(PlanTest, OutputLanesAloneMayBeFixed) {
  PlanLimits l;
  l.lanes_out = 64;
  const auto plan = plan_for_board(graph_, board_, l);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->program.config.lanes_out, 64);
}

TEST_F(PlanTest, WithFixedImagesNothingThatFitsIsMuchFaster) {
  PlanLimits l;
  l.images = 1;
  const auto plan = plan_for_board(graph_, board_, l);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const auto all = explore(graph_, *search_space(board_));
  ASSERT_TRUE(all.ok());
  std::uint64_t least = plan->cycles();
  for (const DesignPoint& p : all->points)
    if (p.config.images == 1) least = std::min(least, p.cycles.total);
  EXPECT_LE(0.99 * static_cast<double>(plan->cycles()), static_cast<double>(least));
}

TEST_F(PlanTest, MultipliersOfAnyWidthAreTried) {
  board_ = find_board("zcu102").value();
  PlanLimits l;
  l.mult_bits = 4;  // 3-bit codes are at most 4
  l.pe = PeKind::kVpe;
  const auto narrow = plan_for_board(graph_, board_, l);
  ASSERT_TRUE(narrow.ok()) << narrow.error().message;
  l.mult_bits = 8;
  l.pe = PeKind::kVpe2;
  const auto pairs = plan_for_board(graph_, board_, l);
  ASSERT_TRUE(pairs.ok()) << pairs.error().message;
  EXPECT_GE(pairs->program.config.pixels, 2);
}

TEST_F(PlanTest, AnAxiBoardsTopGetsItsBusAndNoPreload) {
  board_ = find_board("zcu102").value();
  const auto plan = plan_for_board(graph_, board_, {});
  ASSERT_TRUE(plan.ok());
  const fs::path dir = fs::temp_directory_path() / fmt::format("nbq_axi_plan_test_{}", ::getpid());
  ASSERT_TRUE(write_board_image(*plan, board_, dir).ok());
  const std::string header = read_text_file(dir / "nbq_config.svh").value();
  EXPECT_THAT(header, HasSubstr(".AxiBits(128), "));
  EXPECT_THAT(header, ::testing::Not(HasSubstr("Preload")));
  EXPECT_EQ(header.find("AxiBits"), header.rfind("AxiBits"));
  fs::remove_all(dir);
}

TEST_F(PlanTest, StreamsTheWeightsThatDoNotFitABoardWithABus) {
  const Graph resnet = load_nbq(fs::path(NBQ_SOURCE_DIR) / "zoo/resnet20-cifar10-w3a8.nbq").value();
  board_ = find_board("zcu102").value();
  board_.resources.bram = 40;
  const auto plan = plan_for_board(resnet, board_, {});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const Program& p = plan->program;
  EXPECT_GT(p.stream_words, 0);
  EXPECT_LE(plan->resources.bram, board_.budget().bram);
  EXPECT_LE(plan->resources.lut + plan->resources.lutram, board_.budget().lut);
  EXPECT_GT(plan->external_bytes_per_image(),
            static_cast<double>(p.stream_words * p.config.lanes_in * p.config.lanes_out * 3 / 8) /
                p.config.images);
  const fs::path dir = fs::temp_directory_path() / fmt::format("nbq_stream_test_{}", ::getpid());
  ASSERT_TRUE(write_board_image(*plan, board_, dir).ok());
  EXPECT_EQ(fs::file_size(dir / "stream.bin"), stream_bytes(p).size());
  EXPECT_GT(stream_bytes(p).size(), 0U);
  fs::remove_all(dir);
  board_.axi_bits = 0;
  EXPECT_FALSE(plan_for_board(resnet, board_, {}).ok());
}

TEST_F(PlanTest, SaysWhatIsTooLarge) {
  board_.resources.bram = 1;
  const auto plan = plan_for_board(graph_, board_, {});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(plan.error().message, HasSubstr("ulx3s-85f"));
  EXPECT_THAT(plan.error().message, HasSubstr("most weights are of layer"));
  EXPECT_THAT(plan.error().message, HasSubstr("block RAMs of 1"));
}

TEST_F(PlanTest, WritesWhatTheTopReads) {
  const auto plan = plan_for_board(graph_, board_, {});
  ASSERT_TRUE(plan.ok());
  const fs::path dir = fs::temp_directory_path() / fmt::format("nbq_plan_test_{}", ::getpid());
  const auto written = write_board_image(*plan, board_, dir);
  ASSERT_TRUE(written.ok()) << written.error().message;
  const EngineConfig& c = plan->program.config;
  const std::string header = read_text_file(dir / "nbq_config.svh").value();
  EXPECT_THAT(header, HasSubstr(fmt::format(".LanesIn({})", c.lanes_in)));
  EXPECT_THAT(header, HasSubstr(".Preload(1)"));
  EXPECT_THAT(header, HasSubstr("NBQ_CLOCKS_PER_BIT 29"));
  // Column 0 of the program's arrays, put together, is the binary file.
  const auto binary = read_file(dir / "program.bin").value();
  std::vector<std::uint32_t> words;
  for (const RamPiece& p : ram_pieces(c.program_depth)) {
    const int index = static_cast<int>(std::ceil(std::log2((p.words + 511) / 512))) + 1;
    std::istringstream lines(
        read_text_file(dir / fmt::format("program_{:02}_000.hex", index)).value());
    for (std::string line; std::getline(lines, line);)
      words.push_back(static_cast<std::uint32_t>(std::stoul(line, nullptr, 16)));
  }
  ASSERT_EQ(words.size(), static_cast<std::size_t>(c.program_depth));
  ASSERT_EQ(binary.size(), plan->program.instructions.size() * kInstrWords * 4);
  for (std::size_t i = 0; i < binary.size(); ++i)
    ASSERT_EQ(binary[i], static_cast<std::uint8_t>(words[i / 4] >> (8 * (i % 4)))) << i;
  fs::remove_all(dir);
}

}  // namespace
}  // namespace nbq::hw
