/// Sum of four products of 3-bit codes in about 1.35 lookup tables a bit and lane: three products
/// and one that shares an adder's tables (nbq_xcup_merge). Merged, lane 3 can't be negative, so
/// lane 0 is added to it with both signs flipped when it is, and the ternary adder flips the sum
/// back. Lanes 1 to 3 come one cycle after lane 0; latency 3 from lane 0. sum_o + one_o is the sum.
module nbq_xcup_quad #(
  parameter int unsigned XBits = 0
) (
  input  logic               clk_i,
  input  logic [4*XBits-1:0] x_i,
  input  logic [11:0]        w_i,  // {neg, k} each; lane 0's neg is relative to lane 3's
  output logic [XBits+3:0]   sum_o,
  output logic               one_o
);
  localparam int unsigned ProdBits = XBits + 2;

  // First lane 0; a negative code's product is 1 too low until `one` is added.
  logic [ProdBits-1:0] prod0, prod0_q;
  logic                one0_q;
  nbq_xcup_product #(.XBits(XBits)) u_prod0 (
    .x_i(x_i[0 +: XBits]), .code_i(w_i[2:0]), .prod_o(prod0)
  );
  always_ff @(posedge clk_i) begin
    prod0_q <= prod0;
    one0_q  <= w_i[2];
  end

  // Then the others, lane 3's product on top of lane 0's.
  logic [ProdBits-1:0] prod1, prod2, prod1_q, prod2_q;
  logic [XBits+2:0]    pair, pair_q;
  logic [2:0]          neg_q;
  nbq_xcup_product #(.XBits(XBits)) u_prod1 (
    .x_i(x_i[XBits +: XBits]), .code_i(w_i[5:3]), .prod_o(prod1)
  );
  nbq_xcup_product #(.XBits(XBits)) u_prod2 (
    .x_i(x_i[2*XBits +: XBits]), .code_i(w_i[8:6]), .prod_o(prod2)
  );
  nbq_xcup_merge #(.XBits(XBits)) u_pair (
    .a_i(prod0_q), .x_i(x_i[3*XBits +: XBits]), .k_i(w_i[10:9]), .one_i(one0_q), .sum_o(pair)
  );
  always_ff @(posedge clk_i) begin
    prod1_q <= prod1;
    prod2_q <= prod2;
    pair_q  <= pair;
    neg_q   <= {w_i[11], w_i[8], w_i[5]};
  end

  logic [XBits+3:0] sum;
  nbq_xcup_add3 #(.Width(XBits + 4)) u_sum (
    .a_i({{2{prod1_q[ProdBits-1]}}, prod1_q}), .b_i({{2{prod2_q[ProdBits-1]}}, prod2_q}),
    .c_i({pair_q[XBits+2], pair_q}), .neg_i(neg_q[2]), .ones_i(neg_q[1:0]), .sum_o(sum)
  );
  always_ff @(posedge clk_i) begin
    sum_o <= sum;
    one_o <= neg_q[2];
  end
endmodule
