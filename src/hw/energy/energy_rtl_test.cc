// What needs Verilator, yosys and OpenSTA: the recorded operands are the array's, the gates compute
// the same sums, OpenSTA agrees.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "core/file.h"
#include "hw/energy/energy.h"
#include "hw/energy/engine_energy.h"
#include "hw/energy/tiny_library.h"
#include "hw/energy/toggles.h"
#include "hw/engine.h"
#include "hw/program_model.h"
#include "integer_graph.h"
#include "ops/ref_executor.h"

namespace nbq::hw {
namespace {

/// A convolution with padding, a pooling, logits: taps, idle lanes and idle cycles.
Graph network(nbq::testing::IntegerGraph& g) {
  const ActFormat act = ActFormat::make(8, false, -5);
  Conv2dAttrs conv;
  conv.out_channels = 4;
  conv.window.kernel_h = conv.window.kernel_w = 3;
  conv.window.pad_top = conv.window.pad_left = conv.window.pad_bottom = conv.window.pad_right = 1;
  MaxPoolAttrs pool;
  pool.window.kernel_h = pool.window.kernel_w = pool.window.stride_h = pool.window.stride_w = 2;
  const int a = g.add(conv, 0, act, {});
  const int f = g.add(FlattenAttrs{}, g.add(pool, a));
  g.add(LinearAttrs{4, true}, f, ActFormat{}, {});
  return g.finish().value();
}

Program program_for(const Graph& graph, int lanes, int pixels) {
  EngineConfig c;
  c.lanes_in = c.lanes_out = lanes;
  c.pixels = pixels;
  c.code_bits = 2;
  c.act_bits = 2;
  c.acc_bits = kMinAccBits;
  c.act_depth = c.weight_depth = 256;
  c.param_depth = c.result_depth = 16;
  c.program_depth = 64;
  return compile(graph, c).value();
}

CellLibrary tiny_library() {
  const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) /
                                     fmt::format("nbq_energy_rtl_{}.lib", ::getpid());
  NBQ_CHECK(write_file(path, tiny_liberty()).ok());
  auto library = load_cell_library(path);
  std::filesystem::remove(path);
  return std::move(library).value();
}

#define NBQ_VALUE(name, expression)                                                 \
  auto name##_result = (expression);                                                \
  if (!name##_result.ok() && name##_result.error().code == ErrorCode::kToolMissing) \
    GTEST_SKIP() << name##_result.error().message;                                  \
  ASSERT_TRUE(name##_result.ok()) << name##_result.error().message;                 \
  auto& name = *name##_result

TEST(Stimulus, HoldsTheArraysOperandsOfWholeImages) {
  nbq::testing::IntegerGraph maker(3, {3, 6, 6});
  const Graph graph = network(maker);
  const Program program = program_for(graph, 4, 1);
  const std::vector<std::uint8_t> pixels = maker.pixels(2);
  const int outputs = 4;
  // First how long an image takes, then one window over all of it but its last cycle.
  NBQ_VALUE(brief, record_stimulus(program, pixels, outputs, {2, 4, 1}));
  EXPECT_EQ(brief.windows.size(), 2u);
  const int cycles = static_cast<int>(brief.image_cycles) - 1;
  NBQ_VALUE(whole, record_stimulus(program, pixels, outputs, {2, cycles, 1}));
  ASSERT_EQ(whole.windows.size(), 2u);
  const auto ref = RefExecutor::create(graph).value();
  const auto logits = ref.run(pixels, 2).value();
  for (std::size_t image = 0; image < 2; ++image) {
    const StimulusWindow& w = whole.windows[image];
    EXPECT_EQ(w.warm_up, 0u);
    std::int64_t taps = 0, sums = 0;
    for (std::size_t t = 0; t < w.cycles(); ++t) {
      taps += w.valid[t];
      sums += w.last[t];
    }
    // Maxima are not the array's; 36 pixels of the convolution, and the logits.
    EXPECT_EQ(sums, 36 + 1);
    EXPECT_EQ(taps, whole.image_taps);
    EXPECT_LT(taps, whole.image_cycles);
    // The last sums are the logits without their biases.
    const auto sum = expected_sums(w, whole.lanes_in, outputs, program.config.acc_bits);
    const std::size_t par =
        static_cast<std::size_t>(program.instructions[program.instructions.size() - 2].par_base) *
        4;
    for (std::size_t m = 0; m < 4; ++m)
      EXPECT_EQ(sum[sum.size() - 4 + m] + program.params[par + m].bias, logits[image * 4 + m]);
  }
}

TEST(Stimulus, RefusesSlicesAndWindowsThatDoNotFit) {
  nbq::testing::IntegerGraph maker(3, {3, 6, 6});
  const Program program = program_for(network(maker), 4, 1);
  const auto slice = record_stimulus(program, maker.pixels(1), 3, {});
  ASSERT_FALSE(slice.ok());
  EXPECT_EQ(slice.error().code, ErrorCode::kInvalidArgument);
  const auto windows = record_stimulus(program, maker.pixels(1), 2, {1000, 1000, 1});
  ASSERT_FALSE(windows.ok());
  if (windows.error().code != ErrorCode::kToolMissing) {
    EXPECT_NE(windows.error().message.find("sample less"), std::string::npos);
  }
}

TEST(Energy, GatesOfBothKindsGiveTheSumsAndOpenStaAgrees) {
  nbq::testing::IntegerGraph maker(3, {3, 6, 6});
  const Program program = program_for(network(maker), 4, 2);
  NBQ_VALUE(stimulus, record_stimulus(program, maker.pixels(2), 2, {6, 20, 5}));
  const CellLibrary library = tiny_library();
  SliceRequest request{program.config, 2, 100};
  NBQ_VALUE(svpe, measure_energy(request, stimulus, library, 0, 2));
  request.config.pe = PeKind::kVpe;
  NBQ_VALUE(vpe, measure_energy(request, stimulus, library, 0, 2));
  for (const EnergyResult* r : {&svpe, &vpe}) {
    EXPECT_EQ(r->activity.cycles, 6 * 20);
    EXPECT_GT(r->sums_checked, 200);
    EXPECT_GE(r->activity.all.total(), r->activity.settled.total());
    EXPECT_GT(r->sta.slack_ns, 0);
    // Tables without slopes: the tools can differ only in how they count.
    EXPECT_NEAR(r->uniform.switching / r->sta.power.switching, 1, 0.02);
    EXPECT_NEAR(r->uniform.leakage / r->sta.power.leakage, 1, 1e-3);
    EXPECT_NEAR(r->uniform.internal / r->sta.power.internal, 1, 0.2);
  }
  EXPECT_LT(2 * svpe.area, vpe.area);
  EXPECT_LT(svpe.pj_per_cycle(true), vpe.pj_per_cycle(true));
}

TEST(EngineEnergy, GatesAreTheRtlInEveryCycle) {
  nbq::testing::IntegerGraph maker(3, {3, 6, 6});
  const Graph graph = network(maker);
  const CellLibrary library = tiny_library();
  const auto pixels = maker.pixels(2);
  EngineEnergyRequest r;
  r.config = program_for(graph, 4, 2).config;
  r.config.mult_bits = 8;
  double no_copies = 0;
  for (const PeKind pe : {PeKind::kSvpe, PeKind::kVpe}) {
    r.config.pe = pe;
    NBQ_VALUE(e, measure_engine(graph, r, library, pixels));
    EXPECT_GT(e.compared, 30 * e.cycles);
    EXPECT_GT(e.shared.pj, 0);
    EXPECT_GT(e.image.pj, 0);
    // A word of weights while the array takes a tap, a word of each image's activations, and less.
    EXPECT_GT(e.shared.read_bits, 8);
    EXPECT_GT(e.image.read_bits, 0.3 * 2 * 4 * r.config.act_bits);
    EXPECT_LT(e.image.write_bits, e.image.read_bits);
    EXPECT_NEAR(e.all(3).pj, e.shared.pj + 3 * e.image.pj, 1e-6);
    if (pe == PeKind::kSvpe) no_copies = e.image.flip_flops;
    r.config.broadcast = 2;  // the multipliers' engine
  }
  // Weights that use all bits of a multiplier are other ones, in the same engine.
  NBQ_VALUE(few, measure_engine(graph, r, library, pixels));
  r.dense_bits = 8;
  NBQ_VALUE(many, measure_engine(graph, r, library, pixels));
  EXPECT_NE(many.all(1).settled_pj, few.all(1).settled_pj);
  EXPECT_EQ(many.all(1).flip_flops, few.all(1).flip_flops);
  // Copies stay apart: of the last register stage an image has its own, weights and all.
  EXPECT_GT(many.image.flip_flops - no_copies, 4 * 4 * 8);
}

TEST(Toggles, CellsOfBothFamiliesGiveTheSums) {
  nbq::testing::IntegerGraph maker(3, {3, 6, 6});
  Program program = program_for(network(maker), 4, 2);
  program.config.code_bits = 3;  // shaped shift elements; the weights are the same
  NBQ_VALUE(stimulus, record_stimulus(program, maker.pixels(2), 4, {6, 20, 5}));
  for (const SynthTarget target : {SynthTarget::kEcp5, SynthTarget::kXcup})
    for (const PeKind pe : {PeKind::kSvpe, PeKind::kVpe}) {
      SCOPED_TRACE(fmt::format("{} {}", target_name(target), pe_name(pe)));
      SliceRequest request{program.config, 4, 50};
      request.config.pe = pe;
      NBQ_VALUE(r, measure_toggles(request, target, stimulus, 2));
      EXPECT_EQ(r.activity.cycles, 6 * 20);
      EXPECT_GT(r.sums_checked, 400);
      EXPECT_EQ(r.dsps, pe == PeKind::kVpe ? 16 : 0);
      EXPECT_GT(r.luts + r.flip_flops, 0);
      EXPECT_GT(r.toggles(), 1);
      EXPECT_GT(r.pins(), r.toggles());
    }
}

TEST(Energy, RefusesAClockThatIsTooFast) {
  nbq::testing::IntegerGraph maker(3, {3, 6, 6});
  const Program program = program_for(network(maker), 4, 2);
  NBQ_VALUE(stimulus, record_stimulus(program, maker.pixels(1), 2, {2, 20, 5}));
  const auto r = measure_energy({program.config, 2, 20000}, stimulus, tiny_library(), 0, 1);
  ASSERT_FALSE(r.ok());
  if (r.error().code != ErrorCode::kToolMissing) {
    EXPECT_NE(r.error().message.find("slack"), std::string::npos) << r.error().message;
  }
}

}  // namespace
}  // namespace nbq::hw
