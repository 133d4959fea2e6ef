/// Shift vector element with its accumulator for Lattice ECP5 and 3-bit codes; the sums of nbq_svpe.
/// Lanes go in groups of four. The first one's product takes two tables a bit; a later one's is x or
/// 2x (nbq_ecp5_row), which the carry chain that adds it to the group's sum so far doubles at no cost.
/// A code of 0 resets the register behind the table. Each negative product, ~x for -x, lacks a +1: a
/// later lane's is its own adder's carry, the first one's goes up the tree, where one adder each is left for
/// the groups: one less in the tree than there are groups, and the accumulator.
/// A register after every table that reads an operand and after every adder: the long wires of the
/// operands end there. So a later lane's operand has to come the cycle after the one before (pe_lag).
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
  localparam int unsigned Group  = Lanes < 4 ? Lanes : 4;
  localparam int unsigned Groups = Lanes / Group;
  localparam int unsigned Levels = $clog2(Groups);
  localparam int unsigned GroupBits = XBits + 2 + $clog2(Group);

  // A sum of n products has XBits + 2 + log2(n) bits, though each may be 2^(XBits+1): where the +1s that
  // are still to come are the first lanes', it is one less.
  for (genvar g = 0; g < Groups; g++) begin : g_group
    // Of lane j: the group's sum with its product, and the +1 that the first one's lacks.
    for (genvar j = 0; j < Group; j++) begin : g_lane
      localparam int unsigned Lane = Group * g + j;
      localparam int unsigned Bits = j == 1 ? XBits + 3 : GroupBits;
      logic [XBits-1:0] x;
      logic             neg, once, twice, zero;
      assign x = x_i[Lane*XBits +: XBits];
      assign {neg, once, twice, zero} = w_i[4*Lane +: 4];
      logic neg_q;
      always_ff @(posedge clk_i) neg_q <= neg;
      if (j == 0) begin : g_first
        logic [XBits+1:0] prod, sum_q;
        logic             late_q;
        assign late_q = neg_q;
        nbq_ecp5_product #(.XBits(XBits)) u_product (
          .x_i(x), .twice_i(twice), .once_i(once), .neg_i(neg), .prod_o(prod)
        );
        always_ff @(posedge clk_i) begin
          if (zero) sum_q <= '0;
          else sum_q <= prod;
        end
      end else begin : g_later
        localparam int unsigned Before = XBits + (j == 1 ? 2 : j == 2 ? 3 : 4);
        logic [XBits:0]    y, y_q;
        logic              once_q, late, late_q;
        logic [Before-1:0] so_far;
        logic [Bits-1:0]   sum, sum_q;
        nbq_ecp5_row #(.XBits(XBits)) u_row (.x_i(x), .twice_i(twice), .neg_i(neg), .y_o(y));
        always_ff @(posedge clk_i) begin
          if (zero) y_q <= '0;
          else y_q <= y;
          once_q <= once;
        end
        if (j == 1) begin : g_product
          assign so_far = g_lane[0].g_first.sum_q;
          assign late   = g_lane[0].g_first.late_q;
        end else begin : g_sum
          assign so_far = g_lane[j-1].g_later.sum_q;
          assign late   = g_lane[j-1].g_later.late_q;
        end
        // Doubled is 2x alone: bit 0 of y and 2y are the same.
        nbq_ecp5_add #(.Width(Bits)) u_add (
          .a_i({{Bits-Before{so_far[Before-1]}}, so_far}),
          .b_i({{Bits-XBits-1{y_q[XBits]}}, y_q}),
          .c_i({{Bits-XBits-2{y_q[XBits]}}, y_q, y_q[0]}), .pick_i(once_q), .one_i(neg_q), .sum_o(sum)
        );
        always_ff @(posedge clk_i) begin
          sum_q  <= sum;
          late_q <= late;
        end
      end
    end
  end

  // Level l has Groups >> l sums, and a +1 for each.
  for (genvar l = 0; l <= Levels; l++) begin : g_level
    localparam int unsigned Bits = GroupBits + l;
    for (genvar i = 0; i < (Groups >> l); i++) begin : g_node
      logic [Bits-1:0] sum_q;
      logic            one_q;
      if (l == 0) begin : g_group_sum
        assign sum_q = g_group[i].g_lane[Group-1].g_later.sum_q;
        assign one_q = g_group[i].g_lane[Group-1].g_later.late_q;
      end else begin : g_add
        logic [Bits-2:0] a, b;
        logic [Bits-1:0] sum;
        assign a = g_level[l-1].g_node[2*i].sum_q;
        assign b = g_level[l-1].g_node[2*i+1].sum_q;
        nbq_ecp5_add #(.Width(Bits)) u_add (
          .a_i({a[Bits-2], a}), .b_i({b[Bits-2], b}), .c_i({Bits{1'b0}}), .pick_i(1'b1),
          .one_i(g_level[l-1].g_node[2*i+1].one_q), .sum_o(sum)
        );
        always_ff @(posedge clk_i) begin
          sum_q <= sum;
          one_q <= g_level[l-1].g_node[2*i].one_q;
        end
      end
    end
  end

  logic signed [GroupBits+Levels-1:0] sum;
  logic [AccBits-1:0]                 acc_d, acc_q, drain_q;
  assign sum = g_level[Levels].g_node[0].sum_q;
  nbq_ecp5_add #(.Width(AccBits), .SameLow(UpBits == 0)) u_acc (
    .a_i(AccBits'(sum)), .b_i(UpBits == 0 ? acc_q : acc_q << UpBits),
    .c_i(UpBits == 0 ? {AccBits{1'b0}} : acc_q), .pick_i(UpBits == 0 || up_i),
    .one_i(g_level[Levels].g_node[0].one_q), .sum_o(acc_d)
  );
  always_ff @(posedge clk_i) begin
    if (restart_i) acc_q <= '0;
    else if (valid_i) acc_q <= acc_d;
    if (last_i) drain_q <= acc_d;
  end
  assign drain_o = drain_q;
endmodule
