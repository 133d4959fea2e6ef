/// An adder of nbq_ecp5_svpe's tree with its register: a + b, or a - b when neg_b_i, and a's sign goes on.
/// With BothSigns it takes both signs, and neg_o is a +1 that the sum lacks.
module nbq_ecp5_join #(
  parameter int unsigned ABits     = 0,
  parameter int unsigned BBits     = 0,
  parameter int unsigned SumBits   = 0,
  parameter bit          BothSigns = 1'b0
) (
  input  logic                      clk_i,
  input  logic signed [ABits-1:0]   a_i,
  input  logic                      neg_a_i,
  input  logic signed [BBits-1:0]   b_i,
  input  logic                      neg_b_i,
  output logic signed [SumBits-1:0] sum_o,
  output logic                      neg_o
);
  logic [SumBits-1:0] sum;
  logic               neg;
  if (BothSigns) begin : g_both
    nbq_ecp5_signed_add #(.Width(SumBits)) u_add (
      .a_i(SumBits'(a_i)), .b_i(SumBits'(b_i)), .neg_a_i, .neg_b_i, .sum_o(sum), .left_o(neg)
    );
  end else begin : g_relative
    nbq_ecp5_addsub #(.Width(SumBits)) u_add (
      .a_i(SumBits'(a_i)), .b_i(SumBits'(b_i)), .neg_i(neg_b_i), .sum_o(sum)
    );
    assign neg = neg_a_i;
  end
  always_ff @(posedge clk_i) begin
    sum_o <= sum;
    neg_o <= neg;
  end
endmodule
