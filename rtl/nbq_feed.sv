/// From a feed cycle to operands: lane addresses, activation banks with their crossbar, weight
/// memory. Latency 5; every output belongs to the feed cycle of five cycles before.
module nbq_feed #(
  parameter int unsigned LanesIn     = 0,
  parameter int unsigned Pixels      = 0,
  parameter int unsigned ActBits     = 0,
  parameter int unsigned WeightWidth = 0,  // bits of a weight word
  parameter int unsigned ActDepth    = 0,
  parameter int unsigned WeightDepth = 0,
  parameter int unsigned ActWidth    = LanesIn * ActBits,
  parameter int unsigned ActColumns  = (ActWidth + 31) / 32,
  parameter int unsigned WgtColumns  = (WeightWidth + 31) / 32,
  parameter int unsigned BankBits    = Pixels > 1 ? $clog2(Pixels) : 1
) (
  input  logic                                    clk_i,
  input  logic                                    rst_ni,
  input  logic                                    clear_i,  // drops what is under way
  input  logic                                    valid_i,
  input  nbq_pkg::feed_t                          feed_i,
  // operands; an idle lane's are 0
  output logic                                    valid_o,
  output nbq_pkg::feed_t                          feed_o,
  output logic [Pixels-1:0]                       lane_valid_o,
  output logic [Pixels*LanesIn*(ActBits+1)-1:0]   x_o,       // extended by feed_i.sgn
  output logic [Pixels*ActWidth-1:0]              raw_o,     // as stored
  output logic [WeightWidth-1:0]                  weights_o,
  // an address beyond a memory; the instruction that made it
  output logic                                    bad_o,
  output logic [nbq_pkg::PcBits-1:0]              bad_pc_o,
  // writes
  input  logic [ActColumns-1:0]                   act_we_i,
  input  logic [BankBits-1:0]                     act_wbank_i,
  input  logic [$clog2(ActDepth)-1:0]             act_waddr_i,
  input  logic [ActWidth-1:0]                     act_wdata_i,
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
  assign valid_o = valid_q[5];
  assign feed_o  = feed_5;

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

  nbq_act_mem #(.Pixels(Pixels), .WordWidth(ActWidth), .Depth(ActDepth)) u_acts (
    .clk_i, .rst_ni,
    .valid_i(lane_valid), .bank_i(bank), .word_i(word),
    .valid_o(lane_valid_o), .data_o(raw_o),
    .we_i(act_we_i), .wbank_i(act_wbank_i), .waddr_i(act_waddr_i), .wdata_i(act_wdata_i)
  );

  for (genvar i = 0; i < Pixels * LanesIn; i++) begin : g_extend
    assign x_o[i*(ActBits+1) +: ActBits+1] =
        {feed_5.sgn & raw_o[i*ActBits + ActBits - 1], raw_o[i*ActBits +: ActBits]};
  end

  logic [WeightWidth-1:0] wgt_data;
  nbq_ram #(.Width(WeightWidth), .Depth(WeightDepth)) u_weights (
    .clk_i,
    .we_i   (wgt_we_i),
    .waddr_i(wgt_waddr_i),
    .wdata_i(wgt_wdata_i),
    .re_i   (valid_q[3] && !feed_3.residual && !feed_3.is_max),
    .raddr_i(feed_3.wgt[WgtAddrBits-1:0]),
    .rdata_o(wgt_data)
  );
  always_ff @(posedge clk_i) weights_o <= wgt_data;
endmodule
