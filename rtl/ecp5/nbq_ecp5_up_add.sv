/// (up_i ? a << UpBits : a) + b + one: modulo 2^Width, one lookup table a bit, and one below bit 0.
module nbq_ecp5_up_add #(
  parameter int unsigned Width  = 0,
  parameter int unsigned UpBits = 0
) (
  input  logic [Width-1:0] a_i,
  input  logic             up_i,
  input  logic [Width-1:0] b_i,
  input  logic             one_i,
  output logic [Width-1:0] sum_o
);
  // 569A: a ^ (b ? d : c), and a as the carry that is not propagated.
  // Below bit 0, 000F: carry out = c.
  logic [Width:0] sum;
  nbq_ecp5_carry #(.Bits(Width + 1), .First(16'h000F), .Rest(16'h569A)) u_carry (
    .a_i({b_i, 1'b0}), .b_i({{Width{up_i}}, 1'b0}), .c_i({a_i, one_i}),
    .d_i({a_i << UpBits, 1'b0}), .sum_o(sum)
  );
  assign sum_o = sum[Width:1];
  logic unused_low;
  assign unused_low = sum[0];
endmodule
