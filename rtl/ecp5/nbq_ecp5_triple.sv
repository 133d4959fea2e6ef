/// Three lanes of nbq_ecp5_svpe: a pair, and a third lane that the carry chain doubles, too. Its sign,
/// relative to the pair's, leaves its table no room for a code of 0, which resets the register behind
/// it instead. Its operands come a cycle after the pair's. Latency 3.
module nbq_ecp5_triple #(
  parameter int unsigned XBits = 0
) (
  input  logic               clk_i,
  input  logic [3*XBits-1:0] x_i,
  input  logic [11:0]        w_i,
  output logic [XBits+3:0]   sum_o,
  output logic               neg_o   // the sum is to be negated
);
  logic [XBits+2:0] pair;
  logic             pair_neg;
  nbq_ecp5_pair #(.XBits(XBits)) u_pair (
    .clk_i, .x_i(x_i[0 +: 2*XBits]), .w_i(w_i[7:0]), .sum_o(pair), .neg_o(pair_neg)
  );
  logic             neg, once, twice, zero, one_q, once_q;
  logic [XBits:0]   y, y_q;
  logic [XBits+3:0] sum;
  assign {neg, once, twice, zero} = w_i[11:8];
  nbq_ecp5_row #(.XBits(XBits)) u_row (
    .x_i(x_i[2*XBits +: XBits]), .twice_i(twice), .neg_i(neg), .y_o(y)
  );
  nbq_ecp5_merge #(.XBits(XBits), .Bits(XBits + 4)) u_merge (
    .a_i(pair), .y_i(y_q), .once_i(once_q), .one_i(one_q), .sum_o(sum)
  );
  always_ff @(posedge clk_i) begin
    if (zero) y_q <= '0;
    else y_q <= y;
    once_q <= once;
    one_q  <= neg;
    sum_o  <= sum;
    neg_o  <= pair_neg;
  end
endmodule
