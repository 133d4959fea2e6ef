/// Output stage of one image, one word of C channels a cycle: bias, requantisation, residual
/// operand, second requantisation; raw accumulators leave after the bias. Counted from stage 0,
/// where the word is read: stage 2 has acc + bias, stage 5 the clamped value, stage 6 the sum with
/// the residual, stage 9 the activation that is written. Shifts and adds only.
module nbq_channels #(
  parameter int unsigned LanesIn  = 0,
  parameter int unsigned LanesOut = 0,
  parameter int unsigned Pixels   = 0,
  parameter int unsigned ActBits  = 0,
  parameter int unsigned AccBits  = 0,
  parameter int unsigned ActWidth = LanesIn * ActBits,
  parameter int unsigned Words    = Pixels * LanesOut / LanesIn,
  parameter int unsigned SelBits  = Words > 1 ? $clog2(Words) : 1
) (
  input  logic                           clk_i,
  input  nbq_pkg::scale_t                scale_i,
  // stage 0
  input  logic [LanesIn*AccBits-1:0]     acc_i,
  input  logic [LanesIn*(ActBits+1)-1:0] max_i,
  // stages 1, 2, 4
  input  logic [LanesIn*AccBits-1:0]     bias_i,
  input  logic [LanesIn*7-1:0]           shift_i,
  input  logic [SelBits-1:0]             res_sel_i,
  // residual words as they arrive, one of every pixel
  input  logic                           res_valid_i,
  input  logic [3:0]                     res_word_i,
  input  logic [Pixels*ActWidth-1:0]     res_i,
  // stages 2, 9
  output logic [LanesIn*AccBits-1:0]     raw_o,
  output logic [ActWidth-1:0]            act_o
);
  localparam int unsigned XBits    = ActBits + 1;
  localparam int unsigned MaxWords = LanesOut / LanesIn;
  localparam int unsigned SumBits  = 34;  // 18 bits << 15 plus 17 bits << 15

  logic [LanesIn*AccBits-1:0] acc_1;
  logic [LanesIn*XBits-1:0]   max_1;
  always_ff @(posedge clk_i) begin
    acc_1 <= acc_i;
    max_1 <= max_i;
  end

  // ---- residual registers --------------------------------------------------------------------
  logic [Words*ActWidth-1:0] res_words;
  logic [ActWidth-1:0]       res_picked, res_5;
  for (genvar p = 0; p < Pixels; p++) begin : g_res_pixel
    for (genvar j = 0; j < MaxWords; j++) begin : g_res_word
      logic [ActWidth-1:0] word_q;
      always_ff @(posedge clk_i) begin
        if (res_valid_i && res_word_i == 4'(j)) word_q <= res_i[p*ActWidth +: ActWidth];
      end
      assign res_words[(p*MaxWords+j)*ActWidth +: ActWidth] = word_q;
    end
  end
  nbq_mux #(.Words(Words), .Width(ActWidth)) u_res (
    .sel_i(res_sel_i), .words_i(res_words), .word_o(res_picked)
  );
  always_ff @(posedge clk_i) begin
    if (!scale_i.res_en) res_5 <= '0;
    else res_5 <= res_picked;
  end

  // ---- one channel ---------------------------------------------------------------------------
  for (genvar c = 0; c < LanesIn; c++) begin : g_channel
    logic signed [AccBits-1:0] v_1, v_2;
    logic signed [XBits-1:0]   m_1, r_5;
    logic signed [17:0]        y_5, y_9;
    logic signed [SumBits-1:0] s_6;
    assign m_1 = max_1[c*XBits +: XBits];
    assign v_1 = scale_i.is_max ? AccBits'(m_1) : acc_1[c*AccBits +: AccBits];
    always_ff @(posedge clk_i) v_2 <= v_1 + bias_i[c*AccBits +: AccBits];
    nbq_requant #(.Width(AccBits)) u_requant (
      .clk_i, .v_i(v_2), .shift_i(shift_i[c*7 +: 7]), .lo_i(scale_i.lo), .hi_i(scale_i.hi),
      .y_o(y_5)
    );
    assign r_5 = {scale_i.res_signed & res_5[c*ActBits+ActBits-1], res_5[c*ActBits +: ActBits]};
    always_ff @(posedge clk_i) begin
      s_6 <= (SumBits'(y_5) <<< scale_i.lsh_acc) + (SumBits'(r_5) <<< scale_i.lsh_res);
    end
    nbq_requant #(.Width(SumBits)) u_requant_sum (
      .clk_i, .v_i(s_6), .shift_i(scale_i.res_rsh), .lo_i(scale_i.res_lo),
      .hi_i(scale_i.res_hi), .y_o(y_9)
    );
    assign raw_o[c*AccBits +: AccBits] = v_2;
    assign act_o[c*ActBits +: ActBits] = y_9[ActBits-1:0];
    logic unused_high;
    assign unused_high = ^y_9;
  end
endmodule
