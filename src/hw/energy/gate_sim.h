#pragma once
#include <cstdint>
#include <vector>

#include "hw/energy/electrical.h"

namespace nbq::hw {

/// Energy of gates over some clock cycles, pJ, without clock and leakage.
struct SwitchingEnergy {
  double nets = 0;       ///< loads of the nets, and what their pins take of the cells
  double gates = 0;      ///< inside combinational cells
  double registers = 0;  ///< inside flip-flops, when their outputs change
  double total() const { return nets + gates + registers; }
};

/// What GateSim counts.
struct Activity {
  std::int64_t cycles = 0;
  SwitchingEnergy all;      ///< every transition, glitches included
  SwitchingEnergy settled;  ///< one transition at most a net and cycle: from settled to settled
  std::int64_t transitions = 0, settled_transitions = 0;  ///< of all nets
  std::int64_t loaded = 0;                                ///< transitions of nets with a load
  std::int64_t late = 0;  ///< transitions after the end of their cycle: the clock is too fast
  void add(const Activity& other);
};

/// Event-driven simulation of a netlist with the delays of `electrical`, cycle by cycle. Delays are
/// inertial: a pulse shorter than the delay of the gate that would make it does not arise.
class GateSim {
 public:
  /// All nets start at 0 and settle. Netlist and electrical must outlive the simulation.
  GateSim(const Netlist& netlist, const Electrical& electrical, int period_ps);

  /// Value of an input port's net from the next clock edge on.
  void set(int net, bool value);
  /// One clock edge, and everything that follows from it. Counts when `count`.
  void step(bool count);

  bool value(int net) const { return values_[static_cast<std::size_t>(net)] != 0; }
  const Activity& activity() const { return activity_; }
  /// Counted transitions of each net, glitches included.

 private:
  struct Output {
    std::uint64_t table;
    int net;
    std::uint32_t gate, output;
    bool flip_flop;
  };
  struct Reader {
    std::uint32_t gate, input;
  };
  struct Event {
    int net;
    std::uint32_t serial;
  };
  /// The transition that waits on a net, and the gate's output and input that it comes from.
  struct Pending {
    std::uint32_t serial = 0, output = 0, input = 0;
    bool active = false;
  };
  void settle();
  void schedule(std::uint32_t output, std::uint32_t input, bool value, int now);
  void transition(int net, bool value, int now);
  void run();
  void count_settled();

  const Netlist& n_;
  const Electrical& e_;
  int period_ps_;
  std::vector<std::uint8_t> values_, settled_, touched_;
  std::vector<int> touched_nets_;
  std::vector<std::uint8_t> state_;          ///< of a gate: its inputs as bits
  std::vector<std::uint32_t> first_output_;  ///< of a gate, in outputs_
  std::vector<Output> outputs_;
  std::vector<int> driver_;                  ///< of a net: index into outputs_, -1: a port
  std::vector<std::uint32_t> first_reader_;  ///< of a net, in readers_
  std::vector<Reader> readers_;
  std::vector<Pending> pending_;
  std::vector<std::vector<Event>> wheel_;  ///< by time modulo its size
  std::int64_t events_ = 0;                ///< in the wheel, cancelled ones included
  std::vector<std::pair<int, bool>> inputs_;
  bool counting_ = false;
  Activity activity_;
};

}  // namespace nbq::hw
