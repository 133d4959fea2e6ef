#include "hw/memories.h"

#include <algorithm>
#include <bit>

namespace nbq::hw {
namespace {

constexpr int kBlockWords = 512, kColumnBits = 32;

int ceil_div(int a, int b) { return (a + b - 1) / b; }

/// Blocks of 18 kbit that a power of two of words takes, in the best of their shapes: both families
/// have the same ones, 512 x 36 to 16384 x 1.
int blocks(int width, int words) {
  constexpr int kShapes[][2] = {{512, 36}, {1024, 18}, {2048, 9}, {4096, 4}, {8192, 2}, {16384, 1}};
  int least = ceil_div(words, 512) * ceil_div(width, 36);
  for (const auto& [deep, wide] : kShapes)
    least = std::min(least, ceil_div(words, deep) * ceil_div(width, wide));
  return least;
}

/// LUTs of one array as distributed memory, and what yosys's memory_libmap thinks that it costs.
struct Distributed {
  int luts, cost;
};

Distributed distributed(int width, int words, SynthTarget target) {
  if (target == SynthTarget::kEcp5) {
    const int rows = ceil_div(words, 16), cells = rows * ceil_div(width, 4);
    // 6 LUTs of slices a cell. What rows behind multiplexers cost, and that deeper ones than 128 go
    // into blocks whatever their width, is seen, not derived.
    const int pick = std::bit_width(static_cast<unsigned>(rows) - 1);
    const int behind = rows > 1 ? pick * width + rows : 0;
    return {6 * cells, words <= 128 ? 4 * cells + behind : 1 << 20};
  }
  const int rows = ceil_div(words, 64);
  const int per_cell = words <= 32 ? 14 : 7;
  return {8 * rows * ceil_div(width, per_cell),
          16 * rows * width / per_cell + (rows > 1 ? width * (rows - 1) + rows : 0)};
}

/// One column of one piece.
void add_array(Resources& r, int width, int words, SynthTarget target) {
  const int n = blocks(width, words);
  const Distributed d = distributed(width, words, target);
  if (words <= kBlockWords && d.cost < 128 * n)
    r.lutram += d.luts;
  else
    r.bram += target == SynthTarget::kXcup ? 0.5 * n : n;
}

}  // namespace

std::vector<EngineMemory> engine_memories(const EngineConfig& c) {
  return {
      {"program", 32, c.program_depth, 1},
      {"weights", c.lanes_in * c.lanes_out * c.weight_bits(), c.weight_depth, 1},
      {"params", c.lanes_in / c.out_cycles * (c.acc_bits + 7), c.param_depth * c.out_cycles, 1},
      {"activations", c.act_word_bits(), c.act_words(), c.pixels * c.images},
      {"results", c.lanes_in / c.out_cycles * c.acc_bits, c.result_depth * c.out_cycles, c.images}};
}

std::vector<RamPiece> ram_pieces(int depth) {
  std::vector<RamPiece> pieces;
  const auto all = static_cast<unsigned>(ceil_div(depth, kBlockWords));
  int start = 0;
  for (unsigned left = all; left != 0;) {
    const unsigned size = std::bit_floor(left);
    const int words = std::min(static_cast<int>(size) * kBlockWords, depth - start);
    pieces.push_back({start, words});
    start += words;
    left -= size;
  }
  return pieces;
}

Resources memory_resources(const EngineMemory& m, SynthTarget target) {
  Resources r;
  if (m.depth == 1) return r;  // a register
  for (const RamPiece& piece : ram_pieces(m.depth))
    for (int low = 0; low < m.width; low += kColumnBits)
      add_array(r, std::min(kColumnBits, m.width - low), piece.words, target);
  r.bram *= m.copies;
  r.lutram *= m.copies;
  return r;
}

}  // namespace nbq::hw
