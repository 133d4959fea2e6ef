/// nbq_svpe behind the ports of cell_harness.cc: in_i has the operands from bit 0 on and the codes
/// from bit 128 on; out_o is the sum, sign-extended.
module nbq_cell_svpe #(
  parameter int unsigned Lanes    = 0,
  parameter int unsigned XBits    = 0,
  parameter int unsigned CodeBits = 0
) (
  input  logic         clk_i,
  input  logic [255:0] in_i,
  output logic [63:0]  out_o
);
  localparam int unsigned SumBits = XBits + (1 << (CodeBits - 1)) - 2 + $clog2(Lanes);
  logic signed [SumBits-1:0] sum;
  logic                      one;
  nbq_svpe #(.Lanes(Lanes), .XBits(XBits), .CodeBits(CodeBits)) u_cell (
    .clk_i, .x_i(in_i[Lanes*XBits-1:0]), .w_i(in_i[128 +: Lanes*CodeBits]), .sum_o(sum), .one_o(one)
  );
  assign out_o = 64'(sum) + 64'(one);
endmodule
