/// One's complement of a negative 3-bit code's product, two LUT4 a bit: x or 2x; then that or 4x. A
/// code of 0 is left to the register behind it.
module nbq_ecp5_product #(
  parameter int unsigned XBits = 0
) (
  input  logic [XBits-1:0] x_i,      // signed
  input  logic             twice_i,  // 2x or 4x
  input  logic             once_i,   // not 4x
  input  logic             neg_i,
  output logic [XBits+1:0] prod_o    // signed
);
  logic [XBits:0]   low;
  logic [XBits+1:0] y, x4;
  nbq_ecp5_row #(.XBits(XBits)) u_row (.x_i, .twice_i, .neg_i, .y_o(low));
  assign y  = {low[XBits], low};
  assign x4 = {x_i, 2'b00};
  assign prod_o[0] = low[0];  // 2x and 4x have the same
  for (genvar i = 1; i < XBits + 2; i++) begin : g_bit
    LUT4 #(.INIT(16'hA3AC)) u_bit (
      .A(y[i]), .B(x4[i]), .C(once_i), .D(neg_i), .Z(prod_o[i])
    );
  end
  logic unused_low;
  assign unused_low = ^{y[0], x4[0]};
endmodule
