#pragma once
#include <cstdint>
#include <span>

#include "core/po2_code.h"
#include "infer/aligned_bytes.h"
#include "infer/kernels/kernel_set.h"

namespace nbq::infer {

/// A weight tensor [outputs][depth][rows][taps] that is read as steps of channels.
struct WeightShape {
  int outputs = 0, depth = 0, rows = 1, taps = 1;
  std::int64_t index(int o, int d, int r, int t) const {
    return ((std::int64_t{o} * depth + d) * rows + r) * taps + t;
  }
};

/// Cycles, about, that decoding a vector of bytes takes.
inline constexpr double kDecodeCycles = 2;

/// n-bit codes in the order in which kernels take them: block after block of output channels; in
/// each, vector after vector (rows, taps, steps, the block's vectors), each lane the codes of one
/// output and a step's channels (4, or 2 of 16-bit weights). 8 code vectors make a group: byte lane
/// i of the group's n packed vectors, read as one little-endian number, holds their lane-i codes
/// one after another, n bits each. Missing channels and outputs have the code 0 (+1 for n = 1: they
/// meet no input, see `bias`).
struct PackedWeights {
  int bits = 0;
  bool wide = false;                             ///< to be decoded to 16-bit weights
  int block_vectors = 1, blocks = 0, steps = 0;  ///< steps of one tap
  std::size_t groups_per_block = 0;
  AlignedBytes bytes;

  std::size_t block_bytes(int lanes) const {
    return groups_per_block * static_cast<std::size_t>(bits * lanes * kStepBytes);
  }
  /// Of one block, decoded.
  std::size_t decoded_bytes(int lanes) const {
    return groups_per_block * static_cast<std::size_t>(kGroupVectors * lanes * kStepBytes) *
           (wide ? 2 : 1);
  }
  /// Cycles, about, that decoding a block takes.
  double decode_cycles() const {
    return static_cast<double>(groups_per_block * kGroupVectors) * kDecodeCycles * (wide ? 2 : 1);
  }
};

/// DotTile::widen for codes of `bits` bits: a step adds 2 products, of at most 255 x the largest
/// level, to each 16-bit sum. 0 where weights have 16 bits themselves.
constexpr int steps_in_16_bits(int bits) { return 32767 / (2 * 255 * Po2Format{bits}.max_level()); }

/// `codes` in the order of `shape`. Throws std::bad_alloc.
PackedWeights pack_weights(const WeightShape& shape, std::span<const Po2Code> codes, int bits,
                           bool wide, int lanes, int block_vectors);

}  // namespace nbq::infer
