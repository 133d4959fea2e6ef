/// Eight lanes of nbq_ecp5_svpe: two triples and a pair, whose operands come two cycles after the triples'.
/// Latency 5.
module nbq_ecp5_eight #(
  parameter int unsigned XBits     = 0,
  parameter bit          BothSigns = 1'b0  // of the last adder (nbq_ecp5_join)
) (
  input  logic               clk_i,
  input  logic [8*XBits-1:0] x_i,
  input  logic [31:0]        w_i,
  output logic [XBits+4:0]   sum_o,
  output logic               neg_o
);
  logic [XBits+3:0] first, second;
  logic [XBits+4:0] six;
  logic [XBits+2:0] pair;
  logic             first_neg, second_neg, six_neg, pair_neg;
  nbq_ecp5_triple #(.XBits(XBits)) u_first (
    .clk_i, .x_i(x_i[0 +: 3*XBits]), .w_i(w_i[11:0]), .sum_o(first), .neg_o(first_neg)
  );
  nbq_ecp5_triple #(.XBits(XBits)) u_second (
    .clk_i, .x_i(x_i[3*XBits +: 3*XBits]), .w_i(w_i[23:12]), .sum_o(second), .neg_o(second_neg)
  );
  nbq_ecp5_pair #(.XBits(XBits)) u_pair (
    .clk_i, .x_i(x_i[6*XBits +: 2*XBits]), .w_i(w_i[31:24]), .sum_o(pair), .neg_o(pair_neg)
  );
  nbq_ecp5_join #(.ABits(XBits + 4), .BBits(XBits + 4), .SumBits(XBits + 5)) u_six (
    .clk_i, .a_i(first), .neg_a_i(first_neg), .b_i(second), .neg_b_i(second_neg),
    .sum_o(six), .neg_o(six_neg)
  );
  nbq_ecp5_join #(
    .ABits(XBits + 5), .BBits(XBits + 3), .SumBits(XBits + 5), .BothSigns(BothSigns)
  ) u_eight (
    .clk_i, .a_i(six), .neg_a_i(six_neg), .b_i(pair), .neg_b_i(pair_neg), .sum_o, .neg_o
  );
endmodule
