// Drives one Verilated nbq_cell_dma cycle by cycle, with an AXI4 memory behind it.
#include <verilated.h>

#include <memory>

#include "Vnbq.h"
#include "axi_memory.h"

namespace {
struct Dma {
  VerilatedContext context;
  std::unique_ptr<Vnbq> top = std::make_unique<Vnbq>(&context);
  AxiMemory<Vnbq> memory;
  Dma() {
    top->rst_ni = 1;
    top->eval();
    top->rst_ni = 0;
    top->eval();
    cycle();
    top->rst_ni = 1;
  }
  void cycle() {
    memory.drive(*top);
    top->eval();
    memory.sample(*top);
    top->clk_i = 1;
    top->eval();
    memory.after(*top);
    top->clk_i = 0;
  }
};
}  // namespace

extern "C" {

/// What goes in and what comes out of one clock cycle; rtl_dma_test.cc has the same.
struct DmaCycle {
  std::uint32_t reg_we, reg_addr, reg_data, start, clear, load, store, free_words, act_ready;
  std::uint32_t flags, wgt_we, wgt_addr, act_we, act_addr;
  std::uint32_t wgt_data[16], act_data[16];
};

void* nbq_dma_create() { return new Dma; }
void nbq_dma_destroy(void* dma) { delete static_cast<Dma*>(dma); }
std::uint8_t* nbq_dma_memory(void* dma, std::uint64_t bytes) {
  auto& memory = static_cast<Dma*>(dma)->memory;
  memory.bytes.resize(bytes);
  return memory.bytes.data();
}
void nbq_dma_configure(void* dma, const AxiMemoryOptions* options) {
  static_cast<Dma*>(dma)->memory.configure(*options);
}
const char* nbq_dma_violation(void* dma) {
  return static_cast<Dma*>(dma)->memory.violation().c_str();
}
void nbq_dma_cycle(void* dma, DmaCycle* c) {
  auto* d = static_cast<Dma*>(dma);
  Vnbq& t = *d->top;
  t.reg_we_i = c->reg_we != 0;
  t.reg_addr_i = static_cast<std::uint8_t>(c->reg_addr);
  t.reg_data_i = c->reg_data;
  t.start_i = c->start != 0;
  t.clear_i = c->clear != 0;
  t.load_i = c->load != 0;
  t.store_i = c->store != 0;
  t.free_i = c->free_words != 0;
  t.free_words_i = c->free_words;
  t.act_ready_i = c->act_ready != 0;
  // Outputs are read as they stand before the edge.
  d->memory.drive(t);
  t.eval();
  d->memory.sample(t);
  c->flags = t.flags_o;
  c->wgt_we = t.wgt_we_o;
  c->wgt_addr = t.wgt_addr_o;
  c->act_we = t.act_we_o;
  c->act_addr = t.act_addr_o;
  std::memcpy(c->wgt_data, &t.wgt_data_o, sizeof c->wgt_data);
  std::memcpy(c->act_data, &t.act_data_o, sizeof c->act_data);
  t.clk_i = 1;
  t.eval();
  d->memory.after(t);
  t.clk_i = 0;
}
}
