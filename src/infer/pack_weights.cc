#include "infer/pack_weights.h"

#include <algorithm>
#include <array>

namespace nbq::infer {
namespace {

constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

/// Codes of `from` bits as codes of `to` bits with the same values.
std::array<std::uint8_t, 32> widened(int from, int to) {
  std::array<std::uint8_t, 32> map{};
  for (int raw = 0; raw < (1 << from); ++raw) {
    const Po2Code code{static_cast<std::uint8_t>(raw)};
    map[static_cast<std::size_t>(raw)] =
        Po2Code::make(Po2Format{to}, code.neg(Po2Format{from}), code.k(Po2Format{from})).raw;
  }
  return map;
}

/// Puts the codes of output `o` into its block. Each pass of the inner loop is a step of one tap:
/// its channels lie side by side in one vector.
void pack_output(const WeightShape& shape, std::span<const Po2Code> codes, int o,
                 const PackedWeights& w, int lanes, const std::array<std::uint8_t, 32>& map,
                 std::uint8_t* block) {
  const int channels = w.wide ? kStepBytes / 2 : kStepBytes;
  const int vector_bytes = lanes * kStepBytes, in_block = o % (lanes * w.block_vectors);
  const std::int64_t stride = std::int64_t{shape.rows} * shape.taps;
  std::int64_t vector = in_block / lanes;
  for (int tap = 0; tap < shape.rows * shape.taps; ++tap) {
    const Po2Code* from = codes.data() + shape.index(o, 0, 0, 0) + tap;
    for (int d = 0; d < shape.depth; d += channels, vector += w.block_vectors) {
      // The second half of a code vector is the next vector of 16-bit weights.
      const std::int64_t code_vector = w.wide ? vector / 2 : vector;
      const int half = w.wide ? static_cast<int>(vector % 2) * lanes * channels : 0;
      const int bit = static_cast<int>(code_vector % kGroupVectors) * w.bits;
      std::uint8_t* to = block + (code_vector / kGroupVectors * w.bits + bit / 8) * vector_bytes +
                         half + in_block % lanes * channels;
      const int some = std::min(channels, shape.depth - d);
      for (int c = 0; c < some; ++c, from += stride) {
        const unsigned both = static_cast<unsigned>(map[from->raw]) << (bit % 8);
        to[c] = static_cast<std::uint8_t>(to[c] | both);
        if (bit % 8 + w.bits > 8)
          to[c + vector_bytes] = static_cast<std::uint8_t>(to[c + vector_bytes] | (both >> 8));
      }
    }
  }
}

}  // namespace

PackedWeights pack_weights(const WeightShape& shape, std::span<const Po2Code> codes, int bits,
                           bool wide, int lanes, int block_vectors) {
  const int channels = wide ? kStepBytes / 2 : kStepBytes;  // of a step
  PackedWeights w;
  w.bits = bits == 1 && shape.depth % channels != 0 ? 2 : bits;
  w.wide = wide;
  w.block_vectors = block_vectors;
  w.steps = ceil_div(shape.depth, channels);
  w.blocks = ceil_div(shape.outputs, lanes * block_vectors);
  // A code vector has a code for every byte lane: two vectors of 16-bit weights.
  const std::int64_t weight_vectors =
      std::int64_t{shape.rows} * shape.taps * w.steps * block_vectors;
  const std::int64_t per_group = kGroupVectors * (wide ? 2 : 1);
  w.groups_per_block = static_cast<std::size_t>((weight_vectors + per_group - 1) / per_group);
  w.bytes = AlignedBytes(w.block_bytes(lanes) * static_cast<std::size_t>(w.blocks));
  const auto map = widened(bits, w.bits);
  const int block_outputs = lanes * block_vectors;
  for (int o = 0; o < shape.outputs; ++o)
    pack_output(
        shape, codes, o, w, lanes, map,
        w.bytes.data() + w.block_bytes(lanes) * static_cast<std::size_t>(o / block_outputs));
  return w;
}

}  // namespace nbq::infer
