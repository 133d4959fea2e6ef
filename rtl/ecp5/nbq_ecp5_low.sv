/// y = x or 2x, or 0 where neither is picked: one LUT4 a bit.
module nbq_ecp5_low #(
  parameter int unsigned XBits = 0
) (
  input  logic [XBits-1:0] x_i,    // signed
  input  logic [1:0]       sel_i,  // {2x, x}; for both y is no matter
  output logic [XBits:0]   y_o     // signed
);
  logic [XBits+1:0] x;
  assign x = {x_i[XBits-1], x_i, 1'b0};
  for (genvar i = 0; i <= XBits; i++) begin : g_bit
    LUT4 #(.INIT(16'hECA0)) u_bit (
      .A(x[i+1]), .B(x[i]), .C(sel_i[0]), .D(sel_i[1]), .Z(y_o[i])
    );
  end
endmodule
