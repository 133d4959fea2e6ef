/// nbq_requant behind the ports of cell_harness.cc: v from bit 0, shift from 64, lo from 96, hi
/// from 128; out_o is the result, sign-extended.
module nbq_cell_requant #(
  parameter int unsigned Width   = 0,
  parameter int unsigned MaxLeft = 15
) (
  input  logic         clk_i,
  input  logic [255:0] in_i,
  output logic [63:0]  out_o
);
  logic signed [17:0] y;
  nbq_requant #(.Width(Width), .MaxLeft(MaxLeft)) u_cell (
    .clk_i, .v_i(in_i[Width-1:0]), .shift_i(in_i[70:64]), .lo_i(in_i[113:96]),
    .hi_i(in_i[145:128]), .y_o(y)
  );
  assign out_o = 64'(y);
endmodule
