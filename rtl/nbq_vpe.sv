/// Multiplier vector element: sum over Lanes of x * w with signed weights of WeightBits.
/// The same interface as nbq_svpe, the latency of one with registers; one_o is always 0.
module nbq_vpe #(
  parameter int unsigned Lanes      = 0,  // a power of two >= 2
  parameter int unsigned XBits      = 0,  // operand bits, signed
  parameter int unsigned WeightBits = 0,
  parameter int unsigned ProdBits   = XBits + WeightBits,
  parameter int unsigned SumBits    = ProdBits + $clog2(Lanes)
) (
  input  logic                        clk_i,
  input  logic [Lanes*XBits-1:0]      x_i,
  input  logic [Lanes*WeightBits-1:0] w_i,
  output logic signed [SumBits-1:0]   sum_o,
  output logic                        one_o
);
  if (XBits == 0 || WeightBits == 0) begin : g_check
    $error("nbq_vpe: XBits and WeightBits must be set");
  end
  logic [Lanes*ProdBits-1:0] prod;

  for (genvar c = 0; c < Lanes; c++) begin : g_lane
    logic signed [XBits-1:0]      x;
    logic signed [WeightBits-1:0] w;
    logic signed [ProdBits-1:0]   prod_q;
    assign x = x_i[c*XBits +: XBits];
    assign w = w_i[c*WeightBits +: WeightBits];
    always_ff @(posedge clk_i) prod_q <= x * w;
    assign prod[c*ProdBits +: ProdBits] = prod_q;
  end

  nbq_tree #(.Operands(Lanes), .Width(ProdBits)) u_tree (
    .clk_i, .terms_i(prod), .ones_i({Lanes{1'b0}}), .sum_o, .one_o
  );
endmodule
