/// a + b, or a - b when neg_i: modulo 2^Width, in a carry chain of an even number of slots, at most
/// Width + 1 lookup tables. The +1 of a difference comes out of a slot below bit 0, or, where that
/// would begin another cell, out of bit 0's slot, whose sum then takes a table of its own.
module nbq_ecp5_addsub #(
  parameter int unsigned Width = 0
) (
  input  logic [Width-1:0] a_i,
  input  logic [Width-1:0] b_i,
  input  logic             neg_i,
  output logic [Width-1:0] sum_o
);
  // 96AA: sum a ^ b ^ c for d = 1, and a as the carry that is not propagated.
  if (Width % 2 == 1) begin : g_odd
    logic [Width:0] sum;
    // 000F: carry out = c.
    nbq_ecp5_carry #(.Bits(Width + 1), .First(16'h000F)) u_carry (
      .a_i({a_i, 1'b0}), .b_i({b_i, 1'b0}), .c_i({Width+1{neg_i}}), .d_i({{Width{1'b1}}, 1'b0}),
      .sum_o(sum)
    );
    assign sum_o = sum[Width:1];
    logic unused_low;
    assign unused_low = sum[0];
  end else begin : g_even
    logic [Width-1:0] sum;
    // 0A5F: carry out = majority of c, a ^ d and d.
    nbq_ecp5_carry #(.Bits(Width), .First(16'h0A5F)) u_carry (
      .a_i({a_i[Width-1:1], b_i[0]}), .b_i({b_i[Width-1:1], 1'b0}),
      .c_i({{Width-1{neg_i}}, a_i[0]}), .d_i({{Width-1{1'b1}}, neg_i}), .sum_o(sum)
    );
    assign sum_o = {sum[Width-1:1], a_i[0] ^ b_i[0]};
    logic unused_low;
    assign unused_low = sum[0];
  end
endmodule
