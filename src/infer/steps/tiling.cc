#include "infer/steps/tiling.h"

#include <limits>

namespace nbq::infer {
namespace {

constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

int most_pixels(const DotFn (&row)[kMaxTilePixels]) {
  int most = 0;
  for (int p = 1; p <= kMaxTilePixels; ++p)
    if (row[p - 1] != nullptr) most = p;
  return most;
}

}  // namespace

Tiling choose_tiling(const KernelSet& kernels, bool wide, int outputs, int pixels) {
  const auto& table = wide ? kernels.dot16 : kernels.dot8;
  const int vectors = ceil_div(outputs, kernels.lanes);
  Tiling best;
  double least = std::numeric_limits<double>::infinity();
  for (int kind = 0; kind < kBlockKinds; ++kind) {
    const int most = most_pixels(table[kind]);
    if (most == 0) continue;
    const int m = 1 << kind;
    const int tiles = ceil_div(pixels, most);
    const int each = ceil_div(pixels, tiles);
    const double cost = ceil_div(vectors, m) * tiles * kernels.step_cost(wide, m, each);
    if (cost >= least) continue;
    least = cost;
    best.block_vectors = best.tile_vectors = m;
    best.pixels = each;
    best.most = most;
    best.dots = table[kind];
  }
  // One pixel reads each weight once: they come from memory as they are packed.
  if (pixels == 1 && !wide && kernels.packed_dot8 != nullptr && vectors >= kGroupVectors / 2) {
    best.packed = true;
    best.block_vectors = kGroupVectors;
  }
  return best;
}

double row_cycles(const KernelSet& kernels, const Tiling& tiling, bool wide, int pixels,
                  std::int64_t steps) {
  const double tiles = ceil_div(pixels, tiling.pixels);
  const double parts = ceil_div(tiling.block_vectors, tiling.tile_vectors);
  constexpr double kCall = 40;
  return tiles * parts *
         (static_cast<double>(steps) * kernels.step_cost(wide, tiling.tile_vectors, tiling.pixels) +
          kCall);
}

}  // namespace nbq::infer
