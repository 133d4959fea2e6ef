#include "hw/synth.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/process.h"
#include "hw/board_image.h"
#include "hw/rtl_build.h"
#include "random_graph.h"

namespace nbq::hw {
namespace {

TEST(CountResources, AddsUpByTarget) {
  const auto x = count_resources({{"LUT1", 1},
                                  {"LUT6", 5},
                                  {"INV", 2},
                                  {"SRL16E", 3},
                                  {"FDRE", 7},
                                  {"DSP48E2", 4},
                                  {"RAMB36E2", 2},
                                  {"RAMB18E2", 3},
                                  {"RAM64M8", 2},
                                  {"CARRY8", 2},
                                  {"CARRY4", 1},
                                  {"MUXF7", 9}});
  ASSERT_TRUE(x.ok());
  EXPECT_EQ(*x, (Resources{11, 7, 4, 3.5, 16, 5}));
  const auto e = count_resources({{"LUT4", 10},
                                  {"CCU2C", 3},
                                  {"TRELLIS_FF", 4},
                                  {"DP16KD", 2},
                                  {"MULT18X18D", 1},
                                  {"TRELLIS_DPR16X4", 2},
                                  {"PFUMX", 8},
                                  {"$scopeinfo", 9}});
  ASSERT_TRUE(e.ok());
  EXPECT_EQ(*e, (Resources{16, 4, 1, 2.0, 12, 3}));
}

TEST(CountResources, RefusesUnmappedCells) {
  const auto r = count_resources({{"$mul", 1}});
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, ErrorCode::kUnsupported);
}

TEST(ReadStatistics, AddsUpTheHierarchyOfBothFormats) {
  const std::string old =
      "=== nbq_sub ===\n\n   Number of wires:  3\n   Number of cells:  3\n     LUT4   1\n     "
      "CCU2C  2\n\n"
      "=== top ===\n\n   Number of cells:  5\n     LUT4   1\n     nbq_sub 2\n     "
      "$paramod$1\\nbq_x  2\n"
      "=== $paramod$1\\nbq_x ===\n\n   Number of cells:  1\n     TRELLIS_FF  4\n"
      "=== design hierarchy ===\n\n   top   1\n     nbq_sub   2\n   Number of cells: 3\n     LUT4  "
      "99\n";
  const auto a = read_statistics(old, "top");
  ASSERT_TRUE(a.ok()) << a.error().message;
  EXPECT_EQ(a->lut, 1 + 2 * (1 + 2 * 2));
  EXPECT_EQ(a->ff, 8);
  const std::string fresh =
      "=== top ===\n\n      +--Local Count\n      |\n      4 wires\n      7 wire bits\n      3 "
      "ports\n"
      "      3 submodules\n      1   LUT4\n      2   nbq_sub\n\n=== nbq_sub ===\n\n      3 wires\n"
      "      1   LUT4\n      2   CCU2C\n\n=== design hierarchy ===\n      1   LUT4\n      2   "
      "nbq_sub\n";
  const auto b = read_statistics(fresh, "top");
  ASSERT_TRUE(b.ok()) << b.error().message;
  EXPECT_EQ(b->lut, 1 + 2 * (1 + 2 * 2));
  EXPECT_EQ(b->carry, 4);
  EXPECT_FALSE(read_statistics("nothing", "top").ok());
}

EngineConfig small(PeKind pe) {
  EngineConfig c;
  c.pe = pe;
  c.lanes_in = c.lanes_out = 2;
  c.pixels = 1;
  c.acc_bits = 24;
  c.act_depth = c.weight_depth = 1024;
  c.param_depth = 16;
  c.result_depth = 16;
  c.program_depth = 256;
  return c;
}

class SynthTest : public ::testing::TestWithParam<SynthTarget> {};

TEST_P(SynthTest, OnlyTheMultiplierEngineHasDsps) {
  const auto shift = synthesise(small(PeKind::kSvpe), GetParam());
  if (!shift.ok() && shift.error().code == ErrorCode::kToolMissing)
    GTEST_SKIP() << shift.error().message;
  ASSERT_TRUE(shift.ok()) << shift.error().message;
  EXPECT_EQ(shift->dsp, 0);
  EXPECT_GT(shift->lut, 500);
  EXPECT_GT(shift->ff, 500);
  EXPECT_GT(shift->bram, 0);
  const auto multiply = synthesise(small(PeKind::kVpe), GetParam());
  ASSERT_TRUE(multiply.ok()) << multiply.error().message;
  EXPECT_EQ(multiply->dsp, 4);  // one a lane
}

INSTANTIATE_TEST_SUITE_P(Targets, SynthTest,
                         ::testing::Values(SynthTarget::kXcup, SynthTarget::kEcp5),
                         [](const auto& p) { return std::string(target_name(p.param)); });

/// Copies of the array cost what they should, and logic synthesis keeps the broadcast's registers
/// apart; what exists once stays once.
TEST(Synth, ImagesShareWhatExistsOnce) {
  EngineConfig c = small(PeKind::kSvpe);
  c.broadcast = 2;
  const auto one = synthesise(c, SynthTarget::kEcp5);
  if (!one.ok() && one.error().code == ErrorCode::kToolMissing) GTEST_SKIP() << one.error().message;
  ASSERT_TRUE(one.ok()) << one.error().message;
  c.images = 3;
  const auto three = synthesise(c, SynthTarget::kEcp5);
  ASSERT_TRUE(three.ok()) << three.error().message;
  const int image_ff = (three->ff - one->ff) / 2;
  EXPECT_GT(image_ff, 300);
  EXPECT_GT(one->ff, image_ff + 1000);  // sequencer, feed, drain, host
  EXPECT_LT(three->bram, 3 * one->bram);
  EXPECT_EQ(three->dsp, 0);
}

/// The board's own top, with its memories' first contents, as `nbq synth --board` gives it to
/// yosys.
TEST(BoardTop, OfAnEcp5Elaborates) {
  const auto yosys = find_tool("yosys", "yosys");
  if (!yosys.ok()) GTEST_SKIP() << yosys.error().message;
  PlanLimits limits;
  limits.lanes_in = limits.lanes_out = 4;
  limits.pixels = limits.images = 1;
  const Graph graph = testing::RandomGraph(3).make_integer(3, 8);
  const Board board = find_board("ulx3s-85f").value();
  const auto plan = plan_for_board(graph, board, limits);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const auto dir =
      std::filesystem::temp_directory_path() / fmt::format("nbq_board_top_{}", ::getpid());
  ASSERT_TRUE(write_board_image(*plan, board, dir).ok());
  std::string files;
  for (const char* list : {"files.f", "boards/files.f"})
    for (const auto& f : rtl_sources(list).value()) files += " " + f.string();
  const auto run = run_process(
      {yosys->string(), "-e", ".*", "-p",
       fmt::format(
           "read_verilog -sv -defer -I.{} {}/boards/{}.sv; {}; hierarchy -check -top {}; proc; "
           "check -assert",
           files, rtl_dir().string(), board.top, read_cells_command(board.family), board.top)},
      dir);
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_EQ(run->exit_code, 0) << log_tail(run->output, 8);
  std::filesystem::remove_all(dir);
}

TEST(Synth, RefusesImpossibleEngines) {
  EngineConfig c = small(PeKind::kSvpe);
  c.lanes_in = 3;
  const auto r = synthesise(c, SynthTarget::kXcup);
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace nbq::hw
