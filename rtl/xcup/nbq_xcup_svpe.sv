/// Shift vector element with its accumulator for AMD UltraScale+; the sums of nbq_svpe. Lanes and
/// codes come as nbq_pkg::pe_lag and nbq_recode leave them.
module nbq_xcup_svpe #(
  parameter int unsigned Lanes    = 0,  // a power of two >= 2
  parameter int unsigned XBits    = 0,
  parameter int unsigned CodeBits = 0,
  parameter int unsigned AccBits  = 0,
  parameter int unsigned UpBits   = 0
) (
  input  logic                      clk_i,
  input  logic [Lanes*XBits-1:0]    x_i,
  input  logic [Lanes*CodeBits-1:0] w_i,
  input  logic                      valid_i,  // as in nbq_xcup_sum
  input  logic                      last_i,
  input  logic                      up_i,
  input  logic                      restart_i,
  output logic [AccBits-1:0]        drain_o
);
  if (CodeBits == 3 && Lanes > 2) begin : g_quads
    localparam int unsigned Quads = Lanes / 4;
    localparam int unsigned Bits  = XBits + 4;
    logic [Quads*Bits-1:0] terms;
    logic [Quads-1:0]      ones;
    for (genvar q = 0; q < Quads; q++) begin : g_quad
      nbq_xcup_quad #(.XBits(XBits)) u_quad (
        .clk_i, .x_i(x_i[q*4*XBits +: 4*XBits]), .w_i(w_i[q*12 +: 12]),
        .sum_o(terms[q*Bits +: Bits]), .one_o(ones[q])
      );
    end
    nbq_xcup_sum #(.Operands(Quads), .Width(Bits), .AccBits(AccBits), .UpBits(UpBits)) u_sum (
      .clk_i, .terms_i(terms), .ones_i(ones), .valid_i, .last_i, .up_i, .restart_i, .drain_o
    );
  end else begin : g_lanes
    localparam int unsigned Bits = XBits + (1 << (CodeBits - 1)) - 2;
    logic [Lanes*Bits-1:0] terms;
    logic [Lanes-1:0]      ones;
    for (genvar c = 0; c < Lanes; c++) begin : g_lane
      nbq_product #(.XBits(XBits), .CodeBits(CodeBits)) u_product (
        .clk_i, .x_i(x_i[c*XBits +: XBits]), .w_i(w_i[c*CodeBits +: CodeBits]),
        .prod_o(terms[c*Bits +: Bits]), .one_o(ones[c])
      );
    end
    nbq_xcup_sum #(.Operands(Lanes), .Width(Bits), .AccBits(AccBits), .UpBits(UpBits)) u_sum (
      .clk_i, .terms_i(terms), .ones_i(ones), .valid_i, .last_i, .up_i, .restart_i, .drain_o
    );
  end
endmodule
