#pragma once
#include <vector>

#include "hw/engine_config.h"
#include "hw/synth.h"

namespace nbq::hw {

/// One kind of memory of an engine.
struct EngineMemory {
  const char* name;
  int width;   ///< bits of a word
  int depth;   ///< words
  int copies;  ///< alike
  std::int64_t bits() const { return std::int64_t{width} * depth * copies; }
};
/// All memories of an engine: program, weights, params, activations, results.
std::vector<EngineMemory> engine_memories(const EngineConfig& config);

/// Words of a memory that rtl/nbq_ram.sv builds as one array.
struct RamPiece {
  int start, words;
};
/// The pieces of a memory, largest first: one for every power of two in the number of 512-word
/// blocks that it takes.
std::vector<RamPiece> ram_pieces(int depth);

/// bram and lutram of `memory`, all copies, as yosys maps it: exactly for memories of block RAM;
/// for small ones the choice between LUTs and a block follows yosys's costs.
Resources memory_resources(const EngineMemory& memory, SynthTarget target);

}  // namespace nbq::hw
