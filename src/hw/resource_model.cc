#include "hw/resource_model.h"

#include <cmath>

#include "hw/memories.h"

namespace nbq::hw {
namespace {

struct Coefficients {
  SynthTarget target;
  std::string_view term;
  double lut, ff;
};
constexpr auto xcup = SynthTarget::kXcup, ecp5 = SynthTarget::kEcp5;
constexpr Coefficients kCoefficients[] = {
#define NBQ_RESOURCE_TERM(target, term, lut, ff) {target, term, lut, ff},
#include "hw/resource_model.def"
};

struct BusCost {
  SynthTarget target;
  int lut, ff;
};
constexpr BusCost kBusCosts[] = {
#define NBQ_RESOURCE_BUS(target, lut, ff) {target, lut, ff},
#include "hw/resource_model.def"
};

EngineConfig config_of(int pe, int c, int m, int p, int b, int code_bits, int mult_bits,
                       int act_bits, int digits, int acc_bits, int out_cycles, int max_pool,
                       int align, int left) {
  EngineConfig e;
  e.pe = static_cast<PeKind>(pe);
  e.lanes_in = c;
  e.lanes_out = m;
  e.pixels = p;
  e.images = b;
  e.code_bits = code_bits;
  e.mult_bits = mult_bits;
  e.act_bits = act_bits;
  e.act_digits = digits;
  e.acc_bits = acc_bits;
  e.out_cycles = out_cycles;
  e.max_pool = max_pool != 0;
  e.align_bits = align;
  e.left_bits = left;
  // The depths of every run.
  e.act_depth = e.weight_depth = e.program_depth = 1024;
  e.param_depth = 64;
  e.result_depth = 16;
  return e;
}

}  // namespace

const std::vector<std::string_view>& resource_term_names() {
  static const std::vector<std::string_view> names = {
      "engine",               // sequencer, fetch, host, counters
      "column",               // address generator of an output column
      "weight bit",           // of a weight word: registers, broadcast
      "channel",              // output stage of one channel: two requantisations
      "channel bit",          // of an accumulator: bias, shift
      "align place",          // that a channel's residual sum may go up
      "far shift",            // of a channel that may go up more than three places
      "operand bit",          // of an activation word of a bank or lane
      "crossbar bit",         // of a bank's word at every lane
      "sum bit",              // accumulator, drain register and their multiplexer
      "residual bit",         // residual registers and their multiplexer
      "second residual bit",  // where a word takes several cycles
      "slice bit",            // there too: of a word that is put together
      "maximum bit",          // comparators of maximum pooling
      "svpe2 bit",
      "svpe3 bit",
      "svpe4 bit",
      "svpe5 bit",      // of a lane's shifted product
      "svpe tree bit",  // of an adder behind two lanes
      "svpe late bit",  // of lanes of eight, of which some wait for others (ECP5)
      "vpe tree bit",
      "vpe multiplier",
      "vpe2 tree bit",
      "vpe2 multiplier",
      "vpe skew bit",  // operands wait for their place in a cascade of DSP blocks
      "vpe2 skew bit"};
  return names;
}

std::vector<double> resource_terms(const EngineConfig& c) {
  const double copies = c.images, sums = copies * c.lanes_out * c.pixels, lanes = c.lanes();
  const double x_bits = c.operand_bits();
  const double word = copies * c.pixels * c.act_word_bits();
  const bool shift = c.pe == PeKind::kSvpe;
  const double product = x_bits + (shift ? (1 << (c.code_bits - 1)) - 2 : c.mult_bits);
  // Bits of all adders of the tree: half as many adders at each level, one bit wider.
  double tree = 0;
  for (int left = c.lanes_in / 2, level = 1; left >= 1; left /= 2, ++level)
    tree += left * (product + level);
  std::vector<double> t = {1,
                           copies * c.pixels,
                           static_cast<double>(c.lanes_in) * c.lanes_out * c.weight_bits(),
                           copies * c.lanes_in / c.out_cycles,
                           copies * c.lanes_in / c.out_cycles * c.acc_bits,
                           copies * c.lanes_in / c.out_cycles * c.align_bits,
                           c.left_bits > 3 ? copies * c.lanes_in / c.out_cycles : 0,
                           word,
                           word * (c.pixels - 1),
                           sums * c.acc_bits,
                           sums * c.act_bits,
                           c.out_cycles > 1 ? sums * c.act_bits : 0,
                           c.out_cycles > 1 ? copies * c.lanes_in * c.act_bits : 0,
                           c.max_pool ? copies * c.pixels * c.lanes_in * (c.act_bits + 1) : 0};
  for (int bits = 2; bits <= 5; ++bits)
    t.push_back(shift && c.code_bits == bits ? lanes * product : 0);
  t.push_back(shift ? sums * tree : 0);
  t.push_back(shift && c.code_bits == 3 && c.lanes_in >= 8
                  ? copies * c.lanes_in * (c.pixels * x_bits + c.lanes_out * c.code_bits)
                  : 0);
  for (const PeKind kind : {PeKind::kVpe, PeKind::kVpe2}) {
    t.push_back(c.pe == kind ? sums * tree : 0);
    t.push_back(c.pe == kind ? lanes : 0);
  }
  const double skew =
      copies * c.lanes_in * (c.lanes_in - 1) / 2 * (c.lanes_out * c.mult_bits + c.pixels * x_bits);
  for (const PeKind kind : {PeKind::kVpe, PeKind::kVpe2}) t.push_back(c.pe == kind ? skew : 0);
  return t;
}

Resources estimate_resources(const EngineConfig& c, SynthTarget target) {
  const std::vector<double> terms = resource_terms(c);
  double lut = 0, ff = 0;
  for (const Coefficients& k : kCoefficients)
    for (std::size_t i = 0; i < terms.size(); ++i)
      if (k.target == target && k.term == resource_term_names()[i]) {
        lut += k.lut * terms[i];
        ff += k.ff * terms[i];
      }
  Resources r;
  r.lut = static_cast<int>(std::lround(lut));
  r.ff = static_cast<int>(std::lround(ff));
  for (const BusCost& bus : kBusCosts)
    if (bus.target == target && c.axi_bits > 0) {
      r.lut += bus.lut;
      r.ff += bus.ff;
    }
  // Two products of a VPE2 share a DSP48E2; an ECP5 has no block that holds two.
  const bool shared = c.pe == PeKind::kVpe2 && target == SynthTarget::kXcup;
  r.dsp = c.pe == PeKind::kSvpe ? 0 : shared ? c.lanes() / 2 : c.lanes();
  for (const EngineMemory& m : engine_memories(c)) {
    const Resources part = memory_resources(m, target);
    r.bram += part.bram;
    r.lutram += part.lutram;
  }
  return r;
}

const std::vector<ResourceRun>& resource_runs() {
  static const std::vector<ResourceRun> runs = {
#define NBQ_RESOURCE_RUN(target, pe, c, m, p, b, code, mult, act, digits, acc, slow, pool, align, \
                         left, lut, ff, dsp, bram)                                                \
  {config_of(pe, c, m, p, b, code, mult, act, digits, acc, slow, pool, align, left),              \
   target,                                                                                        \
   lut,                                                                                           \
   ff,                                                                                            \
   dsp,                                                                                           \
   bram},
#include "hw/resource_model.def"
  };
  return runs;
}

}  // namespace nbq::hw
