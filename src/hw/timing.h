#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hw/bus_timing.h"
#include "hw/compile.h"

namespace nbq::hw {

/// Clock cycles of a program or a part of it, by what the sequencer did: the counters of
/// spec/isa.def. `total` is one more for each instruction (its hand-over) and two a program (start,
/// done) than the sum of the others.
struct CycleCounts {
  std::uint64_t total = 0;
  std::uint64_t busy = 0;      ///< the array took a tap
  std::uint64_t residual = 0;  ///< residual words were fetched
  std::uint64_t drain = 0;     ///< the array waited for the output stage
  std::uint64_t barrier = 0;   ///< waiting for earlier instructions' last words
  std::uint64_t fetch = 0;     ///< waiting for the next instruction
  std::uint64_t memory = 0;    ///< waiting for external memory
  bool operator==(const CycleCounts&) const = default;
  CycleCounts& operator+=(const CycleCounts& other);
};

/// The sequencer, the fetch unit and the output stage of rtl/, in time alone: neither knows the
/// data, so the cycle of every event follows from the instructions. Costs a few sums an
/// instruction: all tiles but the first one repeat.
class Stopwatch {
 public:
  /// Without a bus, waits for external memory are left out.
  explicit Stopwatch(const EngineConfig& config, std::optional<BusTiming> bus = {});

  /// Runs the next instruction but `finish`, with counts of 1 at least. Returns its cycles, the
  /// wait for it included.
  CycleCounts run(const Instruction& instruction);
  /// Runs `finish`: from start to done, `all().total` is then what the RTL counts.
  CycleCounts finish();

  const CycleCounts& all() const { return all_; }

 private:
  /// A cycle's number; cycle 0 clears the engine, as the first one that the RTL counts.
  using Cycle = std::int64_t;
  /// When the next tile may write what the output stage still reads of the one before.
  struct Free {
    Cycle accumulators, all, residual;
  };

  void take(bool barrier, CycleCounts& counts);
  void move(const Instruction& i, Cycle taken);
  CycleCounts book(CycleCounts counts);
  void step(Cycle until, std::uint64_t& cause);
  Free free_after(Cycle tile_end, std::int64_t words) const;
  Free free_for(std::int64_t words_each, Cycle taken) const;
  Cycle tile(const Instruction& i, Cycle first, const Free& free, Cycle config_taken,
             CycleCounts& counts) const;

  std::optional<BusTiming> bus_;
  std::int64_t act_digits_;       ///< each takes a cycle of a tap or residual word
  std::int64_t out_cycles_;       ///< of a word in the output stage
  std::int64_t element_latency_;  ///< from a tap's operands to the sum of its products
  Cycle counted_ = 0;             ///< cycles before this one are in `all_`
  Cycle now_ = 1;                 ///< the sequencer has nothing to do from here on
  Cycle fetched_;                 ///< the next instruction is there
  Cycle drained_ = 0;             ///< every word of earlier instructions is written
  Cycle tile_end_ = 0;            ///< the last tile's last cycle in the sequencer,
  std::int64_t pixels_ = 0;       ///< its columns,
  std::int64_t words_each_ = 1;   ///< and the output stage's cycles a column
  CycleCounts all_;
};

/// Cycles of a program, and of every layer of it (`Program::layers`); the start belongs to the
/// first layer, the wait for the last words to the last one.
struct Timing {
  CycleCounts all;
  std::vector<CycleCounts> layers;
};

/// What the RTL's counters will say, without running anything: in microseconds, and exact but for
/// waits for external memory (BusTiming), whose first beat comes `bus_latency` cycles after its
/// address.
Timing predict(const Program& program, std::int64_t bus_latency = 0);

}  // namespace nbq::hw
