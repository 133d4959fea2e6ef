/// a + |w| * x + one for a 3-bit code. One LUT4 a bit has x or 2x or 0; the carry chain's slot picks
/// between it and 4x and adds.
module nbq_ecp5_merge #(
  parameter int unsigned XBits = 0
) (
  input  logic [XBits+1:0] a_i,     // signed
  input  logic [XBits-1:0] x_i,     // signed
  input  logic [2:0]       sel_i,   // {not 4x, 2x or 4x, x}
  input  logic             one_i,
  output logic [XBits+2:0] sum_o    // signed
);
  localparam int unsigned Bits = XBits + 3;
  logic [XBits:0]  low;
  logic [Bits-1:0] a, y, x4, sum;
  nbq_ecp5_low #(.XBits(XBits)) u_low (.x_i, .sel_i(sel_i[1:0]), .y_o(low));
  assign y  = {{2{low[XBits]}}, low};
  assign a  = {a_i[XBits+1], a_i};
  assign x4 = {x_i[XBits-1], x_i, 2'b00};

  // 665A: sum a ^ (d ? b : c), and a as the carry that is not propagated; 077F: carry out =
  // majority of a & b, c and d. Bit 0 is a + (x & sel) + one, its sum a table of its own.
  nbq_ecp5_carry #(.Bits(Bits), .First(16'h077F), .Rest(16'h665A)) u_carry (
    .a_i({a[Bits-1:1], x_i[0]}), .b_i({y[Bits-1:1], sel_i[0]}), .c_i({x4[Bits-1:1], a[0]}),
    .d_i({{Bits-1{sel_i[2]}}, one_i}), .sum_o(sum)
  );
  LUT4 #(.INIT(16'h8778)) u_sum0 (.A(x_i[0]), .B(sel_i[0]), .C(a[0]), .D(one_i), .Z(sum_o[0]));
  assign sum_o[Bits-1:1] = sum[Bits-1:1];
  logic unused_low;
  assign unused_low = ^{sum[0], y[0], x4[0]};
endmodule
