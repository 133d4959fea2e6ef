/// Multiplier vector elements of two pixels with 8-bit weights for AMD UltraScale+: one DSP48E2 for a
/// lane of both (two int8 products; AMD's WP486). The pre-adder puts one operand 18 bits above the
/// other. Sums of four lanes fit the lower 18 bits for operands of 9 bits that come from 8 (|x * w|
/// <= 255 * 128): after each four, the lower sum's borrow goes back to the upper one, and both go on
/// in lookup tables, two sums to a ternary adder's table. Lane c comes c % 4 cycles late.
module nbq_xcup_vpe2 #(
  parameter int unsigned Lanes      = 0,  // a power of two >= 2
  parameter int unsigned XBits      = 0,  // at most 9, signed
  parameter int unsigned WeightBits = 0,  // at most 8
  parameter int unsigned AccBits    = 0
) (
  input  logic                        clk_i,
  input  logic [2*Lanes*XBits-1:0]    x_i,  // pixel 0's lanes, pixel 1's
  input  logic [Lanes*WeightBits-1:0] w_i,
  input  logic                        valid_i,  // as in nbq_xcup_sum
  input  logic                        last_i,
  input  logic                        restart_i,
  output logic [2*AccBits-1:0]        drain_o
);
  localparam int unsigned Chain  = Lanes < 4 ? Lanes : 4;
  localparam int unsigned Groups = Lanes / Chain;

  if (XBits == 0 || XBits > 9 || WeightBits == 0 || WeightBits > 8) begin : g_check
    $error("nbq_xcup_vpe2: operands must have at most 9 bits, weights 8");
  end
  logic [Groups*18-1:0] low, high;
  logic [Groups-1:0]    borrow;
  for (genvar c = 0; c < Lanes; c++) begin : g_lane
    logic signed [XBits-1:0]      x0, x1;
    logic signed [WeightBits-1:0] w;
    logic [47:0]                  p, pc;
    assign x0 = x_i[c*XBits +: XBits];
    assign x1 = x_i[(Lanes+c)*XBits +: XBits];
    assign w  = w_i[c*WeightBits +: WeightBits];
    nbq_xcup_dsp #(.PreAdd(1'b1), .Cascade(c % 4 != 0)) u_dsp (
      .clk_i, .a_i({9'(x1), 18'd0}), .d_i(27'(x0)), .b_i(18'(w)),
      .pc_i(c % 4 != 0 ? g_lane[c % 4 != 0 ? c-1 : 0].pc : 48'd0), .first_i(1'b0), .valid_i(1'b1),
      .p_o(p), .pc_o(pc)
    );
    if (c % Chain == Chain - 1) begin : g_sum
      assign low[c/Chain*18 +: 18]  = p[17:0];
      assign high[c/Chain*18 +: 18] = p[35:18];
      assign borrow[c/Chain]        = p[17];
    end
    logic unused_p;
    assign unused_p = ^{p, pc};
  end
  nbq_xcup_sum #(.Operands(Groups), .Width(18), .AccBits(AccBits)) u_low (
    .clk_i, .terms_i(low), .ones_i({Groups{1'b0}}), .valid_i, .last_i, .up_i(1'b0), .restart_i,
    .drain_o(drain_o[0 +: AccBits])
  );
  nbq_xcup_sum #(.Operands(Groups), .Width(18), .AccBits(AccBits)) u_high (
    .clk_i, .terms_i(high), .ones_i(borrow), .valid_i, .last_i, .up_i(1'b0), .restart_i,
    .drain_o(drain_o[AccBits +: AccBits])
  );
endmodule
