#pragma once
#include <functional>
#include <map>
#include <vector>

#include "hw/compile.h"
#include "hw/synth.h"
#include "hw/timing.h"

namespace nbq::hw {

/// Which engines to look at, and what they may cost.
struct ExploreOptions {
  std::vector<PeKind> kinds = {PeKind::kSvpe};
  std::vector<int> lanes_in = {4, 8, 16, 32, 64};
  std::vector<int> blocks = {1, 2, 3, 4, 6, 8};  ///< M / C
  std::vector<int> pixels = {1, 2, 4, 8, 16};
  std::vector<int> act_bits = {0};  ///< at least; 0: the network's
  int mult_bits = 16;               ///< of the VPE
  int broadcast = 0;
  int act_digits = 0;   ///< of a shift array; 0: wide_digits above kNarrowActBits bits, else 1
  int wide_digits = 1;  ///< Board::wide_digits
  std::vector<int> out_cycles = {1};  ///< those up to lanes_in
  int images = 0;                     ///< at once; 0: every step, and as many as fit
  int axi_bits = 0;  ///< of the board's bus, over which weights come that don't fit; 0: none
  ElementTarget target = ElementTarget::kGeneric;
  Resources budget;  ///< lut (memories in LUTs included), ff, dsp and bram count
  double clock_mhz = 0;
  /// What an engine takes: estimate_resources() for a family. Must grow with the images at once.
  std::function<Resources(const EngineConfig&)> estimate;
  /// Energy of one array lane in one cycle, pJ, by element, where known.
  std::map<PeKind, double> pj_per_lane_cycle;
};

/// One engine that fits.
struct DesignPoint {
  EngineConfig config;
  MemoryLimits limits;            ///< with which compile() makes its program
  std::int64_t stream_words = 0;  ///< weight words of a run that come over the bus
  int image_taps = 1;             ///< of the first layer, side by side in the image
  Resources resources;
  CycleCounts cycles;  ///< of a run: config.images images
  double images_per_s = 0;
  double lanes_used = 0;    ///< fraction of the lane-cycles with a useful product
  double uj_per_image = 0;  ///< of the array alone; 0: unknown
  /// No engine with the same element is faster and as small, or needs less energy an image.
  bool best_for_lut = false, best_for_energy = false;

  int lut() const { return resources.lut + resources.lutram; }
};

struct Exploration {
  std::vector<DesignPoint> points;  ///< fastest first
  std::size_t considered = 0;       ///< engines, those that do not fit included
};

/// Every engine of the options for the network. Cycles are predict()'s. With a bus, an engine that
/// is too large with all weights on the chip streams them through what the block RAMs leave. Copies
/// of a core in lockstep (config.images) are tried in the steps 1, 2, 3, 4, 6, 8, 12, ... and as
/// many as fit.
/// Errors: whatever ProgramSketch finds; kUnsupported: nothing fits (the smallest engine's
/// numbers).
Result<Exploration> explore(const Graph& graph, const ExploreOptions& options);

}  // namespace nbq::hw
