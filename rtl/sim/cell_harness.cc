// Drives one Verilated cell wrapper (rtl/sim/nbq_cell_*.sv): a vector in, a vector out, a clock.
#include <verilated.h>

#include <cstdint>
#include <cstring>
#include <memory>

#include "Vnbq.h"

namespace {
struct Cell {
  VerilatedContext context;
  std::unique_ptr<Vnbq> top = std::make_unique<Vnbq>(&context);
  Cell() { top->eval(); }  // so that the first rise of the clock is one
};
}  // namespace

extern "C" {

void* nbq_cell_create() { return new Cell; }
void nbq_cell_destroy(void* cell) { delete static_cast<Cell*>(cell); }

/// Sets the inputs, lets `cycles` clock cycles pass, reads the outputs; 32-bit words, low first.
void nbq_cell_run(void* cell, const std::uint32_t* in, std::uint32_t* out, std::uint32_t cycles) {
  auto* c = static_cast<Cell*>(cell);
  std::memcpy(&c->top->in_i, in, sizeof c->top->in_i);
  for (std::uint32_t i = 0; i < cycles; ++i) {
    c->top->clk_i = 1;
    c->top->eval();
    c->top->clk_i = 0;
    c->top->eval();
  }
  std::memcpy(out, &c->top->out_o, sizeof c->top->out_o);
}
}
