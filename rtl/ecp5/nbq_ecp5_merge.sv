/// a + y + one, or a + 2y + one: the carry chain's slot picks the product's bit and adds it.
module nbq_ecp5_merge #(
  parameter int unsigned XBits = 0
) (
  input  logic [XBits+1:0] a_i,     // signed
  input  logic [XBits:0]   y_i,     // signed; even where it is doubled
  input  logic             once_i,  // y, else 2y
  input  logic             one_i,
  output logic [XBits+2:0] sum_o    // signed
);
  localparam int unsigned Bits = XBits + 3;
  logic [Bits-1:0] a, y, y2, sum;
  assign a  = {a_i[XBits+1], a_i};
  assign y  = {{2{y_i[XBits]}}, y_i};
  assign y2 = {y_i[XBits], y_i, 1'b0};

  // 665A: sum a ^ (d ? b : c), and a as the carry that is not propagated; 077F: carry out =
  // majority of a & b, c and d. Bit 0 is a + y + one, its sum a table of its own.
  nbq_ecp5_carry #(.Bits(Bits), .First(16'h077F), .Rest(16'h665A)) u_carry (
    .a_i({a[Bits-1:1], y[0]}), .b_i({y[Bits-1:1], 1'b1}), .c_i({y2[Bits-1:1], a[0]}),
    .d_i({{Bits-1{once_i}}, one_i}), .sum_o(sum)
  );
  assign sum_o = {sum[Bits-1:1], a[0] ^ y[0] ^ one_i};
  logic unused_low;
  assign unused_low = ^{sum[0], y2[0]};
endmodule
