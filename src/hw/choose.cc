#include "hw/choose.h"

#include <algorithm>
#include <optional>

#include "hw/explore.h"
#include "hw/memories.h"
#include "hw/pll.h"
#include "hw/resource_model.h"

namespace nbq::hw {
namespace {

/// How far the resource model may be off (resource_model.def has its errors).
constexpr double kModelError = 0.03;

Result<ExploreOptions> options_for(const Board& board, const PlanLimits& limits) {
  NBQ_ASSIGN(ExploreOptions o, search_space(board));
  o.kinds = {limits.pe};
  o.act_bits = {limits.act_bits};
  o.act_digits = limits.act_digits;
  o.mult_bits = limits.mult_bits;
  if (limits.broadcast >= 0) o.broadcast = limits.broadcast;
  if (limits.out_cycles > 0) o.out_cycles = {limits.out_cycles};
  if (limits.lanes_in > 0) o.lanes_in = {limits.lanes_in};
  if (limits.pixels > 0) o.pixels = {limits.pixels};
  o.images = limits.images;
  // Somebody who names the whole engine may know better than the model.
  if (limits.lanes_in > 0 && limits.lanes_out > 0 && limits.pixels > 0 && limits.images > 0) {
    o.budget.lut = static_cast<int>(o.budget.lut * (1 + kModelError));
    o.budget.ff = static_cast<int>(o.budget.ff * (1 + kModelError));
  }
  return o;
}

/// Lanes that are fixed must be an engine: M a multiple of C.
Status fix_lanes_out(const PlanLimits& limits, ExploreOptions& o) {
  if (limits.lanes_out == 0) return ok_status();
  std::erase_if(o.lanes_in, [&](int c) {
    return limits.lanes_out % c != 0 || limits.lanes_out / c > kMaxOutWords;
  });
  if (o.lanes_in.empty())
    return make_error(
        ErrorCode::kInvalidArgument, "lanes-out {}: must be 1 to {} times lanes-in ({})",
        limits.lanes_out, kMaxOutWords,
        limits.lanes_in > 0 ? fmt::format("{}", limits.lanes_in) : std::string("4 to 64"));
  o.blocks.clear();
  for (const int c : o.lanes_in) o.blocks.push_back(limits.lanes_out / c);
  std::sort(o.blocks.begin(), o.blocks.end());
  o.blocks.erase(std::unique(o.blocks.begin(), o.blocks.end()), o.blocks.end());
  return ok_status();
}

/// What makes a network too large: the memories of one core, and the layers that they are for.
std::string memory_needs(const Graph& g, const Program& p, const Board& board) {
  const Node* weights = &g.nodes[0];
  const Node* values = &g.nodes[0];
  for (const Node& n : g.nodes) {
    if (n.po2.codes.size() > weights->po2.codes.size()) weights = &n;
    if (n.shape.size() > values->shape.size()) values = &n;
  }
  std::string s;
  for (const EngineMemory& m : engine_memories(p.config))
    s += fmt::format("{} {:.0f} kbit, ", m.name, static_cast<double>(m.bits()) / 1000);
  return fmt::format(
      "on {}x{}x{} lanes its memories take {}in {:g} block RAMs of {:g}; most "
      "weights are of layer {} ({}), the largest map is layer {}'s ({} values)",
      p.config.lanes_in, p.config.lanes_out, p.config.pixels, s,
      estimate_resources(p.config, board.family).bram, board.resources.bram, weights->name,
      weights->po2.codes.size(), values->name, values->shape.size());
}

/// Fewer columns, as the crossbar between banks and columns is what placement and routing suffer
/// from; `full`: or as many, no fewer lanes and fewer LUTs, as they suffer from a full device, too.
bool easier_to_route(const DesignPoint& a, const DesignPoint& b, bool full) {
  if (a.config.pixels != b.config.pixels) return a.config.pixels < b.config.pixels;
  return full && a.config.lanes() >= b.config.lanes() && a.lut() < b.lut();
}

/// The fastest engine that fits, but for one that is easier to route and hardly slower. On an ECP5
/// that is worth more than 4 % (docs/hardware.md); on others nothing has been routed.
Result<DesignPoint> pick(const Exploration& found, const Board& board, const PlanLimits& limits) {
  const bool routed = board.family == SynthTarget::kEcp5;
  const double hardly = routed ? 0.96 : 0.99;
  const DesignPoint *fastest = nullptr, *best = nullptr;
  for (const DesignPoint& p : found.points) {  // fastest first
    if (limits.lanes_out != 0 && p.config.lanes_out != limits.lanes_out) continue;
    if (fastest == nullptr) fastest = best = &p;
    if (p.images_per_s < hardly * fastest->images_per_s) break;
    if (easier_to_route(p, *best, routed)) best = &p;
  }
  if (best == nullptr) return make_error(ErrorCode::kUnsupported, "no engine of these lanes fits");
  return *best;
}

}  // namespace

Result<ExploreOptions> search_space(const Board& board) {
  ExploreOptions o;
  o.out_cycles = {1, 2, 4, 8, 16};
  o.target = element_target(board.family);
  o.budget = board.budget();
  o.clock_mhz = board.engine_mhz;
  o.axi_bits = board.axi_bits;
  o.broadcast = board.broadcast;
  o.wide_digits = board.wide_digits;
  if (board.family == SynthTarget::kEcp5) {
    NBQ_ASSIGN(const Ecp5Pll pll, ecp5_pll(board.input_mhz, board.engine_mhz));
    o.clock_mhz = pll.mhz;
  }
  o.estimate = [family = board.family](const EngineConfig& c) {
    return estimate_resources(c, family);
  };
  return o;
}

double BoardPlan::external_bytes_per_image() const {
  const EngineConfig& c = program.config;
  if (c.axi_bits == 0) return 0;
  return static_cast<double>(BusTiming(program, 0).beats() * (c.axi_bits / 8)) / c.images;
}

double BoardPlan::weight_bytes_per_s() const {
  const EngineConfig& c = program.config;
  return c.lanes_in * c.lanes_out * c.weight_bits() / 8.0 * clock_mhz * 1e6;
}

Result<BoardPlan> plan_for_board(const Graph& graph, const Board& board, const PlanLimits& limits) {
  NBQ_ASSIGN(ExploreOptions options, options_for(board, limits));
  NBQ_TRY(fix_lanes_out(limits, options));
  // What has no mapping is named before anything is said of sizes.
  NBQ_ASSIGN(const ProgramSketch sketch, ProgramSketch::create(graph));
  EngineConfig small = least_engine();
  small.pe = limits.pe;
  small.axi_bits = options.axi_bits;
  small.mult_bits = limits.mult_bits;
  small.act_bits = std::max(small.act_bits, limits.act_bits);
  small.lanes_in = small.lanes_out = options.lanes_in.front();
  small.pixels = options.pixels.front();
  NBQ_ASSIGN(const Program least, sketch.program(small));

  const auto found = explore(graph, options);
  Result<DesignPoint> best = found.ok() ? pick(*found, board, limits) : found.error();
  if (!best.ok()) {
    if (best.error().code != ErrorCode::kUnsupported) return best.error();
    return make_error(ErrorCode::kUnsupported, "{} does not fit {}: {}; {}",
                      graph.name.empty() ? "the network" : graph.name, board.name,
                      best.error().message, memory_needs(graph, least, board));
  }
  EngineConfig wanted = best->config;
  take_least_depths(wanted);
  NBQ_ASSIGN(Program program, compile(graph, wanted, best->limits));
  BoardPlan plan;
  plan.timing = predict(program);
  plan.resources = estimate_resources(program.config, board.family);
  plan.clock_mhz = options.clock_mhz;
  plan.program = std::move(program);
  return plan;
}

}  // namespace nbq::hw
