/// The sum of two values that each may be negated: ~a for -a and ~b for -b, and of the two +1s that
/// this lacks the first is added, the other is left (left_o). One lookup table a bit, and one below bit 0.
module nbq_ecp5_signed_add #(
  parameter int unsigned Width = 0
) (
  input  logic [Width-1:0] a_i,
  input  logic [Width-1:0] b_i,
  input  logic             neg_a_i,
  input  logic             neg_b_i,
  output logic [Width-1:0] sum_o,
  output logic             left_o
);
  // 6996: a ^ b ^ c ^ d, and a ^ b as the carry that is not propagated. Below bit 0, 000F: carry out = c.
  logic [Width:0] sum;
  nbq_ecp5_carry #(.Bits(Width + 1), .First(16'h000F), .Rest(16'h6996)) u_carry (
    .a_i({b_i, 1'b0}), .b_i({{Width{neg_b_i}}, 1'b0}), .c_i({a_i, neg_a_i || neg_b_i}),
    .d_i({{Width{neg_a_i}}, 1'b0}), .sum_o(sum)
  );
  assign sum_o  = sum[Width:1];
  assign left_o = neg_a_i && neg_b_i;
  logic unused_low;
  assign unused_low = sum[0];
endmodule
