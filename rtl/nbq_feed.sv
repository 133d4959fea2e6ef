/// From a feed cycle to what every image's operands come from: lane addresses, requests sorted by
/// bank, weight memory. The requests have latency 3, all that goes with the operands 5.
module nbq_feed #(
  parameter int unsigned Pixels      = 0,
  parameter int unsigned WeightWidth = 0,  // bits of a weight word
  parameter int unsigned ActDepth    = 0,
  parameter int unsigned ActDigits   = 1,  // of an activation; each is a word of the memory
  parameter int unsigned WeightDepth = 0,
  parameter int unsigned Preload     = 0,
  parameter int unsigned WgtColumns  = (WeightWidth + 31) / 32,
  parameter int unsigned BankBits    = nbq_pkg::index_bits(Pixels)
) (
  input  logic                                    clk_i,
  input  logic                                    rst_ni,
  input  logic                                    clear_i,  // drops what is under way
  input  logic                                    valid_i,
  input  nbq_pkg::feed_t                          feed_i,
  // requests to the activation banks, as nbq_bank_addr has them
  output logic [Pixels-1:0]                       bank_re_o,
  output logic [Pixels*$clog2(ActDepth*ActDigits)-1:0] bank_addr_o,
  output logic [Pixels-1:0]                       lane_valid_o,
  output logic [Pixels*BankBits-1:0]              lane_bank_o,
  // beside the operands, two cycles later
  output nbq_pkg::op_t                            op_o,
  output logic [WeightWidth-1:0]                  weights_o,
  // an address beyond a memory; the instruction that made it
  output logic                                    bad_o,
  output logic [nbq_pkg::PcBits-1:0]              bad_pc_o,
  // writes
  input  logic [WgtColumns-1:0]                   wgt_we_i,
  input  logic [$clog2(WeightDepth)-1:0]          wgt_waddr_i,
  input  logic [WeightWidth-1:0]                  wgt_wdata_i
);
  localparam int unsigned ActAddrBits = $clog2(ActDepth);
  localparam int unsigned WgtAddrBits = $clog2(WeightDepth);

  // Flags and the weight address travel beside the data; what nobody reads is trimmed away.
  nbq_pkg::feed_t feed_1, feed_2, feed_3, feed_4, feed_5;
  logic [5:1]     valid_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= '0;
    else if (clear_i) valid_q <= '0;
    else valid_q <= {valid_q[4:1], valid_i};
  end
  always_ff @(posedge clk_i) begin
    feed_1 <= feed_i;
    feed_2 <= feed_1;
    feed_3 <= feed_2;
    feed_4 <= feed_3;
    feed_5 <= feed_4;
  end
  always_comb begin
    op_o.tap       = valid_q[5] && !feed_5.residual && !feed_5.is_max;
    op_o.max       = valid_q[5] && !feed_5.residual && feed_5.is_max;
    op_o.residual  = valid_q[5] && feed_5.residual;
    op_o.first     = feed_5.first;
    op_o.acc_last  = feed_5.acc_last;
    op_o.tile_last = valid_q[5] && feed_5.tile_last;
    op_o.low       = feed_5.low;
    op_o.up        = feed_5.up;
    op_o.sgn       = feed_5.sgn;
    op_o.word      = feed_5.word;
  end

  logic [Pixels-1:0]             lane_valid, lane_bad;
  logic [Pixels*BankBits-1:0]    bank;
  logic [Pixels*ActAddrBits-1:0] word;
  for (genvar p = 0; p < Pixels; p++) begin : g_lane
    nbq_lane_addr #(.Lane(p), .Pixels(Pixels), .ActDepth(ActDepth)) u_addr (
      .clk_i, .valid_i, .feed_i,
      .valid_o(lane_valid[p]),
      .bad_o  (lane_bad[p]),
      .bank_o (bank[p*BankBits +: BankBits]),
      .word_o (word[p*ActAddrBits +: ActAddrBits])
    );
  end

  logic bad_wgt;
  assign bad_wgt  = !feed_2.residual && !feed_2.is_max && 32'(feed_2.wgt) >= WeightDepth;
  assign bad_o    = valid_q[2] && (lane_bad != '0 || bad_wgt);
  assign bad_pc_o = feed_2.pc;

  logic [Pixels*ActAddrBits-1:0] bank_word;
  nbq_bank_addr #(.Pixels(Pixels), .Depth(ActDepth)) u_banks (
    .clk_i, .rst_ni, .valid_i(lane_valid), .bank_i(bank), .word_i(word),
    .valid_o(lane_valid_o), .bank_o(lane_bank_o), .re_o(bank_re_o), .addr_o(bank_word)
  );
  if (ActDigits == 1) begin : g_whole
    assign bank_addr_o = bank_word;
  end else begin : g_digits
    for (genvar b = 0; b < Pixels; b++) begin : g_bank
      assign bank_addr_o[b*(ActAddrBits+1) +: ActAddrBits+1] =
          {bank_word[b*ActAddrBits +: ActAddrBits], !feed_3.low};
    end
  end

  logic                   wgt_re;
  logic [WeightWidth-1:0] wgt_data;
  assign wgt_re = valid_q[2] && !clear_i && !feed_2.residual && !feed_2.is_max;
  nbq_ram #(
    .Width(WeightWidth), .Depth(WeightDepth), .Init(Preload != 0 ? "weights" : ""), .Early(1'b1)
  ) u_weights (
    .clk_i,
    .we_i   (wgt_we_i),
    .waddr_i(wgt_waddr_i),
    .wdata_i(wgt_wdata_i),
    .re_i   (wgt_re),
    .raddr_i(feed_2.wgt[WgtAddrBits-1:0]),
    .rdata_o(wgt_data)
  );
  always_ff @(posedge clk_i) weights_o <= wgt_data;
endmodule
