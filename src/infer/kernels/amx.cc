#include "infer/kernels/amx_tile.h"
#include "infer/kernels/avx512_lanes.h"
#include "infer/kernels/kernels.h"

namespace nbq::infer {
namespace {

/// The thread's configuration, by the numbers that it is made from; none is 0. A new one takes as
/// long as a small tile. Between runs it is given back (leave()): other libraries use the
/// registers, too, and a processor whose tiles are in use may not sleep deeply.
thread_local int configured = 0;

struct TileUnit {
  static void configure(int pixels, int last_steps) {
    const int key = pixels * kTileRows + last_steps;
    if (configured == key) return;
    const TileConfig c = tile_config(pixels, last_steps);
    _tile_loadconfig(&c);
    configured = key;
  }
  // Numbers of registers are part of the instructions; GCC's intrinsics take only literals.
  template <int T>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(T));
  }
  template <int T>
  static void load(const void* from, std::ptrdiff_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(T) : "memory");
  }
  template <int T>
  static void store(void* to, std::ptrdiff_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(T) : "memory");
  }
  template <int sum, int x, int w>
  static void dot() {  // unsigned bytes times signed ones
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sum), "i"(x), "i"(w));
  }
};

void leave() {
  if (configured == 0) return;
  _tile_release();
  configured = 0;
}

/// VNNI's tiles for short runs and few pixels. `Most`: pixels of its largest.
constexpr int kFewPixels = 3, kFewSteps = 8;

/// Pixels First.. of a tile of P, by as many of VNNI's tiles as it takes.
template <int M, int P, int Most>
void vnni_tiles(DotTile t) {
  if constexpr (P <= Most) {
    dot_tile<Bytes512, M, P>(t);
  } else {
    dot_tile<Bytes512, M, Most>(t);
    t.in += Most * t.in_pixel;
    t.acc += Most * M * Lanes512::kLanes;
    vnni_tiles<M, P - Most, Most>(t);
  }
}

template <int M, int P, int Most>
void byte_tile(const DotTile& t) {
  if (P <= kFewPixels || t.steps < kFewSteps) return vnni_tiles<M, P, Most>(t);
  amx_tile<TileUnit, M>(t, P);
}

template <int M, int Most>
void fill_byte_tiles(DotFn (&row)[kMaxTilePixels]) {
  unroll<1, kMaxTilePixels + 1>([&]<int p>() { row[p - 1] = byte_tile<M, p, Most>; });
}

/// A register holds 16 steps. Its product takes a cycle a pixel, 52 until the next to the same
/// sums; loads half a cycle a row.
double step_cost(bool wide, int vectors, int pixels) {
  if (wide || pixels <= kFewPixels) return step_cost512(wide, vectors, pixels);
  constexpr double kStepsEach = kTileRows, kInFlight = 52;
  return longest(vectors * pixels, (vectors * kStepsEach + pixels) / 2, kInFlight) / kStepsEach;
}

}  // namespace

// Words, one pixel, and what follows the sums are AVX-512's.
void kernels_amx(KernelSet& s) {
  kernels_avx512vnni(s);
  s.step_cost = step_cost;
  s.shared_taps = 0;  // a row of taps in one run fills the tiles better
  fill_byte_tiles<1, 16>(s.dot8[0]);
  fill_byte_tiles<2, 14>(s.dot8[1]);
  fill_byte_tiles<4, 6>(s.dot8[2]);
  s.leave = leave;
}

}  // namespace nbq::infer
