/// Multiplier vector element of Lattice ECP5: MULT18X18D cells with all their registers, a register
/// after every adder. Latency 3 + log2(Lanes).
module nbq_ecp5_vpe #(
  parameter int unsigned Lanes      = 0,  // a power of two >= 2
  parameter int unsigned XBits      = 0,  // at most 18, signed
  parameter int unsigned WeightBits = 0,  // at most 18
  parameter int unsigned ProdBits   = XBits + WeightBits,
  parameter int unsigned SumBits    = ProdBits + $clog2(Lanes)
) (
  input  logic                        clk_i,
  input  logic [Lanes*XBits-1:0]      x_i,
  input  logic [Lanes*WeightBits-1:0] w_i,
  output logic signed [SumBits-1:0]   sum_o
);
  if (XBits == 0 || XBits > 18 || WeightBits == 0 || WeightBits > 18) begin : g_check
    $error("nbq_ecp5_vpe: XBits and WeightBits must be 1..18");
  end
  logic [Lanes*ProdBits-1:0] prod;
  for (genvar c = 0; c < Lanes; c++) begin : g_lane
    logic signed [XBits-1:0]      x;
    logic signed [WeightBits-1:0] w;
    logic signed [35:0]           p;
    assign x = x_i[c*XBits +: XBits];
    assign w = w_i[c*WeightBits +: WeightBits];
    nbq_ecp5_mult u_mult (.clk_i, .a_i(18'(x)), .b_i(18'(w)), .prod_o(p));
    assign prod[c*ProdBits +: ProdBits] = p[ProdBits-1:0];
    logic unused_sign;
    assign unused_sign = ^p;
  end
  logic unused_one;
  nbq_tree #(.Operands(Lanes), .Width(ProdBits), .Every(1)) u_tree (
    .clk_i, .terms_i(prod), .ones_i({Lanes{1'b0}}), .sum_o, .one_o(unused_one)
  );
endmodule
