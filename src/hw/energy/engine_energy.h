#pragma once
#include <span>

#include "hw/compile.h"
#include "hw/energy/gate_sim.h"

namespace nbq::hw {

/// What one part of an engine takes in each cycle of a run.
struct EnginePart {
  double pj = 0, settled_pj = 0;         ///< with glitches, and from settled to settled values
  double read_bits = 0, write_bits = 0;  ///< of memories, of all pieces that are enabled
  double cells = 0, flip_flops = 0;
  EnginePart& operator+=(const EnginePart& other);
  EnginePart operator*(double times) const;
};

/// An engine without its arrays, in gates: control, output stages, every register between memories,
/// arrays and host. Memories are counted by what is read and written.
struct EngineEnergy {
  EnginePart shared;          ///< what exists once
  EnginePart image;           ///< what each image at once adds
  std::int64_t cycles = 0;    ///< of a run
  std::int64_t compared = 0;  ///< signals and cycles in which gates and RTL were compared
  double late = 0;            ///< part of the transitions that come after their cycle's end
  EnginePart all(int images) const;
};

struct EngineEnergyRequest {
  EngineConfig config;  ///< as wanted of compile(); `images` does not matter
  double clock_mhz = 50;
  double wire_ff = 0;
  int dense_bits = 0;  ///< > 0: weights of so many bits, as with_dense_weights has them
  std::uint64_t seed = 1;
};

/// Runs one image, then two at once, through the Verilated engine and through its gates at the same
/// time, from reset to the last logit, and compares what goes to memories, arrays and the host in
/// every cycle, but the first few after the reset; counts while the program runs. `images`: two
/// images' pixels. Errors: as compile(), open_sim(), map_gates(); kInvalidArgument: gates and RTL
/// differ (names the signal and the cycle), words of weights or sums of more than kMostSignalBits.
Result<EngineEnergy> measure_engine(const Graph& graph, const EngineEnergyRequest& request,
                                    const CellLibrary& library,
                                    std::span<const std::uint8_t> images);

}  // namespace nbq::hw
