/// y = 0, x, 2x, 2x for a magnitude of 0 to 3: one LUT4 a bit.
module nbq_ecp5_low #(
  parameter int unsigned XBits = 0
) (
  input  logic [XBits-1:0] x_i,    // signed
  input  logic [1:0]       mag_i,
  output logic [XBits:0]   y_o     // signed
);
  logic [XBits+1:0] x;
  assign x = {x_i[XBits-1], x_i, 1'b0};
  for (genvar i = 0; i <= XBits; i++) begin : g_bit
    LUT4 #(.INIT(16'hCCA0)) u_bit (
      .A(x[i+1]), .B(x[i]), .C(mag_i[0]), .D(mag_i[1]), .Z(y_o[i])
    );
  end
endmodule
