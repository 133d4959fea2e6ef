// The whole engine, Verilated: hand-made programs against a naive model.
#include <array>
#include <bit>
#include <thread>

#include "hw/engine_bench.h"
#include "hw/sim.h"
#include "hw/timing.h"

namespace nbq::hw {
namespace {

EngineConfig config(PeKind pe, int c, int m, int p, int code_bits, int act_bits, int acc_bits) {
  EngineConfig e;
  e.pe = pe;
  e.lanes_in = c;
  e.lanes_out = m;
  e.pixels = p;
  e.code_bits = code_bits;
  e.act_bits = act_bits;
  e.acc_bits = acc_bits;
  e.act_depth = 2048;
  e.weight_depth = 256;
  e.param_depth = 32;
  e.result_depth = 1024;
  e.program_depth = 1024;
  return e;
}

#define NBQ_OPEN(name, config)                                                      \
  auto name##_result = open_sim(config);                                            \
  if (!name##_result.ok() && name##_result.error().code == ErrorCode::kToolMissing) \
    GTEST_SKIP() << name##_result.error().message;                                  \
  ASSERT_TRUE(name##_result.ok()) << name##_result.error().message;                 \
  Device& name = **name##_result

class EngineTest : public testing::TestWithParam<EngineConfig> {
 protected:
  std::int64_t random(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(rng_);
  }
  int random_int(int low, int high) { return static_cast<int>(random(low, high)); }
  void fill(TestMap& m, int act_bits) {
    const std::int64_t high = (std::int64_t{1} << (m.is_signed ? act_bits - 1 : act_bits)) - 1;
    for (std::int64_t& v : m.data) v = random(m.is_signed ? -high - 1 : 0, high);
  }
  std::int64_t random_weight(const EngineConfig& c) {
    if (c.pe == PeKind::kVpe) {
      const std::int64_t limit = std::int64_t{1} << std::min(c.mult_bits - 1, 8);
      return random(-limit, limit - 1);
    }
    const int k = random_int(0, (1 << (c.code_bits - 1)) - 1);
    const std::int64_t level = k == 0 ? 0 : std::int64_t{1} << (k - 1);
    return random(0, 1) != 0 ? -level : level;
  }
  /// A map of random values for every image.
  std::vector<TestMap> load_images(EngineBench& bench, const TestMap& shape,
                                   const EngineConfig& c) {
    std::vector<TestMap> maps(static_cast<std::size_t>(c.images), shape);
    for (int i = 0; i < c.images; ++i) {
      fill(maps[static_cast<std::size_t>(i)], c.act_bits);
      bench.select(i);
      bench.load(maps[static_cast<std::size_t>(i)]);
    }
    return maps;
  }
  std::mt19937_64 rng_;
};

/// The counters say what the program alone foretells.
void expect_predicted_counters(const EngineConfig& c, EngineBench& bench,
                               const std::vector<Instruction>& program) {
  Stopwatch watch(c);
  for (const Instruction& i : program) watch.run(i);
  watch.finish();
  const CycleCounts want = watch.all();
  EXPECT_EQ(bench.read(Reg::cycles), want.total);
  EXPECT_EQ(bench.read(Reg::busy_cycles), want.busy);
  EXPECT_EQ(bench.read(Reg::residual_cycles), want.residual);
  EXPECT_EQ(bench.read(Reg::drain_cycles), want.drain);
  EXPECT_EQ(bench.read(Reg::barrier_cycles), want.barrier);
  EXPECT_EQ(bench.read(Reg::fetch_cycles), want.fetch);
}

/// One convolution or pooling with all that belongs to it.
struct Layer {
  Instruction i;
  WeightTable weights;
  std::vector<std::pair<int, std::int64_t>> params;
  TestMap out;
};

/// The dumped output of one layer, from result word `at` on.
void check_layer(EngineBench& bench, const EngineConfig& c, Layer& layer, TestMap& in,
                 TestMap& residual, int at) {
  const Instruction& i = layer.i;
  for (int m = 0; m < layer.out.planes * c.lanes_in; ++m)
    for (int y = 0; y < layer.out.h; ++y)
      for (int x = 0; x < layer.out.w; ++x) {
        const auto& [shift, bias] = layer.params[static_cast<std::size_t>(m)];
        std::int64_t v = naive_acc(i, in, layer.weights, m, y, x);
        if (v == INT64_MIN) v = -(std::int64_t{1} << c.act_bits);  // no tap inside
        v = requantize(v + bias, shift, i.lo, i.hi);
        if (i.res_en != 0)
          v = requantize((v << i.res_lsh_acc) + (residual.at(m, y, x) << i.res_lsh_res),
                         static_cast<int>(i.res_rsh), i.res_lo, i.res_hi);
        const int word = at + (m / c.lanes_in * layer.out.h + y) * layer.out.w + x;
        // The dump reads the map as it was declared, so signs come out right.
        ASSERT_EQ(bench.result(word, m % c.lanes_in), v)
            << "channel " << m << " y " << y << " x " << x;
      }
}

TEST_P(EngineTest, RandomProgramsMatchTheDefinition) {
  const EngineConfig c = GetParam();
  NBQ_OPEN(device, c);
  EngineBench bench(c, device);
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  rng_.seed(seed);
  const int p_log2 = std::countr_zero(static_cast<unsigned>(c.pixels));
  const int max_words = c.lanes_out / c.lanes_in;

  for (int round = 0; round < 60; ++round) {
    // Two independent layers over one input, overlapping freely; then both outputs are read.
    const int bs = random_int(0, 2);
    TestMap in = TestMap::make(c, random_int(1, 2), random_int(1, 7), random_int(1, 11),
                               random(0, 1) != 0, bs, random_int(0, 9));
    std::vector<TestMap> ins = load_images(bench, in, c);
    int free_word = in.end() + random_int(0, 3);
    int free_weight = 1, free_param = 1;
    std::vector<Layer> layers;
    std::vector<std::vector<TestMap>> residuals;
    std::vector<Instruction> program;
    for (int l = 0; l < 2; ++l) {
      Layer layer;
      const bool pool = random(0, 3) == 0;
      const int kh = random_int(1, 3), kw = random_int(1, 3), stride = random_int(1, 4),
                dil = random_int(1, 2), pad = random_int(0, std::min(kh, kw) - 1);
      const int out_h = std::max(1, (in.h + 2 * pad - (kh - 1) * dil - 1) / stride + 1);
      const int out_w = std::max(1, (in.w + 2 * pad - (kw - 1) * dil - 1) / stride + 1);
      Instruction i = bench.conv(in, kh, kw, stride, dil, pad);
      const bool residual = random(0, 2) == 0;
      const bool signed_out = random(0, 1) != 0;
      const int words = pool ? 1 : random_int(1, max_words);
      layer.out = TestMap::make(c, words, out_h, out_w, signed_out, random_int(0, 2), free_word);
      free_word = layer.out.end();
      TestMap res =
          TestMap::make(c, words, out_h, out_w, random(0, 1) != 0, random_int(0, 1), free_word);
      free_word = res.end();
      // Lanes in use: as many as fall into different banks.
      const bool conflict =
          std::countr_zero(static_cast<unsigned>(stride)) != bs || (residual && res.bs != 0);
      i.pix_log2 = conflict ? 0 : random_int(0, p_log2);
      if (pool) {
        i.opcode = static_cast<std::int64_t>(Opcode::maxpool);
        i.red_cw = 1;
      } else {
        i.terms = random_int(1, 2);
      }
      i.out_h = out_h;
      i.out_w = out_w;
      i.out_words = words;
      i.out_bs = layer.out.bs;
      i.out_base = layer.out.base;
      i.out_row = layer.out.row;
      i.out_plane = layer.out.plane();
      i.wgt_base = free_weight;
      i.par_base = free_param;
      i.hi = (1 << (signed_out ? c.act_bits - 1 : c.act_bits)) - 1;
      i.lo = signed_out ? -i.hi - 1 : 0;
      if (residual) {
        i.res_en = 1;
        i.res_signed = res.is_signed;
        i.res_bs = res.bs;
        i.res_base = res.base;
        i.res_row = res.row;
        i.res_plane = res.plane();
        i.res_lsh_acc = random_int(0, 15);
        i.res_lsh_res = random_int(0, 15);
        i.res_rsh = random_int(-3, 20);
        i.res_hi = i.hi;
        i.res_lo = i.lo;
      }
      const auto weight_words = pool ? 0 : i.terms * i.red_cw * kh * kw;
      for (int n = 0; n < weight_words; ++n) {
        auto& word = layer.weights.emplace_back();
        for (int k = 0; k < c.lanes_in * c.lanes_out; ++k) word.push_back(random_weight(c));
      }
      for (int m = 0; m < words * c.lanes_in; ++m)
        layer.params.emplace_back(random_int(-2, 12), random(-2000, 2000));
      bench.load_weights(free_weight, layer.weights);
      bench.load_params(free_param, layer.params);
      free_weight += static_cast<int>(weight_words);
      free_param += words;
      i.barrier = random(0, 1);
      layer.i = i;
      program.push_back(i);
      layers.push_back(layer);
      residuals.push_back(load_images(bench, res, c));
    }
    bench.load_weights(0, {bench.identity()});
    bench.load_params(
        0, std::vector<std::pair<int, std::int64_t>>(static_cast<std::size_t>(c.lanes_in)));
    int at = 0;
    for (const Layer& layer : layers) {
      const auto dump = bench.dump_program(layer.out, 0, 0, at);
      program.insert(program.end(), dump.begin(), dump.end());
      at += layer.out.planes * layer.out.h * layer.out.w;
    }
    ASSERT_LE(at, c.result_depth);
    ASSERT_EQ(bench.run(program), EngineError::none) << "round " << round;
    expect_predicted_counters(c, bench, program);

    for (int image = 0; image < c.images; ++image) {
      SCOPED_TRACE(fmt::format("round {} image {}", round, image));
      bench.select(image);
      at = 0;
      for (std::size_t l = 0; l < layers.size(); ++l) {
        const auto n = static_cast<std::size_t>(image);
        check_layer(bench, c, layers[l], ins[n], residuals[l][n], at);
        at += layers[l].out.planes * layers[l].out.h * layers[l].out.w;
      }
      if (HasFatalFailure()) return;
    }
  }
}

/// Odd sizes, copies of the array, every way to broadcast.
std::vector<EngineConfig> configs() {
  std::vector<EngineConfig> all = {
      config(PeKind::kSvpe, 4, 8, 4, 3, 8, 32), config(PeKind::kSvpe, 2, 6, 1, 5, 16, 48),
      config(PeKind::kVpe, 2, 4, 2, 2, 8, 40), config(PeKind::kSvpe, 8, 8, 8, 2, 4, 24)};
  const auto odd = [](EngineConfig c, int images, int broadcast) {
    c.images = images;
    c.broadcast = broadcast;
    c.act_depth = 1537;
    c.weight_depth = 173;
    c.param_depth = 31;
    c.result_depth = 701;
    c.program_depth = 1000;
    return c;
  };
  all.push_back(odd(config(PeKind::kSvpe, 2, 6, 4, 3, 8, 32), 2, 3));
  all.push_back(odd(config(PeKind::kSvpe, 2, 2, 2, 4, 8, 32), 3, 1));
  all.push_back(odd(config(PeKind::kVpe, 2, 4, 2, 2, 8, 40), 2, 2));
  all.back().mult_bits = 8;
  all.back().out_cycles = 2;
  all.push_back(odd(config(PeKind::kSvpe, 4, 12, 4, 3, 8, 32), 2, 3));
  all.back().out_cycles = 4;
  // Two digits: with an odd bit, and with copies.
  all.push_back(config(PeKind::kSvpe, 2, 4, 2, 4, 9, 40));
  all.back().act_digits = all.back().out_cycles = 2;
  all.push_back(odd(config(PeKind::kSvpe, 4, 4, 4, 3, 16, 40), 2, 3));
  all.back().act_digits = 2;
  all.back().out_cycles = 4;
  return all;
}
INSTANTIATE_TEST_SUITE_P(Configs, EngineTest, testing::ValuesIn(configs()), [](const auto& p) {
  const EngineConfig& c = p.param;
  return fmt::format("{}_c{}_m{}_p{}_i{}_n{}_a{}x{}_b{}_o{}", pe_name(c.pe), c.lanes_in,
                     c.lanes_out, c.pixels, c.images, c.code_bits, c.act_bits, c.act_digits,
                     c.broadcast, c.out_cycles);
});

}  // namespace
}  // namespace nbq::hw
