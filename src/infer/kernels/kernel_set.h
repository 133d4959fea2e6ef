#pragma once
#include <cstddef>
#include <cstdint>

#include "infer/kernels/winograd.h"

// What a row of kernels.def gives: plain functions over plain data. Its files are compiled for one
// instruction set each, so this header, and whatever else they include, has no inline function that
// another file could end up with.
namespace nbq::infer {

/// Activations lie as x + zero, bytes or 16-bit words, channels innermost; every pixel begins on a
/// multiple of 4 bytes. A *step* is 4 bytes of a pixel: 4 channels of bytes, 2 of words.
inline constexpr int kStepBytes = 4;
/// Weight codes are packed in groups of 8 vectors (pack_weights.h).
inline constexpr int kGroupVectors = 8;
/// A block of output channels is 1, 2, 4 or 8 vectors wide: index of the tables below.
inline constexpr int kBlockKinds = 4;
inline constexpr int kMaxTilePixels = 16;

/// The accumulators of `pixels` neighbouring output pixels of a row and one block of output
/// channels: acc[p][channel] = sum over rows, taps, steps of weight * stored activation, modulo
/// 2^32.
struct DotTile {
  const std::uint8_t* in;   ///< the first tap of the first pixel
  std::ptrdiff_t in_pixel;  ///< bytes from one output pixel's tap to the next one's
  std::ptrdiff_t in_tap;    ///< bytes from tap to tap
  std::ptrdiff_t in_row;    ///< bytes from a row of taps to the next
  std::int32_t rows, taps, steps;
  const std::int8_t* weights;  ///< decoded: [rows][taps][steps][vectors][lanes], 4 bytes each
  std::ptrdiff_t weight_step;  ///< bytes from a step's weights to the next one's
  std::int32_t widen;          ///< steps after which 16-bit sums would overflow, 0: at once
  std::int32_t* acc;           ///< [pixels][vectors * lanes]
  bool add;                    ///< to what is there; of words, in rows that have `winograd`
};
using DotFn = void (*)(const DotTile&);

/// From accumulators to what is stored: spec/numerics.md, "Requantisation". The fields per channel
/// point at the block's first one and hold whole vectors.
struct Finish {
  const std::int32_t* bias;   ///< with what undoes the activations' zero, and half of 2^right
  const std::int32_t* right;  ///< shift to the right, 0..30
  const std::int32_t* left;   ///< then, clamped to +-2^16, to the left, 0..14; null: none
  std::int32_t lo, hi;
  std::int32_t lanes;    ///< channels that exist in this block
  std::int64_t* logits;  ///< not null: accumulators go here and nothing else happens
  std::ptrdiff_t logit_pixel, logit_channel;  ///< elements

  // A second stage, of the addition (or relu) that is the only reader of this layer.
  bool second;
  const std::uint8_t* residual;  ///< null: none
  std::ptrdiff_t residual_pixel;
  bool residual_wide;
  std::int32_t residual_zero;
  std::int32_t own_left, residual_left;  ///< onto the finer scale of the two
  std::int32_t half2, right2, left2, lo2, hi2;

  std::int32_t zero;  ///< added to what is stored
  std::uint8_t* out;
  std::ptrdiff_t out_pixel;
  bool out_wide;  ///< 16-bit words
};

/// Pixels next to each other, each channel by itself: acc = bias + the sum of the operands shifted
/// left, the first one's masked and negated where there are weights; then as in Finish. Fields per
/// channel hold whole vectors.
struct MapLine {
  struct Operand {
    const std::uint8_t* in;  ///< null: none
    std::ptrdiff_t pixel;
    bool wide;
    const std::int32_t* left;
  };
  Operand operand[2];
  const std::int32_t *keep, *negate;        ///< all ones or 0 a channel; null: no weights
  const std::int32_t *bias, *right, *left;  ///< as Finish's
  std::int32_t lo, hi, zero;
  std::uint8_t* out;
  std::ptrdiff_t out_pixel;
  bool out_wide;
  std::int32_t pixels, channels;
};

/// One instruction set's kernels. Each is exact; which runs is only a matter of time.
struct KernelSet {
  int lanes;  ///< 32-bit lanes of a vector: output channels in it
  /// Cycles, about, that a step of a tile takes, of words if `wide`: what choose_tiling() compares.
  double (*step_cost)(bool wide, int vectors, int pixels);
  /// Tiles of one vector are faster where this many taps lie as far apart as pixels; 0: they
  /// aren't.
  int shared_taps;
  /// [block kind][pixels - 1]; null where a tile of that size is not there. The last pixel number
  /// that is there makes the best use of the registers.
  DotFn dot8[kBlockKinds][kMaxTilePixels];   ///< bytes times 8-bit weights
  DotFn dot16[kBlockKinds][kMaxTilePixels];  ///< words times 16-bit weights
  /// `groups` groups of packed codes of `bits` bits to 8-bit weights (4 bits at most), or 16-bit
  /// ones.
  void (*decode8)(int bits, const std::uint8_t* packed, std::size_t groups, std::int8_t* out);
  void (*decode16)(int bits, const std::uint8_t* packed, std::size_t groups, std::int8_t* out);
  /// One pixel, one block of 8 vectors, weights as they are packed; null: none. `tile.weights` are
  /// packed codes; rows = taps = 1.
  void (*packed_dot8)(int bits, const DotTile& tile);
  WinogradKernels winograd;  ///< around dot16
  void (*finish)(const Finish& f, const std::int32_t* acc, int pixels, int vectors);
  void (*map)(const MapLine& line);
  /// A thread calls it after its last kernel of a run: gives back state that kernels keep; null:
  /// none.
  void (*leave)();
};

}  // namespace nbq::infer
