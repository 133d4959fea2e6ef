/// a + b + (c ^ neg) + one + one, modulo 2^Width, in Width lookup tables: each compresses a bit of
/// the three to a sum and a carry bit, which its neighbour and the carry chain add up. The chain's
/// carry in and the carry bit that bit 0 lacks take a +1 each.
module nbq_xcup_add3 #(
  parameter int unsigned Width = 0
) (
  input  logic [Width-1:0] a_i,
  input  logic [Width-1:0] b_i,
  input  logic [Width-1:0] c_i,
  input  logic             neg_i,   // inverts c_i
  input  logic [1:0]       ones_i,
  output logic [Width-1:0] sum_o
);
  logic [Width:0]   m;  // carry bits of the compression
  logic [Width-1:0] s;
  assign m[0] = ones_i[1];
  for (genvar i = 0; i < Width; i++) begin : g_bit
    LUT6_2 #(.INIT(64'h96696996_8e8ee8e8)) u_bit (
      .I0(a_i[i]), .I1(b_i[i]), .I2(c_i[i]), .I3(m[i]), .I4(neg_i), .I5(1'b1),
      .O5(m[i+1]), .O6(s[i])
    );
  end
  nbq_xcup_carry #(.Width(Width)) u_carry (
    .carry_i(ones_i[0]), .s_i(s), .d_i(m[Width-1:0]), .sum_o
  );
  logic unused_m;
  assign unused_m = m[Width];
endmodule
