// Drives the host bus of one Verilated nbq_engine; src/hw/sim.cc compiles it into a shared library
// beside the model and calls these functions.
#include <svdpi.h>
#include <verilated.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "Vnbq.h"

namespace {

/// What an array with nbq_array_probe.sv sees in one cycle of a running program; see src/hw/sim.h.
using ProbeFunction = void (*)(void* user, int valid, int last, const std::uint32_t* x,
                               const std::uint32_t* w);

/// A signal of nbq_signal_probe.sv, once under its name, then in every cycle.
using OpenFunction = void (*)(void* user, int id, const char* path, int width);
using SignalFunction = void (*)(void* user, int id, const std::uint32_t* value);

struct Engine {
  VerilatedContext context;
  std::unique_ptr<Vnbq> top;
  std::uint64_t clock = 0;
  ProbeFunction probe = nullptr;
  void* probe_user = nullptr;
  std::vector<std::pair<std::string, int>> signals;  ///< names and widths
  SignalFunction signal = nullptr;
  void* signal_user = nullptr;

  Engine() {
    ticking = this;
    context.debug(0);
    top = std::make_unique<Vnbq>(&context);
    top->clk_i = 0;
    top->host_valid_i = 0;
    top->rst_ni = 1;
    top->eval();
    top->rst_ni = 0;  // the fall triggers the asynchronous resets
    top->eval();
    tick();
    tick();
    top->rst_ni = 1;
    tick();
    clock = 0;
  }
  void tick() {
    ticking = this;
    top->clk_i = 1;
    top->eval();
    top->clk_i = 0;
    top->eval();
    ++clock;
  }
  /// The engine whose clock edge this thread evaluates.
  static thread_local Engine* ticking;

  /// Offers one access until it is taken.
  void access(bool write, std::uint32_t reg, std::uint32_t value) {
    top->host_valid_i = 1;
    top->host_write_i = write;
    top->host_addr_i = static_cast<std::uint8_t>(reg);
    top->host_wdata_i = value;
    for (bool taken = false; !taken; tick()) taken = top->host_ready_o != 0;
    top->host_valid_i = 0;
  }
};
thread_local Engine* Engine::ticking = nullptr;

}  // namespace

extern "C" {

void nbq_array_tap(svBit valid, svBit last, const svBitVecVal* x, const svBitVecVal* w) {
  const Engine* e = Engine::ticking;
  if (e != nullptr && e->probe != nullptr && e->top->busy_o != 0)
    e->probe(e->probe_user, valid, last, x, w);
}

int nbq_signal_open(const char* path, int width) {
  auto& signals = Engine::ticking->signals;
  signals.emplace_back(path, width);
  return static_cast<int>(signals.size()) - 1;
}
void nbq_signal(int id, const svBitVecVal* value) {
  const Engine* e = Engine::ticking;
  if (e->signal != nullptr) e->signal(e->signal_user, id, value);
}
void nbq_engine_set_signals(void* engine, OpenFunction open, SignalFunction signal, void* user) {
  auto* e = static_cast<Engine*>(engine);
  for (std::size_t i = 0; i < e->signals.size(); ++i)
    open(user, static_cast<int>(i), e->signals[i].first.c_str(), e->signals[i].second);
  e->signal = signal;
  e->signal_user = user;
}

void nbq_engine_set_probe(void* engine, ProbeFunction probe, void* user) {
  static_cast<Engine*>(engine)->probe = probe;
  static_cast<Engine*>(engine)->probe_user = user;
}

void* nbq_engine_create() { return new Engine; }
void nbq_engine_destroy(void* engine) { delete static_cast<Engine*>(engine); }

void nbq_engine_write(void* engine, std::uint32_t reg, std::uint32_t value) {
  static_cast<Engine*>(engine)->access(true, reg, value);
}

std::uint32_t nbq_engine_read(void* engine, std::uint32_t reg) {
  auto* e = static_cast<Engine*>(engine);
  e->access(false, reg, 0);
  while (e->top->host_rvalid_o == 0) e->tick();
  return e->top->host_rdata_o;
}

void nbq_engine_wait(void* engine, std::uint64_t cycles) {
  auto* e = static_cast<Engine*>(engine);
  // A start written just before shows in busy_o two cycles later.
  for (std::uint64_t i = 0; i < cycles && (i < 2 || e->top->busy_o != 0); ++i) e->tick();
}

std::uint64_t nbq_engine_clock(void* engine) { return static_cast<Engine*>(engine)->clock; }
}
