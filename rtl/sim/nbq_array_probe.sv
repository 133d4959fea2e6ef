/// Shows what every array sees, cycle by cycle, to the C++ side: bound into nbq_array, so the RTL
/// that is measured stays as it is.
module nbq_array_probe #(
  parameter int unsigned XWidth = 0,
  parameter int unsigned WWidth = 0
) (
  input logic              clk_i,
  input logic              valid_i,
  input logic              last_i,
  input logic [XWidth-1:0] x_i,
  input logic [WWidth-1:0] w_i
);
  import "DPI-C" function void nbq_array_tap(
    input bit valid, input bit last, input bit [XWidth-1:0] x, input bit [WWidth-1:0] w);
  always_ff @(posedge clk_i) nbq_array_tap(valid_i, last_i, x_i, w_i);
endmodule

bind nbq_array nbq_array_probe #(
  .XWidth(Pixels * LanesIn * XBits), .WWidth(LanesOut * LanesIn * WBits)
) u_probe (.clk_i, .valid_i, .last_i, .x_i, .w_i);
