#include "hw/energy/gate_sim.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace nbq::hw {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

double mean(const std::vector<double>& v) {
  return v.empty() ? 0 : std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}

void add_energy(SwitchingEnergy& to, const SwitchingEnergy& from) {
  to.nets += from.nets;
  to.gates += from.gates;
  to.registers += from.registers;
}

}  // namespace

void Activity::add(const Activity& other) {
  cycles += other.cycles;
  add_energy(all, other.all);
  add_energy(settled, other.settled);
  transitions += other.transitions;
  settled_transitions += other.settled_transitions;
  loaded += other.loaded;
  late += other.late;
}

GateSim::GateSim(const Netlist& netlist, const Electrical& electrical, int period_ps)
    : n_(netlist), e_(electrical), period_ps_(period_ps) {
  const auto nets = static_cast<std::size_t>(n_.nets);
  values_.resize(nets);
  values_[1] = 1;
  touched_.resize(nets);
  driver_.assign(nets, -1);
  pending_.resize(nets);
  state_.resize(n_.gates.size());
  first_reader_.resize(nets + 1);
  int longest = 1;
  for (std::size_t g = 0; g < n_.gates.size(); ++g) {
    const Gate& gate = n_.gates[g];
    first_output_.push_back(static_cast<std::uint32_t>(outputs_.size()));
    for (std::size_t o = 0; o < gate.outputs.size(); ++o) {
      const int net = gate.outputs[o];
      if (net >= 0) driver_[at(net)] = static_cast<int>(outputs_.size());
      outputs_.push_back({gate.cell->outputs[o].function.table, net, static_cast<std::uint32_t>(g),
                          static_cast<std::uint32_t>(o), gate.cell->flip_flop});
      const OutputTiming& t = e_.outputs[g][o];
      for (const auto& list : {t.rise_ps, t.fall_ps})
        for (const int ps : list) longest = std::max(longest, ps);
    }
    for (const int in : gate.inputs) ++first_reader_[at(in) + 1];
  }
  first_output_.push_back(static_cast<std::uint32_t>(outputs_.size()));
  std::partial_sum(first_reader_.begin(), first_reader_.end(), first_reader_.begin());
  readers_.resize(first_reader_.back());
  std::vector<std::uint32_t> next(first_reader_.begin(), first_reader_.end() - 1);
  for (std::size_t g = 0; g < n_.gates.size(); ++g)
    for (std::size_t i = 0; i < n_.gates[g].inputs.size(); ++i)
      readers_[next[at(n_.gates[g].inputs[i])]++] = {static_cast<std::uint32_t>(g),
                                                     static_cast<std::uint32_t>(i)};
  wheel_.resize(std::bit_ceil(static_cast<unsigned>(longest) + 1));
  settle();
}

void GateSim::settle() {
  for (std::size_t g = 0; g < n_.gates.size(); ++g) {
    const Gate& gate = n_.gates[g];
    for (std::size_t i = 0; i < gate.inputs.size(); ++i)
      state_[g] |= static_cast<std::uint8_t>(values_[at(gate.inputs[i])] << i);
    // A flip-flop's state starts at 0.
    for (std::uint32_t o = first_output_[g]; o < first_output_[g + 1]; ++o)
      if (outputs_[o].net >= 0)
        values_[at(outputs_[o].net)] =
            (outputs_[o].table >> (gate.cell->flip_flop ? 0 : state_[g])) & 1;
  }
  // Flip-flops came before the gates that drive them.
  for (std::size_t g = 0; g < n_.flip_flops; ++g) {
    state_[g] = 0;
    for (std::size_t i = 0; i < n_.gates[g].inputs.size(); ++i)
      state_[g] |= static_cast<std::uint8_t>(values_[at(n_.gates[g].inputs[i])] << i);
  }
  settled_ = values_;
}

void GateSim::set(int net, bool value) { inputs_.emplace_back(net, value); }

