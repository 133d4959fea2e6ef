#include "infer/pack_weights.h"

#include <array>

namespace nbq::infer {
namespace {

constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

/// Puts raw code bits into lane `lane` of code vector `vector` of a block.
class BlockWriter {
 public:
  BlockWriter(std::uint8_t* block, int bits, int vector_bytes)
      : block_(block), bits_(bits), vector_bytes_(vector_bytes) {}

  void put(std::int64_t vector, int lane, unsigned raw) {
    const int bit = static_cast<int>(vector % kGroupVectors) * bits_;
    std::uint8_t* p = block_ + vector / kGroupVectors * bits_ * vector_bytes_ +
                      std::ptrdiff_t{bit / 8} * vector_bytes_ + lane;
    const unsigned both = raw << (bit % 8);
    *p = static_cast<std::uint8_t>(*p | both);
    if (both > 0xff) p[vector_bytes_] = static_cast<std::uint8_t>(p[vector_bytes_] | (both >> 8));
  }

 private:
  std::uint8_t* block_;
  int bits_, vector_bytes_;
};

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

}  // namespace

PackedWeights pack_weights(const WeightShape& shape, std::span<const Po2Code> codes, int bits,
                           bool wide, int lanes, int block_vectors) {
  const int channels = wide ? kStepBytes / 2 : kStepBytes;  // of a step
  const int vector_bytes = lanes * kStepBytes;
  PackedWeights w;
  w.bits = bits == 1 && shape.depth % channels != 0 ? 2 : bits;
  w.wide = wide;
  w.block_vectors = block_vectors;
  w.steps = ceil_div(shape.depth, channels);
  const int block_outputs = lanes * block_vectors;
  w.blocks = ceil_div(shape.outputs, block_outputs);
  // A code vector has a code for every byte lane: two vectors of 16-bit weights.
  const std::int64_t weight_vectors =
      std::int64_t{shape.rows} * shape.taps * w.steps * block_vectors;
  const std::int64_t per_group = kGroupVectors * (wide ? 2 : 1);
  w.groups_per_block = static_cast<std::size_t>((weight_vectors + per_group - 1) / per_group);
  w.bytes = AlignedBytes(w.block_bytes(lanes) * static_cast<std::size_t>(w.blocks));
  const auto map = widened(bits, w.bits);
  for (int o = 0; o < shape.outputs; ++o) {
    const int in_block = o % block_outputs;
    BlockWriter block(
        w.bytes.data() + w.block_bytes(lanes) * static_cast<std::size_t>(o / block_outputs), w.bits,
        vector_bytes);
    for (int r = 0; r < shape.rows; ++r)
      for (int t = 0; t < shape.taps; ++t)
        for (int d = 0; d < shape.depth; ++d) {
          std::int64_t vector =
              ((std::int64_t{r} * shape.taps + t) * w.steps + d / channels) * block_vectors +
              in_block / lanes;
          int lane = (in_block % lanes) * channels + d % channels;
          if (wide) {  // the second half of a code vector is the next weight vector
            lane += static_cast<int>(vector % 2) * lanes * channels;
            vector /= 2;
          }
          const auto code = codes[static_cast<std::size_t>(shape.index(o, d, r, t))];
          block.put(vector, lane, map[code.raw]);
        }
  }
  return w;
}

}  // namespace nbq::infer
