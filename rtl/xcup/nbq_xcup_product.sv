/// One's complement of a negative 3-bit code's product: (|w| * x) ^ neg, in XBits lookup tables.
/// A bit needs x[i], x[i-1], x[i-2] and the code: one LUT6. Each end's two bits need one x bit less
/// and share a LUT6_2. "Minus zero" gives -1, as every negative code is 1 too low.
module nbq_xcup_product #(
  parameter int unsigned XBits = 0  // >= 3
) (
  input  logic [XBits-1:0] x_i,     // signed
  input  logic [2:0]       code_i,  // {neg, k}
  output logic [XBits+1:0] prod_o   // signed
);
  if (XBits < 3) begin : g_check
    $error("nbq_xcup_product: XBits must be 3 or more");
  end
  LUT6_2 #(.INIT(64'hf53f0ac0_ff5f00a0)) u_low (
    .I0(x_i[0]), .I1(x_i[1]), .I2(code_i[0]), .I3(code_i[1]), .I4(code_i[2]), .I5(1'b1),
    .O5(prod_o[0]), .O6(prod_o[1])
  );
  for (genvar i = 2; i < XBits; i++) begin : g_bit
    LUT6 #(.INIT(64'h0f3355ff_f0ccaa00)) u_bit (
      .I0(x_i[i]), .I1(x_i[i-1]), .I2(x_i[i-2]), .I3(code_i[0]), .I4(code_i[1]), .I5(code_i[2]),
      .O(prod_o[i])
    );
  end
  LUT6_2 #(.INIT(64'h333fccc0_533facc0)) u_high (
    .I0(x_i[XBits-2]), .I1(x_i[XBits-1]), .I2(code_i[0]), .I3(code_i[1]), .I4(code_i[2]),
    .I5(1'b1), .O5(prod_o[XBits]), .O6(prod_o[XBits+1])
  );
endmodule
