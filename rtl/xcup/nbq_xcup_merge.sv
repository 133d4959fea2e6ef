/// a + |w| * x + one: the product of a 3-bit code's magnitude and the adder share their lookup
/// tables, XBits + 3 of them. O5 is the product's bit, which I5 = a inverts for the chain.
module nbq_xcup_merge #(
  parameter int unsigned XBits = 0
) (
  input  logic [XBits+1:0] a_i,    // signed
  input  logic [XBits-1:0] x_i,    // signed
  input  logic [1:0]       k_i,
  input  logic             one_i,
  output logic [XBits+2:0] sum_o   // signed
);
  logic [XBits+2:0] a, p, s;
  logic [XBits+4:0] x;  // x << 2, sign-extended
  assign a = {a_i[XBits+1], a_i};
  assign x = {{3{x_i[XBits-1]}}, x_i, 2'b00};
  for (genvar i = 0; i < XBits + 3; i++) begin : g_bit
    LUT6_2 #(.INIT(64'h0f3355ff_f0ccaa00)) u_bit (
      .I0(x[i+2]), .I1(x[i+1]), .I2(x[i]), .I3(k_i[0]), .I4(k_i[1]), .I5(a[i]),
      .O5(p[i]), .O6(s[i])
    );
  end
  nbq_xcup_carry #(.Width(XBits + 3)) u_carry (.carry_i(one_i), .s_i(s), .d_i(p), .sum_o);
endmodule
