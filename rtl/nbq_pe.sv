/// One vector element with its accumulator and drain register, of the kind and family asked for.
/// Pixels is 2 where an element serves two pixels (PeKind 2 on xcup), else 1. Operands come as
/// nbq_pkg::pe_lag and nbq_recode leave them; all elements of a kind hold the same sums.
module nbq_pe #(
  parameter int unsigned PeKind   = 0,
  parameter int unsigned Target   = 0,
  parameter int unsigned Lanes    = 0,
  parameter int unsigned XBits    = 0,
  parameter int unsigned CodeBits = 0,
  parameter int unsigned WBits    = 0,  // of a weight behind nbq_recode
  parameter int unsigned AccBits  = 0,
  parameter int unsigned UpBits   = 0,
  parameter int unsigned Pixels   = 1
) (
  input  logic                          clk_i,
  input  logic [Pixels*Lanes*XBits-1:0] x_i,
  input  logic [Lanes*WBits-1:0]        w_i,
  // aligned with the sum at the accumulator
  input  logic                          valid_i,
  input  logic                          last_i,
  input  logic                          up_i,
  input  logic                          restart_i,
  // for accumulators inside DSP blocks: one cycle earlier, and two
  input  logic                          valid_pre_i,
  input  logic                          first_pre_i,
  output logic [Pixels*AccBits-1:0]     drain_o
);
  // Each element uses those of the controls that suit it.
  logic unused_control;
  assign unused_control = ^{valid_i, up_i, restart_i, valid_pre_i, first_pre_i};
  if (PeKind == 0 && Target == nbq_pkg::Xcup) begin : g_xcup_svpe
    nbq_xcup_svpe #(
      .Lanes(Lanes), .XBits(XBits), .CodeBits(CodeBits), .AccBits(AccBits), .UpBits(UpBits)
    ) u_pe (.clk_i, .x_i, .w_i, .valid_i, .last_i, .up_i, .restart_i, .drain_o);
  end else if (PeKind == 0 && Target == nbq_pkg::Ecp5 && CodeBits == 3) begin : g_ecp5_svpe
    nbq_ecp5_svpe #(
      .Lanes(Lanes), .XBits(XBits), .AccBits(AccBits), .UpBits(UpBits)
    ) u_pe (.clk_i, .x_i, .w_i, .valid_i, .last_i, .up_i, .restart_i, .drain_o);
  end else if (PeKind == 1 && Target == nbq_pkg::Xcup) begin : g_xcup_vpe
    nbq_xcup_vpe #(.Lanes(Lanes), .XBits(XBits), .WeightBits(WBits), .AccBits(AccBits)) u_pe (
      .clk_i, .x_i, .w_i, .first_i(first_pre_i), .valid_i(valid_pre_i), .last_i, .drain_o
    );
  end else if (PeKind == 2 && Target == nbq_pkg::Xcup) begin : g_xcup_vpe2
    nbq_xcup_vpe2 #(.Lanes(Lanes), .XBits(XBits), .WeightBits(WBits), .AccBits(AccBits)) u_pe (
      .clk_i, .x_i, .w_i, .valid_i, .last_i, .restart_i, .drain_o
    );
  end else begin : g_sum
    localparam int unsigned SumBits = $clog2(Lanes) + XBits +
        (PeKind == 0 ? (1 << (CodeBits - 1)) - 2 : WBits);
    logic signed [SumBits-1:0] sum;
    logic                      one;
    if (PeKind == 0) begin : g_svpe
      nbq_svpe #(
        .Lanes(Lanes), .XBits(XBits), .CodeBits(CodeBits),
        .Registered(nbq_pkg::pe_product_register(PeKind, Target, Lanes))
      ) u_pe (
        .clk_i, .x_i, .w_i, .sum_o(sum), .one_o(one)
      );
    end else if (Target == nbq_pkg::Ecp5) begin : g_ecp5_vpe
      nbq_ecp5_vpe #(.Lanes(Lanes), .XBits(XBits), .WeightBits(WBits)) u_pe (
        .clk_i, .x_i, .w_i, .sum_o(sum)
      );
      assign one = 1'b0;
    end else begin : g_vpe
      nbq_vpe #(.Lanes(Lanes), .XBits(XBits), .WeightBits(WBits)) u_pe (
        .clk_i, .x_i, .w_i, .sum_o(sum), .one_o(one)
      );
    end
    nbq_acc #(.SumBits(SumBits), .AccBits(AccBits), .UpBits(UpBits)) u_acc (
      .clk_i, .sum_i(sum), .one_i(one), .valid_i, .last_i, .up_i, .restart_i, .drain_o
    );
  end
endmodule
