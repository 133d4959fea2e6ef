/// nbq_elements of one output channel behind the ports of cell_harness.cc. in_i has the operands from
/// bit 0 on, the weights from bit 288 on, then {clear, last, valid, up} from bit 508 on.
/// out_o has a bit on top that is set when a sum has reached the drain registers, and the sums of the
/// first and the last pixel.
module nbq_cell_elements #(
  parameter int unsigned PeKind   = 0,
  parameter int unsigned Target   = 0,
  parameter int unsigned Lanes    = 0,
  parameter int unsigned Pixels   = 0,
  parameter int unsigned XBits    = 0,
  parameter int unsigned CodeBits = 0,
  parameter int unsigned MultBits = 0,
  parameter int unsigned UpBits   = 0,
  parameter int unsigned AccBits  = 0   // at most 31
) (
  input  logic         clk_i,
  input  logic [511:0] in_i,
  output logic [63:0]  out_o
);
  localparam int unsigned WBits = PeKind == 0 ? CodeBits : MultBits;
  localparam int unsigned Latency = nbq_pkg::pe_latency(PeKind, Target, CodeBits, Lanes) + 1;
  logic                      valid, last, clear, up, done;
  logic [Pixels*AccBits-1:0] drain;
  assign {clear, last, valid, up} = in_i[511:508];
  nbq_elements #(
    .PeKind(PeKind), .Target(Target), .LanesIn(Lanes), .LanesOut(1), .Pixels(Pixels),
    .CodeBits(CodeBits), .MultBits(MultBits), .XBits(XBits), .AccBits(AccBits),
    .UpBits(UpBits)
  ) u_elements (
    .clk_i, .clear_i(clear), .valid_i(valid), .last_i(last), .up_i(up), .x_i(in_i[0 +: Pixels*Lanes*XBits]),
    .w_i(in_i[288 +: Lanes*WBits]), .drain_o(drain)
  );
  nbq_delay #(.Width(1), .Cycles(Latency)) u_done (
    .clk_i, .clear_i(clear), .d_i(valid && last), .q_o(done)
  );
  assign out_o = {done, 1'b0, 31'(drain[(Pixels-1)*AccBits +: AccBits]), 31'(drain[0 +: AccBits])};
endmodule
