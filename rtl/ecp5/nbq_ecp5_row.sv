/// y = x or 2x, inverted for a negative code: one LUT4 a bit.
module nbq_ecp5_row #(
  parameter int unsigned XBits = 0
) (
  input  logic [XBits-1:0] x_i,      // signed
  input  logic             twice_i,
  input  logic             neg_i,
  output logic [XBits:0]   y_o       // signed
);
  logic [XBits+1:0] x;
  assign x = {x_i[XBits-1], x_i, 1'b0};
  for (genvar i = 0; i <= XBits; i++) begin : g_bit
    LUT4 #(.INIT(16'h35CA)) u_bit (
      .A(x[i+1]), .B(x[i]), .C(twice_i), .D(neg_i), .Z(y_o[i])
    );
  end
endmodule
