/// Two lanes of nbq_ecp5_svpe: the second one's product shares the tables of the carry chain that adds
/// it, so it can't be negative. The pair's sign is the second lane's, the first one's is relative to it.
/// Latency 2.
module nbq_ecp5_pair #(
  parameter int unsigned XBits = 0
) (
  input  logic               clk_i,
  input  logic [2*XBits-1:0] x_i,
  input  logic [7:0]         w_i,
  output logic [XBits+2:0]   sum_o,
  output logic               neg_o   // the sum is to be negated
);
  logic [XBits+1:0] prod, prod_q;
  logic [XBits:0]   y, y_q;
  logic             one_q, once_q, neg_q;
  logic [XBits+2:0] sum;
  nbq_ecp5_product #(.XBits(XBits)) u_product (
    .x_i(x_i[0 +: XBits]), .code_i(w_i[3:0]), .prod_o(prod)
  );
  nbq_ecp5_low #(.XBits(XBits)) u_low (.x_i(x_i[XBits +: XBits]), .mag_i(w_i[5:4]), .y_o(y));
  nbq_ecp5_merge #(.XBits(XBits), .Bits(XBits + 3)) u_merge (
    .a_i(prod_q), .y_i(y_q), .once_i(once_q), .one_i(one_q), .sum_o(sum)
  );
  always_ff @(posedge clk_i) begin
    prod_q <= prod;
    one_q  <= w_i[3];
    y_q    <= y;
    once_q <= w_i[6];
    neg_q  <= w_i[7];
    sum_o  <= sum;
    neg_o  <= neg_q;
  end
endmodule
