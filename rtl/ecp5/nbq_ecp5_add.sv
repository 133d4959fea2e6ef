/// a + (pick_i ? b : c) + one_i: modulo 2^Width, in a carry chain whose slots pick and add, at most
/// Width + 1 lookup tables (Width + 2 with an even Width and SameLow 0). The +1 comes out of a slot below
/// bit 0, or, where that would begin another cell, out of bit 0's slot, whose sum then takes a table of
/// its own; that needs the same bit 0 in b and c wherever c is picked.
module nbq_ecp5_add #(
  parameter int unsigned Width   = 0,
  parameter bit          SameLow = 1'b1
) (
  input  logic [Width-1:0] a_i,
  input  logic [Width-1:0] b_i,
  input  logic [Width-1:0] c_i,
  input  logic             pick_i,
  input  logic             one_i,
  output logic [Width-1:0] sum_o
);
  // 665A: sum a ^ (d ? b : c), and a as the carry that is not propagated.
  localparam logic [15:0] Pick = 16'h665A;
  if (Width % 2 == 1 || !SameLow) begin : g_below
    logic [Width:0] sum;
    // 000F: carry out = c.
    nbq_ecp5_carry #(.Bits(Width + 1), .First(16'h000F), .Rest(Pick)) u_carry (
      .a_i({a_i, 1'b0}), .b_i({b_i, 1'b0}), .c_i({c_i, one_i}), .d_i({{Width{pick_i}}, 1'b0}),
      .sum_o(sum)
    );
    assign sum_o = sum[Width:1];
    logic unused_low;
    assign unused_low = sum[0];
  end else begin : g_in_bit_0
    logic [Width-1:0] sum;
    // 077F: carry out = majority of a & b, c and d.
    nbq_ecp5_carry #(.Bits(Width), .First(16'h077F), .Rest(Pick)) u_carry (
      .a_i({a_i[Width-1:1], b_i[0]}), .b_i({b_i[Width-1:1], 1'b1}),
      .c_i({c_i[Width-1:1], a_i[0]}), .d_i({{Width-1{pick_i}}, one_i}), .sum_o(sum)
    );
    assign sum_o = {sum[Width-1:1], a_i[0] ^ b_i[0] ^ one_i};
    logic unused_low;
    assign unused_low = ^{sum[0], c_i[0]};
  end
endmodule
