/// Shift vector element with its accumulator for Lattice ECP5 and 3-bit codes; the sums of nbq_svpe.
/// Lanes go in pairs and triples, three groups to eight lanes (nbq_ecp5_eight), fewer than eight in pairs. A
/// group's sum lacks its sign, which is made up for by the adder above, relative to that one's other
/// operand: a table of a carry chain inverts an operand at no cost. nbq_recode makes the relative signs.
/// With UpBits the accumulator's tables have no room for the sum's sign: the last adder before it takes
/// both its operands', at no cost either.
/// A register after every table that reads an operand and after every adder: the long wires of the
/// operands end there. So lanes that are added later have to come later (nbq_pkg::pe_lag).
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
  localparam int unsigned Group   = Lanes < 8 ? 2 : 8;
  localparam int unsigned Levels  = $clog2(Lanes / Group);
  localparam int unsigned SumBits = XBits + 2 + $clog2(Lanes);

  // Level l has Lanes / Group >> l sums; the sign of each waits with it.
  for (genvar l = 0; l <= Levels; l++) begin : g_level
    localparam int unsigned Bits = SumBits - Levels + l;
    for (genvar i = 0; i < (Lanes / Group >> l); i++) begin : g_node
      logic [Bits-1:0] sum;
      logic            neg;
      if (l > 0) begin : g_add
        nbq_ecp5_join #(
          .ABits(Bits - 1), .BBits(Bits - 1), .SumBits(Bits), .BothSigns(UpBits != 0 && l == Levels)
        ) u_join (
          .clk_i, .a_i(g_level[l-1].g_node[2*i].sum), .neg_a_i(g_level[l-1].g_node[2*i].neg),
          .b_i(g_level[l-1].g_node[2*i+1].sum), .neg_b_i(g_level[l-1].g_node[2*i+1].neg),
          .sum_o(sum), .neg_o(neg)
        );
      end else if (Group == 8) begin : g_eight
        nbq_ecp5_eight #(.XBits(XBits), .BothSigns(UpBits != 0 && Levels == 0)) u_eight (
          .clk_i, .x_i(x_i[8*i*XBits +: 8*XBits]), .w_i(w_i[32*i +: 32]), .sum_o(sum), .neg_o(neg)
        );
      end else begin : g_pair
        nbq_ecp5_pair #(.XBits(XBits)) u_pair (
          .clk_i, .x_i(x_i[2*i*XBits +: 2*XBits]), .w_i(w_i[8*i +: 8]), .sum_o(sum), .neg_o(neg)
        );
      end
    end
  end

  logic signed [SumBits-1:0] sum;
  logic                      neg;
  logic [AccBits-1:0]        acc_d, acc_q, drain_q;
  assign sum = g_level[Levels].g_node[0].sum;
  assign neg = g_level[Levels].g_node[0].neg;
  if (UpBits != 0 && Lanes > 2) begin : g_up
    nbq_ecp5_up_add #(.Width(AccBits), .UpBits(UpBits)) u_acc (
      .a_i(acc_q), .up_i, .b_i(AccBits'(sum)), .one_i(neg), .sum_o(acc_d)
    );
  end else begin : g_same
    logic [AccBits-1:0] base;
    assign base = UpBits != 0 && up_i ? acc_q << UpBits : acc_q;
    nbq_ecp5_addsub #(.Width(AccBits)) u_acc (
      .a_i(base), .b_i(AccBits'(sum)), .neg_i(neg), .sum_o(acc_d)
    );
  end
  always_ff @(posedge clk_i) begin
    if (restart_i) acc_q <= '0;
    else if (valid_i) acc_q <= acc_d;
    if (last_i) drain_q <= acc_d;
  end
  assign drain_o = drain_q;
endmodule
