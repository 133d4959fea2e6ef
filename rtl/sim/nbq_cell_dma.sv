/// nbq_dma behind the ports of dma_harness.cc; words of 512 bits at most.
module nbq_cell_dma #(
  parameter int unsigned AxiBits     = 0,
  parameter int unsigned Images      = 0,
  parameter int unsigned WgtWidth    = 0,
  parameter int unsigned ActWidth    = 0,
  parameter int unsigned RawWidth    = 0,
  parameter int unsigned WeightDepth = 0,
  parameter int unsigned ActSlots    = 0,
  parameter int unsigned ResultDepth = 0,
  parameter int unsigned OutCycles   = 1,
  parameter int unsigned WgtColumns  = (WgtWidth + 31) / 32,
  parameter int unsigned ActColumns  = (ActWidth + 31) / 32
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  input  logic                   reg_we_i,
  input  logic [7:0]             reg_addr_i,
  input  logic [31:0]            reg_data_i,
  input  logic                   start_i,
  input  logic                   clear_i,
  input  logic                   load_i,
  input  logic                   store_i,
  input  logic                   free_i,
  input  logic [19:0]            free_words_i,
  input  logic                   act_ready_i,
  output logic [6:0]             flags_o,  // arrived, stream_done, load_busy, store_busy, quiet, error, bad
  output logic [31:0]            wgt_we_o,
  output logic [31:0]            wgt_addr_o,
  output logic [511:0]           wgt_data_o,
  output logic [31:0]            act_we_o,
  output logic [31:0]            act_addr_o,  // image << 24 | slot
  output logic [511:0]           act_data_o,
  output logic [39:0]            m_axi_araddr,
  output logic [7:0]             m_axi_arlen,
  output logic                   m_axi_arvalid,
  input  logic                   m_axi_arready,
  input  logic [AxiBits-1:0]     m_axi_rdata,
  input  logic [1:0]             m_axi_rresp,
  input  logic                   m_axi_rlast,
  input  logic                   m_axi_rvalid,
  output logic                   m_axi_rready,
  output logic [39:0]            m_axi_awaddr,
  output logic [7:0]             m_axi_awlen,
  output logic                   m_axi_awvalid,
  input  logic                   m_axi_awready,
  output logic [AxiBits-1:0]     m_axi_wdata,
  output logic [AxiBits/8-1:0]   m_axi_wstrb,
  output logic                   m_axi_wlast,
  output logic                   m_axi_wvalid,
  input  logic                   m_axi_wready,
  input  logic [1:0]             m_axi_bresp,
  input  logic                   m_axi_bvalid,
  output logic                   m_axi_bready
);
  localparam int unsigned ImgBits = nbq_pkg::index_bits(Images);
  logic [ImgBits-1:0]             act_image, result_image;
  logic [$clog2(ActSlots)-1:0]    act_slot;
  logic [nbq_pkg::index_bits(ResultDepth * OutCycles)-1:0] result_word;
  logic [$clog2(WeightDepth)-1:0] wgt_addr;
  logic [WgtColumns-1:0]          wgt_we;
  logic [ActColumns-1:0]          act_we;
  logic [WgtColumns*32-1:0]       wgt_data;
  logic [ActColumns*32-1:0]       act_data;
  logic                           result_read;
  nbq_pkg::mem_state_t            state;

  // A result memory whose words are their own address.
  localparam int unsigned RawSlice = RawWidth / OutCycles;
  logic [RawSlice-1:0] result_q, result_2q;
  always_ff @(posedge clk_i) begin
    if (result_read) result_q <= {RawSlice/16{8'(result_image), 8'(result_word)}};
    result_2q <= result_q;
  end

  nbq_dma #(
    .AxiBits(AxiBits), .Images(Images), .WgtWidth(WgtWidth), .ActWidth(ActWidth),
    .RawWidth(RawWidth), .WeightDepth(WeightDepth), .ActSlots(ActSlots),
    .ResultDepth(ResultDepth), .OutCycles(OutCycles), .ReadLatency(2)
  ) u_dma (
    .clk_i, .rst_ni,
    .ctl_i({reg_we_i, reg_addr_i, reg_data_i, start_i, clear_i, load_i, store_i, free_i,
            free_words_i}),
    .state_o(state),
    .wgt_we_o(wgt_we), .wgt_addr_o(wgt_addr), .wgt_data_o(wgt_data), .act_we_o(act_we),
    .act_image_o(act_image), .act_slot_o(act_slot), .act_data_o(act_data), .act_ready_i,
    .result_read_o(result_read), .result_image_o(result_image), .result_word_o(result_word),
    .result_data_i(result_2q),
    .arvalid_o(m_axi_arvalid), .arready_i(m_axi_arready), .araddr_o(m_axi_araddr),
    .arlen_o(m_axi_arlen), .rvalid_i(m_axi_rvalid), .rready_o(m_axi_rready),
    .rdata_i(m_axi_rdata), .rresp_i(m_axi_rresp), .rlast_i(m_axi_rlast),
    .awvalid_o(m_axi_awvalid), .awready_i(m_axi_awready), .awaddr_o(m_axi_awaddr),
    .awlen_o(m_axi_awlen), .wvalid_o(m_axi_wvalid), .wready_i(m_axi_wready),
    .wdata_o(m_axi_wdata), .wstrb_o(m_axi_wstrb), .wlast_o(m_axi_wlast),
    .bvalid_i(m_axi_bvalid), .bready_o(m_axi_bready), .bresp_i(m_axi_bresp)
  );
  assign flags_o    = {state.arrived, state.stream_done, state.load_busy, state.store_busy,
                       state.quiet, state.bus_error, state.bad};
  assign wgt_we_o   = 32'(wgt_we);
  assign wgt_addr_o = 32'(wgt_addr);
  assign wgt_data_o = 512'(wgt_data);
  assign act_we_o   = 32'(act_we);
  assign act_addr_o = {8'(act_image), 24'(act_slot)};
  assign act_data_o = 512'(act_data);
endmodule
