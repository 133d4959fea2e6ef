/// Output stage, one word of C channels a cycle: bias, requantisation, residual operand, second
/// requantisation; raw accumulators leave after the bias. Counted from stage 0, where the drain
/// names the word: stage 2 has acc + bias, stage 5 the clamped value, stage 6 the sum with the
/// residual, stage 9 the activation that is written. Shifts and adds only.
module nbq_output #(
  parameter int unsigned LanesIn    = 0,
  parameter int unsigned LanesOut   = 0,
  parameter int unsigned Pixels     = 0,
  parameter int unsigned ActBits    = 0,
  parameter int unsigned AccBits    = 0,
  parameter int unsigned ActDepth   = 0,
  parameter int unsigned ParamDepth = 0,
  parameter int unsigned ResultDepth = 0,
  parameter int unsigned ActWidth   = LanesIn * ActBits,
  parameter int unsigned ParWidth   = LanesIn * (AccBits + 7),
  parameter int unsigned ParColumns = (ParWidth + 31) / 32,
  parameter int unsigned Words      = Pixels * LanesOut / LanesIn,
  parameter int unsigned SelBits    = Words > 1 ? $clog2(Words) : 1,
  parameter int unsigned BankBits   = Pixels > 1 ? $clog2(Pixels) : 1
) (
  input  logic                             clk_i,
  input  logic                             clear_i,
  input  nbq_isa_pkg::instr_t              cfg_i,
  // stage 0
  input  logic                             valid_i,
  input  logic [SelBits-1:0]               sel_i,
  input  logic [nbq_pkg::AddrBits-1:0]     par_addr_i,
  input  logic [LanesIn*AccBits-1:0]       acc_i,
  input  logic [LanesIn*(ActBits+1)-1:0]   max_i,
  // stage 2
  input  logic                             place_valid_i,
  input  logic [BankBits-1:0]              place_bank_i,
  input  logic [nbq_pkg::AddrBits-1:0]     place_word_i,
  // residual words as they arrive, one of every pixel
  input  logic                             res_valid_i,
  input  logic [3:0]                       res_word_i,
  input  logic [Pixels*ActWidth-1:0]       res_i,
  // parameter memory
  input  logic [ParColumns-1:0]            par_we_i,
  input  logic [$clog2(ParamDepth)-1:0]    par_waddr_i,
  input  logic [ParWidth-1:0]              par_wdata_i,
  // writes
  output logic                             act_we_o,
  output logic [BankBits-1:0]              act_bank_o,
  output logic [$clog2(ActDepth)-1:0]      act_word_o,
  output logic [ActWidth-1:0]              act_data_o,
  output logic                             raw_we_o,
  output logic [$clog2(ResultDepth)-1:0]   raw_word_o,
  output logic [LanesIn*AccBits-1:0]       raw_data_o,
  output logic                             bad_o  // an address beyond a memory
);
  localparam int unsigned XBits     = ActBits + 1;
  localparam int unsigned MaxWords  = LanesOut / LanesIn;
  localparam int unsigned SumBits   = 34;  // 18 bits << 15 plus 17 bits << 15
  localparam int unsigned ResStage  = 4;   // reads the residual registers
  localparam int unsigned ActAddr   = $clog2(ActDepth);

  // ---- stage 0 to 1: accumulators, parameters ------------------------------------------------
  logic [ParWidth-1:0]        par_1;
  logic [LanesIn*AccBits-1:0] acc_1;
  logic [LanesIn*XBits-1:0]   max_1;
  logic                       is_max;
  assign is_max = cfg_i.opcode == nbq_isa_pkg::OpMaxpool;
  nbq_ram #(.Width(ParWidth), .Depth(ParamDepth)) u_params (
    .clk_i, .we_i(par_we_i), .waddr_i(par_waddr_i), .wdata_i(par_wdata_i),
    .re_i(valid_i), .raddr_i(par_addr_i[$clog2(ParamDepth)-1:0]), .rdata_o(par_1)
  );
  always_ff @(posedge clk_i) begin
    acc_1 <= acc_i;
    max_1 <= max_i;
  end

  logic act_valid_2, raw_valid_2, bad_par, bad_place;
  assign raw_valid_2 = place_valid_i && cfg_i.out_raw;
  assign act_valid_2 = place_valid_i && !cfg_i.out_raw;
  assign bad_par     = valid_i && 32'(par_addr_i) >= ParamDepth;
  assign bad_place   = (raw_valid_2 && 32'(place_word_i) >= ResultDepth) ||
                       (act_valid_2 && 32'(place_word_i) >= ActDepth);
  assign bad_o       = bad_par || bad_place;

  // ---- residual registers --------------------------------------------------------------------
  logic [Words*ActWidth-1:0] res_words;
  logic [SelBits-1:0]        res_sel;
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
  nbq_delay #(.Width(SelBits), .Cycles(ResStage)) u_res_sel (
    .clk_i, .clear_i(1'b0), .d_i(sel_i), .q_o(res_sel)
  );
  nbq_mux #(.Words(Words), .Width(ActWidth)) u_res (
    .sel_i(res_sel), .words_i(res_words), .word_o(res_picked)
  );
  always_ff @(posedge clk_i) begin
    if (!cfg_i.res_en) res_5 <= '0;
    else res_5 <= res_picked;
  end

  // Without a residual operand the second half passes values on unchanged.
  logic [3:0]         lsh_acc;
  logic signed [6:0]  res_rsh;
  logic signed [17:0] res_lo, res_hi;
  assign lsh_acc = cfg_i.res_en ? cfg_i.res_lsh_acc : 4'd0;
  assign res_rsh = cfg_i.res_en ? cfg_i.res_rsh : 7'd0;
  assign res_lo  = cfg_i.res_en ? cfg_i.res_lo : cfg_i.lo;
  assign res_hi  = cfg_i.res_en ? cfg_i.res_hi : cfg_i.hi;

  // ---- one channel ---------------------------------------------------------------------------
  for (genvar c = 0; c < LanesIn; c++) begin : g_channel
    logic signed [AccBits-1:0] v_1, v_2;
    logic signed [XBits-1:0]   m_1, r_5;
    logic signed [6:0]         shift_2;
    logic signed [17:0]        y_5, y_9;
    logic signed [SumBits-1:0] s_6;
    assign m_1 = max_1[c*XBits +: XBits];
    assign v_1 = is_max ? AccBits'(m_1) : acc_1[c*AccBits +: AccBits];
    always_ff @(posedge clk_i) begin
      v_2     <= v_1 + par_1[c*(AccBits+7) +: AccBits];
      shift_2 <= par_1[c*(AccBits+7)+AccBits +: 7];
    end
    nbq_requant #(.Width(AccBits)) u_requant (
      .clk_i, .v_i(v_2), .shift_i(shift_2), .lo_i(cfg_i.lo), .hi_i(cfg_i.hi), .y_o(y_5)
    );
    assign r_5 = {cfg_i.res_signed & res_5[c*ActBits+ActBits-1], res_5[c*ActBits +: ActBits]};
    always_ff @(posedge clk_i) begin
      s_6 <= (SumBits'(y_5) <<< lsh_acc) + (SumBits'(r_5) <<< cfg_i.res_lsh_res);
    end
    nbq_requant #(.Width(SumBits)) u_requant_sum (
      .clk_i, .v_i(s_6), .shift_i(res_rsh), .lo_i(res_lo), .hi_i(res_hi), .y_o(y_9)
    );
    assign raw_data_o[c*AccBits +: AccBits] = v_2;
    assign act_data_o[c*ActBits +: ActBits] = y_9[ActBits-1:0];
    logic unused_high;
    assign unused_high = ^y_9;
  end

  assign raw_we_o   = raw_valid_2 && !bad_place;
  assign raw_word_o = place_word_i[$clog2(ResultDepth)-1:0];

  nbq_delay #(.Width(1), .Cycles(7)) u_we (
    .clk_i, .clear_i, .d_i(act_valid_2 && !bad_place), .q_o(act_we_o)
  );
  nbq_delay #(.Width(BankBits + ActAddr), .Cycles(7)) u_place (
    .clk_i, .clear_i(1'b0),
    .d_i({place_bank_i, place_word_i[ActAddr-1:0]}), .q_o({act_bank_o, act_word_o})
  );
endmodule
