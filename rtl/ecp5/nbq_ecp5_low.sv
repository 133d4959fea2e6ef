/// y = x or 2x, or 0 where neither is picked: one LUT4 a bit. What it is for both is no matter: then
/// the reader takes 4x. Bit 0 is left to the reader, whose own
/// table has room for it.
module nbq_ecp5_low #(
  parameter int unsigned XBits = 0
) (
  input  logic [XBits-1:0] x_i,    // signed
  input  logic [1:0]       sel_i,  // {2x, x}
  output logic [XBits:0]   y_o     // signed; bit 0 is 0
);
  logic [XBits:0] x;
  assign x      = {x_i[XBits-1], x_i};
  assign y_o[0] = 1'b0;
  for (genvar i = 1; i <= XBits; i++) begin : g_bit
    LUT4 #(.INIT(16'hECA0)) u_bit (
      .A(x[i]), .B(x[i-1]), .C(sel_i[0]), .D(sel_i[1]), .Z(y_o[i])
    );
  end
endmodule
