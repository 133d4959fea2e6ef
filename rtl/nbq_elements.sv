/// LanesOut x Pixels vector elements over LanesIn channels, their accumulators, and the drain registers
/// that hold a finished tile while the next one is reduced.
/// Weights are broadcast over pixels, activations over output channels. The drain registers hold
/// the sum that a tap with last_i ends PeLatency + 1 cycles after it came in.
module nbq_elements #(
  parameter int unsigned PeKind    = 0,  // as in nbq_array
  parameter int unsigned Target    = 0,
  parameter int unsigned LanesIn   = 0,
  parameter int unsigned LanesOut  = 0,
  parameter int unsigned Pixels    = 0,
  parameter int unsigned CodeBits  = 0,
  parameter int unsigned MultBits  = 0,
  parameter int unsigned XBits     = 0,
  parameter int unsigned AccBits   = 0,
  parameter int unsigned UpBits    = 0,  // nbq_pkg::up_bits
  parameter int unsigned PeLatency = nbq_pkg::pe_latency(PeKind, Target, CodeBits, LanesIn),
  parameter int unsigned WBits     = PeKind == 0 ? CodeBits : MultBits
) (
  input  logic                               clk_i,
  input  logic                               clear_i,
  input  logic                               valid_i,  // a tap
  input  logic                               last_i,   // it ends a sum, the next one starts another
  input  logic                               up_i,     // accumulators go up UpBits places before it is added
  input  logic [Pixels*LanesIn*XBits-1:0]    x_i,
  input  logic [LanesOut*LanesIn*WBits-1:0]  w_i,
  output logic [Pixels*LanesOut*AccBits-1:0] drain_o   // of pixel p and channel m at p * LanesOut + m
);
  localparam int unsigned PeWBits  = nbq_pkg::pe_weight_bits(PeKind, Target, CodeBits, WBits);
  localparam int unsigned PePixels = PeKind == 2 && Target == nbq_pkg::Xcup ? 2 : 1;
  localparam int unsigned XWidth   = Pixels * LanesIn * XBits;
  localparam int unsigned Spread   = nbq_pkg::pe_spread(PeKind, Target, CodeBits);
  // Outputs of a copy. With two digits wires run out before time does: one net to all outputs takes fewer
  // than a copy for some and the way to each copy.
  localparam int unsigned Near     = Spread != 0 && UpBits == 0 ? Spread : LanesOut;
  localparam int unsigned Copies   = (LanesOut + Near - 1) / Near;

  if (Pixels % PePixels != 0 || (UpBits != 0 && PeKind != 0)) begin : g_check
    $error("nbq_elements: PeKind 2 needs an even number of pixels, UpBits shift elements");
  end

  // ---- operands as the elements take them -------------------------------------------------------
  // The delay lines of xcup's cascades are cleared so that synthesis leaves them flip-flops.
  logic clear_operands;
  assign clear_operands = Target == nbq_pkg::Xcup && clear_i;
  logic [Copies*XWidth-1:0]            x;
  logic [XWidth-1:0]                   x_lagged;
  logic [LanesOut*LanesIn*PeWBits-1:0] w;
  for (genvar i = 0; i < Pixels * LanesIn; i++) begin : g_x
    nbq_delay #(
      .Width(XBits),
      .Cycles(nbq_pkg::pe_lag(PeKind, Target, CodeBits, LanesIn, i % LanesIn) -
              (Spread != 0 ? 1 : 0))
    ) u_lag (
      .clk_i, .clear_i(clear_operands), .d_i(x_i[i*XBits +: XBits]),
      .q_o(x_lagged[i*XBits +: XBits])
    );
  end
  for (genvar g = 0; g < Copies; g++) begin : g_copy
    if (Spread != 0) begin : g_near
      nbq_copy #(.Width(XWidth)) u_x (.clk_i, .d_i(x_lagged), .q_o(x[g*XWidth +: XWidth]));
    end else begin : g_all
      assign x = x_lagged;
    end
  end
  for (genvar m = 0; m < LanesOut; m++) begin : g_w
    logic [LanesIn*PeWBits-1:0] recoded;
    nbq_recode #(
      .PeKind(PeKind), .Target(Target), .Lanes(LanesIn), .CodeBits(CodeBits), .InBits(WBits),
      .BothSigns(UpBits != 0)
    ) u_recode (.w_i(w_i[m*LanesIn*WBits +: LanesIn*WBits]), .w_o(recoded));
    for (genvar c = 0; c < LanesIn; c++) begin : g_lane
      nbq_delay #(
        .Width(PeWBits), .Cycles(nbq_pkg::pe_lag(PeKind, Target, CodeBits, LanesIn, c))
      ) u_lag (
        .clk_i, .clear_i(clear_operands), .d_i(recoded[c*PeWBits +: PeWBits]),
        .q_o(w[(m*LanesIn+c)*PeWBits +: PeWBits])
      );
    end
  end

  // ---- control, aligned with the sums at the accumulators ---------------------------------------
  logic fresh_q, restart_q, valid_pre, last_pre, up_pre, first_pre, valid_s, last_s, up_s;
  always_ff @(posedge clk_i) begin
    if (clear_i) fresh_q <= 1'b1;
    else if (valid_i) fresh_q <= last_i;
  end
  nbq_delay #(.Width(3), .Cycles(PeLatency - 1)) u_pre (
    .clk_i, .clear_i, .d_i({valid_i, valid_i && last_i, up_i}), .q_o({valid_pre, last_pre, up_pre})
  );
  nbq_delay #(.Width(3), .Cycles(1)) u_valid (
    .clk_i, .clear_i, .d_i({valid_pre, last_pre, up_pre}), .q_o({valid_s, last_s, up_s})
  );
  // A register of its own: every accumulator's reset hangs on it. After a clear no tap arrives there
  // in less than PeLatency >= 2 cycles.
  always_ff @(posedge clk_i) restart_q <= clear_i || last_pre;
  nbq_delay #(.Width(1), .Cycles(PeLatency - 2)) u_first (
    .clk_i, .clear_i(1'b0), .d_i(fresh_q), .q_o(first_pre)
  );

  // ---- elements ---------------------------------------------------------------------------------
  for (genvar p = 0; p < Pixels; p = p + PePixels) begin : g_pixel
    for (genvar m = 0; m < LanesOut; m++) begin : g_out
      logic [PePixels*AccBits-1:0] sums;
      nbq_pe #(
        .PeKind(PeKind), .Target(Target), .Lanes(LanesIn), .XBits(XBits), .CodeBits(CodeBits),
        .WBits(PeWBits), .AccBits(AccBits), .UpBits(UpBits), .Pixels(PePixels)
      ) u_pe (
        .clk_i, .x_i(x[m/Near*XWidth + p*LanesIn*XBits +: PePixels*LanesIn*XBits]),
        .w_i(w[m*LanesIn*PeWBits +: LanesIn*PeWBits]),
        .valid_i(valid_s), .last_i(last_s), .up_i(up_s), .restart_i(restart_q),
        .valid_pre_i(valid_pre), .first_pre_i(first_pre), .drain_o(sums)
      );
      for (genvar i = 0; i < PePixels; i++) begin : g_drain
        assign drain_o[((p+i)*LanesOut+m)*AccBits +: AccBits] = sums[i*AccBits +: AccBits];
      end
    end
  end
endmodule
