/// a + y + one, or a + 2y + one: the carry chain's slot picks the product's bit and adds it. At most Bits + 1
/// lookup tables. The +1 comes out of a slot below bit 0, or, where that would begin another cell, out of
/// bit 0's slot, whose sum then takes a table of its own.
module nbq_ecp5_merge #(
  parameter int unsigned XBits = 0,
  parameter int unsigned Bits  = 0   // more than XBits + 2
) (
  input  logic [Bits-2:0] a_i,     // signed
  input  logic [XBits:0]  y_i,     // signed; x itself is never doubled, 2x or its complement is
  input  logic            once_i,  // y, else 2y
  input  logic            one_i,
  output logic [Bits-1:0] sum_o    // signed
);
  logic [Bits-1:0] a, y, y2;
  assign a  = {a_i[Bits-2], a_i};
  assign y  = {{Bits-XBits-1{y_i[XBits]}}, y_i};
  assign y2 = {y[Bits-2:0], y_i[0]};

  // 665A: sum a ^ (d ? b : c), and a as the carry that is not propagated.
  localparam logic [15:0] Pick = 16'h665A;
  if (Bits % 2 == 1) begin : g_below
    logic [Bits:0] sum;
    // 000F: carry out = c.
    nbq_ecp5_carry #(.Bits(Bits + 1), .First(16'h000F), .Rest(Pick)) u_carry (
      .a_i({a, 1'b0}), .b_i({y, 1'b0}), .c_i({y2, one_i}), .d_i({{Bits{once_i}}, 1'b0}), .sum_o(sum)
    );
    assign sum_o = sum[Bits:1];
    logic unused_low;
    assign unused_low = sum[0];
  end else begin : g_in_bit_0
    logic [Bits-1:0] sum;
    // 077F: carry out = majority of a & b, c and d.
    nbq_ecp5_carry #(.Bits(Bits), .First(16'h077F), .Rest(Pick)) u_carry (
      .a_i({a[Bits-1:1], y[0]}), .b_i({y[Bits-1:1], 1'b1}), .c_i({y2[Bits-1:1], a[0]}),
      .d_i({{Bits-1{once_i}}, one_i}), .sum_o(sum)
    );
    assign sum_o = {sum[Bits-1:1], a[0] ^ y[0] ^ one_i};
    logic unused_low;
    assign unused_low = ^{sum[0], y2[0]};
  end
endmodule
