#pragma once
#include "infer/kernels/tile_impl.h"

// The tile of AMX, over a type U of tile registers: the processor's (amx.cc), or loops that do the
// same (amx_test.cc), so that it is tested on every machine. Unnamed, see tile_impl.h.
namespace nbq::infer {
namespace {

/// What ldtilecfg loads (Intel SDM, "Palette table"): bytes of a row and rows, per register.
struct TileConfig {
  std::uint8_t palette, start_row, reserved[14];
  std::uint16_t row_bytes[16];
  std::uint8_t rows[16];
};
static_assert(sizeof(TileConfig) == 64);

// Registers 0..3: sums of one vector of channels each, a row a pixel. Activations: a row a pixel,
// 16 steps; weights: a row a step, which is how they lie decoded. The last of each for what is left
// of a run.
inline constexpr int kPixelTile = 4, kWeightTile = 5, kLastPixelTile = 6, kLastWeightTile = 7;
inline constexpr int kTileRows = 16, kTileRowBytes = 64;

inline TileConfig tile_config(int pixels, int last_steps) {
  TileConfig c{};
  c.palette = 1;
  const auto set = [&](int tile, int rows, int row_bytes) {
    c.rows[tile] = static_cast<std::uint8_t>(rows);
    c.row_bytes[tile] = static_cast<std::uint16_t>(row_bytes);
  };
  for (int m = 0; m < kPixelTile; ++m) set(m, pixels, kTileRowBytes);
  set(kPixelTile, pixels, kTileRowBytes);
  set(kWeightTile, kTileRows, kTileRowBytes);
  if (last_steps == 0) return c;
  set(kLastPixelTile, pixels, last_steps * kStepBytes);
  set(kLastWeightTile, last_steps, kTileRowBytes);
  return c;
}

/// 16 steps, or those that are left, of M vectors.
template <class U, int M, int X, int W>
[[gnu::always_inline]] inline void tile_steps(const DotTile& t, const std::uint8_t* in,
                                              const std::int8_t* w) {
  U::template load<X>(in, t.in_pixel);
  unroll<0, M>([&]<int m>() {
    U::template load<W>(w + m * kTileRowBytes, t.weight_step);
    U::template dot<m, X, W>();
  });
}

/// U: configure(pixels, last_steps), zero<T>(), load<T>(from, stride), store<T>(to, stride),
/// dot<sum, x, w>(). M vectors, at most 4; any number of pixels up to 16.
template <class U, int M>
void amx_tile(const DotTile& t, int pixels) {
  const int last = t.steps % kTileRows;
  U::configure(pixels, last);
  unroll<0, M>([&]<int m>() { U::template zero<m>(); });
  const std::int8_t* w = t.weights;
  for (int r = 0; r < t.rows; ++r)
    for (int k = 0; k < t.taps; ++k) {
      const std::uint8_t* in = t.in + r * t.in_row + k * t.in_tap;
      for (int s = kTileRows; s <= t.steps; s += kTileRows) {
        tile_steps<U, M, kPixelTile, kWeightTile>(t, in, w);
        in += kTileRowBytes;
        w += kTileRows * t.weight_step;
      }
      if (last == 0) continue;
      tile_steps<U, M, kLastPixelTile, kLastWeightTile>(t, in, w);
      w += last * t.weight_step;
    }
  unroll<0, M>([&]<int m>() {
    U::template store<m>(t.acc + m * kTileRows, std::ptrdiff_t{M} * kTileRowBytes);
  });
}

}  // namespace
}  // namespace nbq::infer
