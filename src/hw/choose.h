#pragma once
#include <string>
#include <vector>

#include "hw/board.h"
#include "hw/compile.h"
#include "hw/explore.h"
#include "hw/timing.h"

namespace nbq::hw {

/// A network on a board: the engine, its program, and what both cost before any synthesis.
struct BoardPlan {
  Program program;
  Resources resources;  ///< estimate_resources()
  Timing timing;        ///< of one run, which gives config.images images
  double clock_mhz = 0;

  std::uint64_t cycles() const { return timing.all.total; }
  double images_per_s() const {
    return program.config.images * clock_mhz * 1e6 / static_cast<double>(cycles());
  }
  /// Bytes of weights the array takes a second, from the chip's own memory.
  double weight_bytes_per_s() const;
  /// Bytes over the board's bus: streamed weights, an image, its logits.
  double external_bytes_per_image() const;
};

/// What a search may not change.
struct PlanLimits {
  PeKind pe = PeKind::kSvpe;
  int act_bits = 0;    ///< at least
  int act_digits = 0;  ///< 0: the board's for activations of more than 8 bits, else 1
  int mult_bits = 16;  ///< of a VPE
  int broadcast = -1;  ///< -1: the board's
  /// 0: searched; as many images at once as fit. All but out_cycles given: the estimate of LUTs and
  /// flip-flops may be 3 % above what the board allows, about the model's error.
  int lanes_in = 0, lanes_out = 0, pixels = 0, images = 0, out_cycles = 0;
};

/// Every core for a board: its budget, family, resource model, and the clock that its PLL makes.
/// Error kInvalidArgument: no such clock.
Result<ExploreOptions> search_space(const Board& board);

/// The engine for `graph` that gives the most images a second on `board` by the cycle count, within
/// the fraction of its resources that the board lets an engine use; but one of fewer columns that
/// is up to 1 % slower, and on an ECP5 one of fewer columns, or of as many lanes and fewer LUTs,
/// that is up to 4 % slower. Errors: kUnsupported (too big: the numbers, and the layers with the
/// most weights and the largest map; a layer without a mapping, named), kInvalidArgument (fixed
/// lanes that are no engine).
Result<BoardPlan> plan_for_board(const Graph& graph, const Board& board, const PlanLimits& limits);

}  // namespace nbq::hw
