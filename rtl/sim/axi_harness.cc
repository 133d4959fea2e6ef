// Drives one Verilated nbq_axi_top: its AXI4-Lite slave as a host, its AXI4 master as a memory.
// The C interface is engine_harness.cc's and what the memory adds.
#include <verilated.h>

#include <memory>

#include "Vnbq.h"
#include "axi_memory.h"

namespace {

struct Engine {
  VerilatedContext context;
  std::unique_ptr<Vnbq> top;
  AxiMemory<Vnbq> memory;
  AxiMemoryOptions options;
  std::mt19937 rng;
  std::uint64_t clock = 0;
  std::uint32_t response = 0;  // of the last access

  Engine() {
    context.debug(0);
    top = std::make_unique<Vnbq>(&context);
    top->clk_i = 0;
    top->rst_ni = 1;
    top->eval();
    reset();
    clock = 0;
  }
  void reset() {
    top->rst_ni = 0;  // the fall triggers the asynchronous resets
    top->eval();
    memory.forget(*top);
    tick();
    tick();
    top->rst_ni = 1;
    tick();
  }
  /// What is settled before the clock edge stays readable until then.
  void settle() {
    memory.drive(*top);
    top->eval();
  }
  void edge() {
    memory.sample(*top);
    top->clk_i = 1;
    top->eval();
    memory.after(*top);
    top->clk_i = 0;
    top->eval();
    ++clock;
  }
  void tick() {
    settle();
    edge();
  }
  bool go() { return rng() % 100 >= options.stall_percent; }

  void write(std::uint32_t address, std::uint32_t value, std::uint32_t strobe) {
    top->s_axi_awaddr = static_cast<std::uint16_t>(address);
    top->s_axi_wdata = value;
    top->s_axi_wstrb = static_cast<std::uint8_t>(strobe);
    for (bool address_left = true, data_left = true; address_left || data_left;) {
      // Address and data come apart, and stay once offered.
      if (address_left && go()) top->s_axi_awvalid = 1;
      if (data_left && go()) top->s_axi_wvalid = 1;
      settle();
      const bool aw = top->s_axi_awvalid != 0 && top->s_axi_awready != 0;
      const bool w = top->s_axi_wvalid != 0 && top->s_axi_wready != 0;
      edge();
      if (aw) address_left = top->s_axi_awvalid = 0;
      if (w) data_left = top->s_axi_wvalid = 0;
    }
    for (bool done = false; !done;) {
      top->s_axi_bready = go();
      settle();
      done = top->s_axi_bvalid != 0 && top->s_axi_bready != 0;
      response = top->s_axi_bresp;
      edge();
    }
    top->s_axi_bready = 0;
  }
  std::uint32_t read(std::uint32_t address) {
    top->s_axi_araddr = static_cast<std::uint16_t>(address);
    for (bool done = false; !done;) {
      if (go()) top->s_axi_arvalid = 1;
      settle();
      done = top->s_axi_arvalid != 0 && top->s_axi_arready != 0;
      edge();
    }
    top->s_axi_arvalid = 0;
    std::uint32_t value = 0;
    for (bool done = false; !done;) {
      top->s_axi_rready = go();
      settle();
      done = top->s_axi_rvalid != 0 && top->s_axi_rready != 0;
      value = top->s_axi_rdata;
      response = top->s_axi_rresp;
      edge();
    }
    top->s_axi_rready = 0;
    return value;
  }
};

Engine& engine_of(void* engine) { return *static_cast<Engine*>(engine); }

}  // namespace

extern "C" {

void* nbq_engine_create() { return new Engine; }
void nbq_engine_destroy(void* engine) { delete static_cast<Engine*>(engine); }
void nbq_engine_write(void* engine, std::uint32_t reg, std::uint32_t value) {
  engine_of(engine).write(4 * reg, value, 15);
}
std::uint32_t nbq_engine_read(void* engine, std::uint32_t reg) {
  return engine_of(engine).read(4 * reg);
}
void nbq_engine_wait(void* engine, std::uint64_t cycles) {
  Engine& e = engine_of(engine);
  // A start written just before shows in busy_o two cycles later.
  for (std::uint64_t i = 0; i < cycles && (i < 2 || e.top->busy_o != 0); ++i) e.tick();
}
std::uint64_t nbq_engine_clock(void* engine) { return engine_of(engine).clock; }

std::uint8_t* nbq_engine_memory(void* engine, std::uint64_t bytes) {
  auto& memory = engine_of(engine).memory.bytes;
  if (memory.size() < bytes) memory.resize(bytes);
  return memory.data();
}
void nbq_engine_configure(void* engine, const AxiMemoryOptions* options) {
  Engine& e = engine_of(engine);
  e.options = *options;
  e.memory.configure(*options);
  e.rng.seed(options->seed + 1);
}
/// The rule that the engine's master broke, or an empty string.
const char* nbq_engine_violation(void* engine) {
  return engine_of(engine).memory.violation().c_str();
}
/// A raw AXI4-Lite access at a byte address; returns the response, the data in *value.
std::uint32_t nbq_engine_access(void* engine, std::uint32_t write, std::uint32_t address,
                                std::uint32_t strobe, std::uint32_t* value) {
  Engine& e = engine_of(engine);
  if (write != 0)
    e.write(address, *value, strobe);
  else
    *value = e.read(address);
  return e.response;
}
void nbq_engine_reset(void* engine) { engine_of(engine).reset(); }
std::uint32_t nbq_engine_irq(void* engine) { return engine_of(engine).top->irq_o; }
}
