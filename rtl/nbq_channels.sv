/// Output stage of one image, a slice of a word of C channels a cycle: bias, requantisation, residual
/// operand, second requantisation; a slice of raw accumulators leaves after the bias. Counted from stage 0,
/// where the word is read: stage 2 has acc + bias, stage 5 the clamped value, stage 6 the sum with
/// the residual, stage 9 the activation that is written; the word of a last slice is whole then, and in
/// stage 10 its high digits, where activations have two.
/// Shifts and adds only.
module nbq_channels #(
  parameter int unsigned LanesIn  = 0,
  parameter int unsigned LanesOut = 0,
  parameter int unsigned Pixels   = 0,
  parameter int unsigned OutCycles = 1,
  parameter bit          MaxPool  = 1'b1,
  parameter int unsigned AlignBits = 15,  // places that a residual sum's operands go up, at most
  parameter int unsigned LeftBits = 15,  // places that a requantisation goes up, at most
  parameter int unsigned ActBits  = 0,
  parameter int unsigned ActDigits = 1,  // at most OutCycles
  parameter int unsigned AccBits  = 0,
  parameter int unsigned DigitBits = nbq_pkg::digit_bits(ActBits, ActDigits),
  parameter int unsigned ActWidth = LanesIn * DigitBits,  // a memory word
  parameter int unsigned Words    = Pixels * LanesOut / LanesIn,
  parameter int unsigned SelBits  = nbq_pkg::index_bits(Words),
  parameter int unsigned OutLanes = LanesIn / OutCycles,  // channels of a slice
  parameter int unsigned SliceBits = nbq_pkg::index_bits(OutCycles)
) (
  input  logic                           clk_i,
  input  nbq_pkg::scale_t                scale_i,
  // stage 0
  input  logic [SliceBits-1:0]           slice_i,
  input  logic [LanesIn*AccBits-1:0]     acc_i,
  input  logic [LanesIn*(ActBits+1)-1:0] max_i,
  // stages 1, 2, 2 of a tile's first slice, 4
  input  logic [OutLanes*AccBits-1:0]    bias_i,
  input  logic [OutLanes*7-1:0]          shift_i,
  input  logic                           res_take_i,
  input  logic [SelBits-1:0]             res_sel_i,
  input  logic [SliceBits-1:0]           res_slice_i,
  // residual words as they arrive, one of every pixel, a digit a cycle
  input  logic                           res_valid_i,
  input  logic [3:0]                     res_word_i,
  input  logic                           res_low_i,
  input  logic [Pixels*ActWidth-1:0]     res_i,
  // stages 2, 9; high digits 10
  output logic [OutLanes*AccBits-1:0]    raw_o,
  output logic [ActDigits*ActWidth-1:0]  act_o
);
  localparam int unsigned XBits    = ActBits + 1;
  localparam int unsigned MaxWords = LanesOut / LanesIn;
  // 18 bits plus 17 bits, both shifted
  localparam int unsigned SumBits  = AlignBits < 2 ? 21 : 19 + AlignBits;
  localparam logic [3:0]  AlignMask = AlignBits > 7 ? 4'd15 : AlignBits > 3 ? 4'd7 :
                                      AlignBits > 1 ? 4'd3 : 4'(AlignBits);

  localparam int unsigned RawSlice = OutLanes * AccBits;
  localparam int unsigned ActSlice = OutLanes * DigitBits;
  localparam int unsigned ResWidth = ActDigits * ActWidth;  // a residual word, its high digits above

  logic [RawSlice-1:0]       acc_0, acc_1;
  logic [OutLanes*XBits-1:0] max_0, max_1;
  logic [ActDigits*ActSlice-1:0] act;
  nbq_mux #(.Words(OutCycles), .Width(RawSlice)) u_acc (
    .sel_i(slice_i), .words_i(acc_i), .word_o(acc_0)
  );
  nbq_mux #(.Words(OutCycles), .Width(OutLanes*XBits)) u_max (
    .sel_i(slice_i), .words_i(max_i), .word_o(max_0)
  );
  always_ff @(posedge clk_i) begin
    acc_1 <= acc_0;
    max_1 <= max_0;
  end

  // ---- residual registers --------------------------------------------------------------------
  // Slices are read for longer than a tile may take to be reduced, so the words of the next one
  // come into registers of their own.
  logic [Words*ResWidth-1:0]     res_come, res_words;
  logic [ResWidth-1:0]           res_picked;
  logic [ActDigits*ActSlice-1:0] res_slice, res_5;
  for (genvar p = 0; p < Pixels; p++) begin : g_res_pixel
    for (genvar j = 0; j < MaxWords; j++) begin : g_res_word
      for (genvar d = 0; d < ActDigits; d++) begin : g_digit
        logic [ActWidth-1:0] word_q;
        always_ff @(posedge clk_i) begin
          if (res_valid_i && res_word_i == 4'(j) && (ActDigits == 1 || res_low_i == (d == 0)))
            word_q <= res_i[p*ActWidth +: ActWidth];
        end
        assign res_come[((p*MaxWords+j)*ActDigits+d)*ActWidth +: ActWidth] = word_q;
      end
    end
  end
  if (OutCycles > 1) begin : g_two_residuals
    // An enable of its own for each word: one for all is the slowest wire of an engine.
    for (genvar i = 0; i < Words; i++) begin : g_word
      logic take_q;
      nbq_copy #(.Width(1)) u_take (.clk_i, .d_i(res_take_i), .q_o(take_q));
      always_ff @(posedge clk_i)
        if (take_q) res_words[i*ResWidth +: ResWidth] <= res_come[i*ResWidth +: ResWidth];
    end
  end else begin : g_one_residual
    assign res_words = res_come;
    logic unused_take;
    assign unused_take = res_take_i;
  end
  nbq_mux #(.Words(Words), .Width(ResWidth)) u_res (
    .sel_i(res_sel_i), .words_i(res_words), .word_o(res_picked)
  );
  for (genvar d = 0; d < ActDigits; d++) begin : g_res_digit
    nbq_mux #(.Words(OutCycles), .Width(ActSlice)) u_res_slice (
      .sel_i(res_slice_i), .words_i(res_picked[d*ActWidth +: ActWidth]),
      .word_o(res_slice[d*ActSlice +: ActSlice])
    );
  end
  always_ff @(posedge clk_i) begin
    if (!scale_i.res_en) res_5 <= '0;
    else res_5 <= res_slice;
  end

  // ---- one channel ---------------------------------------------------------------------------
  for (genvar c = 0; c < OutLanes; c++) begin : g_channel
    logic signed [AccBits-1:0] v_1, v_2;
    logic signed [XBits-1:0]   m_1, r_5;
    logic signed [17:0]        y_5, y_9;
    logic signed [SumBits-1:0] s_6;
    assign m_1 = max_1[c*XBits +: XBits];
    assign v_1 = MaxPool && scale_i.is_max ? AccBits'(m_1) : acc_1[c*AccBits +: AccBits];
    always_ff @(posedge clk_i) v_2 <= v_1 + bias_i[c*AccBits +: AccBits];
    nbq_requant #(.Width(AccBits), .MaxLeft(LeftBits)) u_requant (
      .clk_i, .v_i(v_2), .shift_i(shift_i[c*7 +: 7]), .lo_i(scale_i.lo), .hi_i(scale_i.hi),
      .y_o(y_5)
    );
    logic [ActDigits*DigitBits-1:0] r_digits, y_digits;
    for (genvar d = 0; d < ActDigits; d++) begin : g_digit
      assign r_digits[d*DigitBits +: DigitBits] = res_5[d*ActSlice+c*DigitBits +: DigitBits];
      assign act[d*ActSlice+c*DigitBits +: DigitBits] = y_digits[d*DigitBits +: DigitBits];
    end
    assign y_digits = (ActDigits*DigitBits)'(y_9[ActBits-1:0]);
    assign r_5 = {scale_i.res_signed & r_digits[ActBits-1], r_digits[ActBits-1:0]};
    always_ff @(posedge clk_i) begin
      s_6 <= (SumBits'(y_5) <<< (scale_i.lsh_acc & AlignMask)) +
             (SumBits'(r_5) <<< (scale_i.lsh_res & AlignMask));
    end
    nbq_requant #(.Width(SumBits), .MaxLeft(LeftBits)) u_requant_sum (
      .clk_i, .v_i(s_6), .shift_i(scale_i.res_rsh), .lo_i(scale_i.res_lo),
      .hi_i(scale_i.res_hi), .y_o(y_9)
    );
    assign raw_o[c*AccBits +: AccBits] = v_2;
    logic unused_high;
    assign unused_high = ^{y_9, r_digits};
  end

  // ---- slices into words ---------------------------------------------------------------------
  if (OutCycles == 1) begin : g_whole
    assign act_o = act;
  end else begin : g_slices
    for (genvar d = 0; d < ActDigits; d++) begin : g_digit
      logic [ActSlice-1:0]          here;
      logic [ActWidth-ActSlice-1:0] act_q;  // the earlier slices, the latest one highest
      nbq_delay #(.Width(ActSlice), .Cycles(d)) u_late (
        .clk_i, .clear_i(1'b0), .d_i(act[d*ActSlice +: ActSlice]), .q_o(here)
      );
      assign act_o[d*ActWidth +: ActWidth] = {here, act_q};
      always_ff @(posedge clk_i) act_q <= act_o[d*ActWidth+ActSlice +: ActWidth-ActSlice];
    end
  end
endmodule
