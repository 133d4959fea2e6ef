/// One pixel column and Outputs output channels of nbq_array, with their accumulators and drain
/// registers: what `nbq energy` maps onto gates. The other elements have no reader and are removed.
module nbq_array_slice #(
  parameter int unsigned PeKind   = 0,  // as nbq_array
  parameter int unsigned Target   = 0,
  parameter int unsigned LanesIn  = 0,
  parameter int unsigned Outputs  = 0,  // 1..LanesIn
  parameter int unsigned CodeBits = 0,
  parameter int unsigned MultBits = 0,
  parameter int unsigned XBits    = 0,
  parameter int unsigned AccBits  = 0,
  parameter int unsigned WBits    = PeKind == 0 ? CodeBits : MultBits
) (
  input  logic                             clk_i,
  input  logic                             clear_i,
  input  logic                             valid_i,
  input  logic                             last_i,
  input  logic [LanesIn*XBits-1:0]         x_i,
  input  logic [Outputs*LanesIn*WBits-1:0] w_i,
  output logic [Outputs*AccBits-1:0]       drain_o
);
  logic [LanesIn*LanesIn*WBits-1:0] w;
  logic [LanesIn*AccBits-1:0]       word;
  assign w       = (LanesIn*LanesIn*WBits)'(w_i);
  assign drain_o = word[Outputs*AccBits-1:0];
  nbq_array #(
    .PeKind(PeKind), .Target(Target), .LanesIn(LanesIn), .LanesOut(LanesIn), .Pixels(1),
    .CodeBits(CodeBits),
    .MultBits(MultBits), .XBits(XBits), .AccBits(AccBits)
  ) u_array (
    .clk_i, .clear_i, .valid_i, .last_i, .up_i(1'b0), .x_i, .w_i(w), .sel_i(1'b0), .word_o(word)
  );
  logic unused_outputs;
  assign unused_outputs = ^word;
endmodule
