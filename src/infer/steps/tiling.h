#pragma once
#include <algorithm>
#include <cstdint>

#include "infer/kernels/kernel_set.h"

namespace nbq::infer {

/// How a layer's outputs are cut into tiles.
struct Tiling {
  int block_vectors = 1;        ///< output channels whose weights lie together, in vectors
  int tile_vectors = 1;         ///< of those, what a tile takes at a time
  int pixels = 1;               ///< of a tile, at most
  int most = 1;                 ///< of the largest tile there is
  bool packed = false;          ///< one pixel: weights are decoded inside the sum
  const DotFn* dots = nullptr;  ///< by pixels - 1

  DotFn dot(int tile_pixels) const { return dots[tile_pixels - 1]; }
};

/// The cheapest by KernelSet::step_cost. `pixels`: of a row.
Tiling choose_tiling(const KernelSet& kernels, bool wide, int outputs, int pixels);

/// Cycles, about, for one block of a row of `pixels`, each a sum of so many steps.
double row_cycles(const KernelSet& kernels, const Tiling& tiling, bool wide, int pixels,
                  std::int64_t steps);

/// How threads share a layer's lines of outputs and blocks of channels: whichever leaves the
/// slowest thread less. Those that share lines decode all weights each; few lines (or blocks) can't
/// be shared evenly.
struct Split {
  bool by_lines = true;
  double cycles = 0;  ///< of the slowest thread
};

/// cost(lines, blocks): cycles of so much.
template <class Cost>
Split choose_split(std::int64_t lines, std::int64_t blocks, int threads, const Cost& cost) {
  const auto most = [&](std::int64_t count) { return (count + threads - 1) / threads; };
  const double by_lines = cost(most(lines), blocks), by_blocks = cost(lines, most(blocks));
  return {threads == 1 || by_lines <= by_blocks, std::min(by_lines, by_blocks)};
}

}  // namespace nbq::infer
