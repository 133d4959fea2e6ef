/// One's complement of a negative 3-bit code's product, two LUT4 a bit: x, 2x or 0; then that or 4x,
/// inverted.
module nbq_ecp5_product #(
  parameter int unsigned XBits = 0
) (
  input  logic [XBits-1:0] x_i,     // signed
  input  logic [3:0]       code_i,  // {neg, not 4x, magnitude}
  output logic [XBits+1:0] prod_o   // signed
);
  logic [XBits:0]   low;
  logic [XBits+1:0] y, x4;
  nbq_ecp5_low #(.XBits(XBits)) u_low (.x_i, .mag_i(code_i[1:0]), .y_o(low));
  assign y  = {low[XBits], low};
  assign x4 = {x_i, 2'b00};
  LUT4 #(.INIT(16'h7F80)) u_bit0 (  // x and not 4x, inverted
    .A(x_i[0]), .B(code_i[0]), .C(code_i[2]), .D(code_i[3]), .Z(prod_o[0])
  );
  for (genvar i = 1; i < XBits + 2; i++) begin : g_bit
    LUT4 #(.INIT(16'h53AC)) u_bit (
      .A(y[i]), .B(x4[i]), .C(code_i[2]), .D(code_i[3]), .Z(prod_o[i])
    );
  end
  logic unused_low;
  assign unused_low = ^{y[0], x4[0]};
endmodule