void GateSim::step(bool count) {
  counting_ = count;
  // Registers take what the gates settled to; the ports change with the edge.
  for (std::size_t g = 0; g < n_.flip_flops; ++g) {
    const bool next = n_.gates[g].cell->next_state.at(state_[g]);
    for (std::uint32_t o = first_output_[g]; o < first_output_[g + 1]; ++o) {
      const bool value = ((outputs_[o].table >> (next ? 1 : 0)) & 1) != 0;
      if (outputs_[o].net >= 0 && value != this->value(outputs_[o].net)) schedule(o, 0, value, 0);
    }
  }
  for (const auto& [net, value] : inputs_)
    if (value != this->value(net)) transition(net, value, 0);
  inputs_.clear();
  run();
  count_settled();
  if (counting_) ++activity_.cycles;
}

void GateSim::schedule(std::uint32_t output, std::uint32_t input, bool value, int now) {
  const Output& o = outputs_[output];
  Pending& p = pending_[at(o.net)];
  const bool current = this->value(o.net);
  if (p.active) {
    if (value != current) return;  // it is under way
    p.active = false;              // swallowed
    ++p.serial;
    return;
  }
  if (value == current) return;
  const OutputTiming& t = e_.outputs[o.gate][o.output];
  const int time = now + (value ? t.rise_ps : t.fall_ps)[input];
  p = {p.serial + 1, output, input, true};
  wheel_[static_cast<std::size_t>(time) & (wheel_.size() - 1)].push_back({o.net, p.serial});
  ++events_;
}

void GateSim::transition(int net, bool value, int now) {
  values_[at(net)] = value;
  if (touched_[at(net)] == 0) {
    touched_[at(net)] = 1;
    touched_nets_.push_back(net);
  }
  if (counting_) {
    ++activity_.transitions;
    activity_.loaded += e_.load_pf[at(net)] > 0;
    activity_.late += now > period_ps_;
    activity_.all.nets += (value ? e_.net_rise_pj : e_.net_fall_pj)[at(net)];
    if (driver_[at(net)] >= 0) {
      const Pending& p = pending_[at(net)];
      const Output& o = outputs_[p.output];
      const OutputTiming& t = e_.outputs[o.gate][o.output];
      (o.flip_flop ? activity_.all.registers : activity_.all.gates) +=
          (value ? t.rise_pj : t.fall_pj)[p.input];
    }
  }
  for (std::uint32_t r = first_reader_[at(net)]; r < first_reader_[at(net) + 1]; ++r) {
    const auto [gate, input] = readers_[r];
    state_[gate] = static_cast<std::uint8_t>(state_[gate] ^ (1u << input));
    if (gate < n_.flip_flops) continue;
    for (std::uint32_t o = first_output_[gate]; o < first_output_[gate + 1]; ++o)
      if (outputs_[o].net >= 0)
        schedule(o, input, ((outputs_[o].table >> state_[gate]) & 1) != 0, now);
  }
}

void GateSim::run() {
  // A new event is always at least one picosecond ahead, and never a whole turn.
  for (int now = 0; events_ > 0; ++now) {
    auto& slot = wheel_[static_cast<std::size_t>(now) & (wheel_.size() - 1)];
    for (std::size_t i = 0; i < slot.size(); ++i) {
      const Event event = slot[i];
      Pending& p = pending_[at(event.net)];
      if (!p.active || p.serial != event.serial) continue;
      p.active = false;
      transition(event.net, !value(event.net), now);
    }
    events_ -= static_cast<std::int64_t>(slot.size());
    slot.clear();
  }
}

void GateSim::count_settled() {
  for (const int net : touched_nets_) {
    touched_[at(net)] = 0;
    const bool v = value(net);
    if (v == (settled_[at(net)] != 0)) continue;
    settled_[at(net)] = v;
    if (!counting_) continue;
    ++activity_.settled_transitions;
    activity_.settled.nets += (v ? e_.net_rise_pj : e_.net_fall_pj)[at(net)];
    if (driver_[at(net)] < 0) continue;
    const Output& o = outputs_[at(driver_[at(net)])];
    const OutputTiming& t = e_.outputs[o.gate][o.output];
    (o.flip_flop ? activity_.settled.registers : activity_.settled.gates) +=
        mean(v ? t.rise_pj : t.fall_pj);
  }
  touched_nets_.clear();
}

}  // namespace nbq::hw
