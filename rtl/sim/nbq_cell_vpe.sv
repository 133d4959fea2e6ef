/// nbq_vpe behind the ports of cell_harness.cc, as nbq_cell_svpe.
module nbq_cell_vpe #(
  parameter int unsigned Lanes = 0,
  parameter int unsigned XBits = 0,
  parameter int unsigned WeightBits = 0
) (
  input  logic         clk_i,
  input  logic [255:0] in_i,
  output logic [63:0]  out_o
);
  localparam int unsigned SumBits = XBits + WeightBits + $clog2(Lanes);
  logic signed [SumBits-1:0] sum;
  logic                      one;
  nbq_vpe #(.Lanes(Lanes), .XBits(XBits), .WeightBits(WeightBits)) u_cell (
    .clk_i, .x_i(in_i[Lanes*XBits-1:0]), .w_i(in_i[128 +: Lanes*WeightBits]), .sum_o(sum), .one_o(one)
  );
  assign out_o = 64'(sum) + 64'(one);
endmodule
