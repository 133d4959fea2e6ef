#pragma once
#include <cstddef>
#include <cstdint>

// Convolutions of 3x3 taps by Winograd's minimal filtering (Lavin, Gray, "Fast Algorithms for
// Convolutional Neural Networks", CVPR 2016), exact in integers. Along each axis a tile is 4
// outputs from 6 products, F(4, 3), or 3 from 5, F(3, 3), instead of 12 or 9. The products belong
// to the points 0, 1, -1, 2, infinity, -2, of which F(3, 3) leaves out the last: weights are
// evaluated there once for both.
//
// With taps g, u(p) = g0 + p g1 + p^2 g2, those of 0 and infinity times 6; inputs likewise with the
// transposed interpolation, whose entries are integers; outputs come out times 3 * 2^k along each
// axis. Sums are modulo 2^32: times the inverse of 9 and an exact shift give them back. Powers of
// two of 4 bits at most keep u within 49 * 64, bytes keep the inputs within 68 * 255: both fit
// 16-bit words.
namespace nbq::infer {

inline constexpr int kWinogradTaps = 3;
inline constexpr int kWinogradPoints = 6;  ///< along one axis
inline constexpr int kWinogradPlanes = kWinogradPoints * kWinogradPoints;
inline constexpr int kWinogradInfinity = 4;  ///< index of that point

/// Outputs of one axis' tile (3 or 4) and its points, inputs too.
constexpr int winograd_points(int outputs) { return outputs + kWinogradTaps - 1; }

/// Bits by which both axes' k shift at most: sums must leave room for them in 32 bits.
inline constexpr int kWinogradShift = 6;

/// The inputs of one tile: bytes to 16-bit words, channel by channel.
struct WinogradInput {
  const std::uint8_t* row[kWinogradPoints];  ///< the tile's rows
  std::ptrdiff_t column[kWinogradPoints];    ///< bytes from there to its columns
  int rows, columns;                         ///< outputs of the tile: 3 or 4
  int channels;
  std::int16_t* out;     ///< [6][6] points of the rows, of the columns
  std::ptrdiff_t point;  ///< words from one to the next: room for whole vectors of channels
};

/// Points whose weights share sums are evaluated together: 0 and infinity, 1 and -1, 2 and -2.
inline constexpr int kWinogradPairs[3][2] = {{0, kWinogradInfinity}, {1, 2}, {3, 5}};

/// Weights at a pair of points of the rows.
struct WinogradRows {
  const std::int8_t* taps;  ///< of some words, 3 x 3 taps
  std::ptrdiff_t tap;       ///< from one tap's to the next's
  std::ptrdiff_t words;     ///< a multiple of a vector's
  int pair;
  std::int16_t* out;  ///< [2][3][words]
};

/// ... at one of those and a pair of points of the columns.
struct WinogradColumns {
  const std::int16_t* rows;  ///< [3][words]
  std::ptrdiff_t words;
  int pair;
  std::int16_t* out;  ///< [2][words]
};

/// The sums of one tile back to accumulators.
struct WinogradOutput {
  const std::int32_t* sums;  ///< [6][6] points, each [vectors * lanes]
  std::ptrdiff_t point;      ///< elements from one to the next
  int rows, columns;         ///< outputs: 3 or 4
  int vectors;
  std::int32_t* acc;                   ///< [rows][columns][vectors * lanes]
  std::ptrdiff_t acc_row, acc_column;  ///< elements
};

/// Cycles, about.
struct WinogradCosts {
  double input;    ///< a tile and vector of its channels
  double weights;  ///< a vector of one tap, all points
  double output;   ///< a tile and vector of accumulators
  double call;     ///< a dot16 of a few steps, besides its steps
};

/// One instruction set's; null: it has none.
struct WinogradKernels {
  void (*input)(const WinogradInput& t);
  void (*rows)(const WinogradRows& w);
  void (*columns)(const WinogradColumns& w);
  void (*output)(const WinogradOutput& t);
  int word_lanes;  ///< channels of a vector of inputs
  WinogradCosts costs;
};

}  // namespace nbq::infer
