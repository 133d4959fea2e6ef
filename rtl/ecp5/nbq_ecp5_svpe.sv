/// Shift vector element with its accumulator for Lattice ECP5 and 3-bit codes; the sums of nbq_svpe.
/// Lanes go in pairs: an odd lane's product shares the tables of the carry chain that adds it
/// (nbq_ecp5_merge), so it can't be negative. The even lane's sign is taken relative to it, and the
/// pair's sign is made up for by the adder above, again relative to that one's other operand: a
/// table of a carry chain inverts an operand at no cost. nbq_recode makes the relative signs.
/// With UpBits the accumulator's tables have no room for the sum's sign: the last adder before it takes
/// both its operands' (nbq_ecp5_signed_add), at no cost either.
/// A register after every table that reads an operand and after every adder: the long wires of the
/// operands end there.
module nbq_ecp5_svpe #(
  parameter int unsigned Lanes   = 0,  // a power of two >= 2
  parameter int unsigned XBits   = 0,
  parameter int unsigned AccBits = 0,
  parameter int unsigned UpBits  = 0   // 0: up_i is never set
) (
  input  logic                   clk_i,
  input  logic [Lanes*XBits-1:0] x_i,
  input  logic [Lanes*4-1:0]     w_i,  // as nbq_recode makes them
  input  logic                   valid_i,  // as in nbq_xcup_sum
  input  logic                   last_i,
  input  logic                   up_i,  // as in nbq_xcup_sum
  input  logic                   restart_i,
  output logic [AccBits-1:0]     drain_o
);
  localparam int unsigned Levels = $clog2(Lanes) - 1;  // above the pairs

  // Level l has Lanes >> (l+1) sums of XBits + 3 + l bits; the sign of each waits with it.
  for (genvar l = 0; l <= Levels; l++) begin : g_level
    localparam int unsigned Bits = XBits + 3 + l;
    for (genvar i = 0; i < (Lanes >> (l + 1)); i++) begin : g_node
      logic [Bits-1:0] sum, sum_q;
      logic            neg, neg_q;
      if (l == 0) begin : g_pair
        logic [XBits+1:0] prod, prod_q;
        logic             one_q, once_q, pair_q;
        logic [XBits:0]   y, y_q;
        nbq_ecp5_product #(.XBits(XBits)) u_product (
          .x_i(x_i[2*i*XBits +: XBits]), .code_i(w_i[8*i +: 4]), .prod_o(prod)
        );
        nbq_ecp5_low #(.XBits(XBits)) u_low (
          .x_i(x_i[(2*i+1)*XBits +: XBits]), .sel_i(w_i[8*i+4 +: 2]), .y_o(y)
        );
        always_ff @(posedge clk_i) begin
          prod_q <= prod;
          one_q  <= w_i[8*i+3];
          y_q    <= y;
          once_q <= w_i[8*i+6];
          pair_q <= w_i[8*i+7];
        end
        nbq_ecp5_merge #(.XBits(XBits)) u_merge (
          .a_i(prod_q), .y_i(y_q), .once_i(once_q), .one_i(one_q), .sum_o(sum)
        );
        assign neg = pair_q;
      end else if (l == Levels && UpBits != 0) begin : g_signed
        logic [Bits-2:0] a, b;
        assign a = g_level[l-1].g_node[0].sum_q;
        assign b = g_level[l-1].g_node[1].sum_q;
        nbq_ecp5_signed_add #(.Width(Bits)) u_add (
          .a_i({a[Bits-2], a}), .b_i({b[Bits-2], b}), .neg_a_i(g_level[l-1].g_node[0].neg_q),
          .neg_b_i(g_level[l-1].g_node[1].neg_q), .sum_o(sum), .left_o(neg)
        );
      end else begin : g_add
        logic [Bits-2:0] a, b;
        assign a = g_level[l-1].g_node[2*i].sum_q;
        assign b = g_level[l-1].g_node[2*i+1].sum_q;
        nbq_ecp5_addsub #(.Width(Bits)) u_add (
          .a_i({a[Bits-2], a}), .b_i({b[Bits-2], b}), .neg_i(g_level[l-1].g_node[2*i+1].neg_q),
          .sum_o(sum)
        );
        assign neg = g_level[l-1].g_node[2*i].neg_q;
      end
      always_ff @(posedge clk_i) sum_q <= sum;
      if (UpBits != 0 && l + 1 == Levels && i == 1) begin : g_own_sign
        always_ff @(posedge clk_i) neg_q <= neg ^ g_level[l].g_node[0].neg;
      end else begin : g_sign
        always_ff @(posedge clk_i) neg_q <= neg;
      end
    end
  end

  logic signed [XBits+2+Levels:0] sum;
  logic [AccBits-1:0]             acc_d, acc_q, drain_q;
  assign sum = g_level[Levels].g_node[0].sum_q;
  if (UpBits != 0 && Levels > 0) begin : g_up
    nbq_ecp5_up_add #(.Width(AccBits), .UpBits(UpBits)) u_acc (
      .a_i(acc_q), .up_i, .b_i(AccBits'(sum)), .one_i(g_level[Levels].g_node[0].neg_q), .sum_o(acc_d)
    );
  end else begin : g_same
    logic [AccBits-1:0] base;
    assign base = UpBits != 0 && up_i ? acc_q << UpBits : acc_q;
    nbq_ecp5_addsub #(.Width(AccBits)) u_acc (
      .a_i(base), .b_i(AccBits'(sum)), .neg_i(g_level[Levels].g_node[0].neg_q), .sum_o(acc_d)
    );
  end
  always_ff @(posedge clk_i) begin
    if (restart_i) acc_q <= '0;
    else if (valid_i) acc_q <= acc_d;
    if (last_i) drain_q <= acc_d;
  end
  assign drain_o = drain_q;
endmodule
