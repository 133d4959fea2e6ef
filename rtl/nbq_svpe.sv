/// Shift vector element: sum over Lanes of x * w, w = 0 or +-2^(k-1). No multiplier.
/// A product is x << (k-1), inverted for a negative code; the +1 that completes the two's
/// complement enters the adder tree as a carry. A bit of a 3-bit code's product is one LUT6 of
/// x[i], x[i-1], x[i-2] and the code. Latency ceil(log2(Lanes) / 2), 1 more if products are Registered;
/// sum_o + one_o is the sum.
/// Bit-exact with shift_mul() in src/core/po2_code.h; "minus zero" counts as 0.
module nbq_svpe #(
  parameter int unsigned Lanes    = 0,  // a power of two >= 2
  parameter int unsigned XBits    = 0,  // operand bits, signed
  parameter int unsigned CodeBits = 0,  // 2..5; the high bit is the sign, the rest k
  parameter bit          Registered = 1'b1,
  parameter int unsigned ProdBits = XBits + (1 << (CodeBits - 1)) - 2,
  parameter int unsigned SumBits  = ProdBits + $clog2(Lanes)
) (
  input  logic                      clk_i,
  input  logic [Lanes*XBits-1:0]    x_i,
  input  logic [Lanes*CodeBits-1:0] w_i,
  output logic signed [SumBits-1:0] sum_o,
  output logic                      one_o
);
  logic [Lanes*ProdBits-1:0] prod;
  logic [Lanes-1:0]          ones;
  for (genvar c = 0; c < Lanes; c++) begin : g_lane
    nbq_product #(.XBits(XBits), .CodeBits(CodeBits), .Registered(Registered)) u_product (
      .clk_i, .x_i(x_i[c*XBits +: XBits]), .w_i(w_i[c*CodeBits +: CodeBits]),
      .prod_o(prod[c*ProdBits +: ProdBits]), .one_o(ones[c])
    );
  end

  nbq_tree #(.Operands(Lanes), .Width(ProdBits)) u_tree (
    .clk_i, .terms_i(prod), .ones_i(ones), .sum_o, .one_o
  );
endmodule
