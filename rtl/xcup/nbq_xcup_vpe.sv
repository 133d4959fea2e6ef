/// Multiplier vector element with its accumulator for AMD UltraScale+: one DSP48E2 a lane, in a
/// cascade whose last one accumulates, so that sums take no lookup table. Lane c comes c cycles late.
module nbq_xcup_vpe #(
  parameter int unsigned Lanes      = 0,  // >= 2
  parameter int unsigned XBits      = 0,  // at most 27, signed
  parameter int unsigned WeightBits = 0,  // at most 18
  parameter int unsigned AccBits    = 0   // at most 48
) (
  input  logic                        clk_i,
  input  logic [Lanes*XBits-1:0]      x_i,
  input  logic [Lanes*WeightBits-1:0] w_i,
  input  logic                        first_i,  // as in nbq_xcup_dsp
  input  logic                        valid_i,
  input  logic                        last_i,   // the accumulator holds a sum
  output logic [AccBits-1:0]          drain_o
);
  if (XBits == 0 || XBits > 27 || WeightBits == 0 || WeightBits > 18 || AccBits > 48)
  begin : g_check
    $error("nbq_xcup_vpe: a parameter is unset or out of range");
  end
  logic [AccBits-1:0] drain_q;
  for (genvar c = 0; c < Lanes; c++) begin : g_lane
    localparam bit Last = c == Lanes - 1;
    logic signed [XBits-1:0]      x;
    logic signed [WeightBits-1:0] w;
    logic [47:0]                  p, pc;
    assign x = x_i[c*XBits +: XBits];
    assign w = w_i[c*WeightBits +: WeightBits];
    nbq_xcup_dsp #(.Cascade(c > 0), .Accumulate(Last)) u_dsp (
      .clk_i, .a_i(27'(x)), .d_i(27'd0), .b_i(18'(w)),
      .pc_i(c > 0 ? g_lane[c == 0 ? 0 : c-1].pc : 48'd0), .first_i(Last && first_i),
      .valid_i(!Last || valid_i), .p_o(p), .pc_o(pc)
    );
    logic unused_p;
    assign unused_p = ^{p, pc};
  end
  always_ff @(posedge clk_i) begin
    if (last_i) drain_q <= g_lane[Lanes-1].p[AccBits-1:0];
  end
  assign drain_o = drain_q;
endmodule
