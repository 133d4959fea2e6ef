/// The array: vector elements with their accumulators and drain registers (nbq_elements), and the
/// choice of a word among the drain registers.
module nbq_array #(
  parameter int unsigned PeKind    = 0,  // 0 shift, 1 multiplier, 2 multiplier, two pixels a DSP
  parameter int unsigned Target    = 0,  // family that elements are shaped for (nbq_pkg)
  parameter int unsigned LanesIn   = 0,
  parameter int unsigned LanesOut  = 0,
  parameter int unsigned Pixels    = 0,
  parameter int unsigned CodeBits  = 0,
  parameter int unsigned MultBits  = 0,   // bits of a multiplier's weight
  parameter int unsigned XBits     = 0,
  parameter int unsigned AccBits   = 0,
  parameter int unsigned UpBits    = 0,  // nbq_pkg::up_bits
  parameter int unsigned PeLatency = nbq_pkg::pe_latency(PeKind, Target, CodeBits, LanesIn),
  parameter int unsigned WBits     = PeKind == 0 ? CodeBits : MultBits,
  parameter int unsigned Words     = Pixels * LanesOut / LanesIn,
  parameter int unsigned SelBits   = nbq_pkg::index_bits(Words)
) (
  input  logic                               clk_i,
  input  logic                               clear_i,
  input  logic                               valid_i,  // a tap
  input  logic                               last_i,   // it ends a sum, the next one starts another
  input  logic                               up_i,     // accumulators go up UpBits places before it is added
  input  logic [Pixels*LanesIn*XBits-1:0]    x_i,
  input  logic [LanesOut*LanesIn*WBits-1:0]  w_i,
  // word sel_i of the drain registers: word of pixel p is p * LanesOut/LanesIn + j
  input  logic [SelBits-1:0]                 sel_i,
  output logic [LanesIn*AccBits-1:0]         word_o
);
  logic [Pixels*LanesOut*AccBits-1:0] drain;
  nbq_elements #(
    .PeKind(PeKind), .Target(Target), .LanesIn(LanesIn), .LanesOut(LanesOut), .Pixels(Pixels),
    .CodeBits(CodeBits), .MultBits(MultBits), .XBits(XBits), .AccBits(AccBits),
    .UpBits(UpBits), .PeLatency(PeLatency)
  ) u_elements (.clk_i, .clear_i, .valid_i, .last_i, .up_i, .x_i, .w_i, .drain_o(drain));
  nbq_mux #(.Words(Words), .Width(LanesIn*AccBits)) u_word (
    .sel_i, .words_i(drain), .word_o
  );
endmodule
