#pragma once
#include "infer/kernels/kernel_set.h"

namespace nbq::infer {

/// How a layer's outputs are cut into tiles.
struct Tiling {
  int block_vectors = 1;        ///< output channels whose weights lie together, in vectors
  int tile_vectors = 1;         ///< of those, what a tile takes at a time
  int pixels = 1;               ///< of a tile, at most
  bool packed = false;          ///< one pixel: weights are decoded inside the sum
  const DotFn* dots = nullptr;  ///< by pixels - 1

  DotFn dot(int tile_pixels) const { return dots[tile_pixels - 1]; }
};

/// The cheapest by KernelSet::step_cost. `pixels`: of a row.
Tiling choose_tiling(const KernelSet& kernels, bool wide, int outputs, int pixels);

}  // namespace nbq::infer
