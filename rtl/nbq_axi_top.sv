/// The engine for a system on chip: registers behind AXI4-Lite, weights, images and results through
/// an AXI4 master, an interrupt. Parameters as nbq_engine's; docs/accelerator.md has the use.
module nbq_axi_top #(
  parameter int unsigned AxiBits      = 0,  // 32, 64, 128, 256 or 512
  parameter int unsigned PeKind       = 0,
  parameter int unsigned LanesIn      = 0,
  parameter int unsigned LanesOut     = 0,
  parameter int unsigned Pixels       = 0,
  parameter int unsigned Images       = 0,
  parameter int unsigned CodeBits     = 0,
  parameter int unsigned MultBits     = 0,
  parameter int unsigned ActBits      = 0,
  parameter int unsigned ActDigits    = 1,
  parameter int unsigned AccBits      = 0,
  parameter int unsigned Broadcast    = 0,
  parameter int unsigned OutCycles    = 0,
  parameter int unsigned MaxPool      = 1,
  parameter int unsigned AlignBits    = 15,
  parameter int unsigned LeftBits     = 15,
  parameter int unsigned ActDepth     = 0,
  parameter int unsigned WeightDepth  = 0,
  parameter int unsigned ParamDepth   = 0,
  parameter int unsigned ResultDepth  = 0,
  parameter int unsigned ProgramDepth = 0,
  parameter int unsigned Target       = 0
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  output logic                            irq_o,
  output logic                            busy_o,
  // AXI4-Lite slave: a window of 4 KB
  input  logic [11:0]                     s_axi_awaddr,
  input  logic                            s_axi_awvalid,
  output logic                            s_axi_awready,
  input  logic [31:0]                     s_axi_wdata,
  input  logic [3:0]                      s_axi_wstrb,
  input  logic                            s_axi_wvalid,
  output logic                            s_axi_wready,
  output logic [1:0]                      s_axi_bresp,
  output logic                            s_axi_bvalid,
  input  logic                            s_axi_bready,
  input  logic [11:0]                     s_axi_araddr,
  input  logic                            s_axi_arvalid,
  output logic                            s_axi_arready,
  output logic [31:0]                     s_axi_rdata,
  output logic [1:0]                      s_axi_rresp,
  output logic                            s_axi_rvalid,
  input  logic                            s_axi_rready,
  // AXI4 master: one ID, bursts that increment, whole beats
  output logic [nbq_pkg::AxiAddrBits-1:0] m_axi_araddr,
  output logic [7:0]                      m_axi_arlen,
  output logic [2:0]                      m_axi_arsize,
  output logic [1:0]                      m_axi_arburst,
  output logic                            m_axi_arvalid,
  input  logic                            m_axi_arready,
  input  logic [AxiBits-1:0]              m_axi_rdata,
  input  logic [1:0]                      m_axi_rresp,
  input  logic                            m_axi_rlast,
  input  logic                            m_axi_rvalid,
  output logic                            m_axi_rready,
  output logic [nbq_pkg::AxiAddrBits-1:0] m_axi_awaddr,
  output logic [7:0]                      m_axi_awlen,
  output logic [2:0]                      m_axi_awsize,
  output logic [1:0]                      m_axi_awburst,
  output logic                            m_axi_awvalid,
  input  logic                            m_axi_awready,
  output logic [AxiBits-1:0]              m_axi_wdata,
  output logic [AxiBits/8-1:0]            m_axi_wstrb,
  output logic                            m_axi_wlast,
  output logic                            m_axi_wvalid,
  input  logic                            m_axi_wready,
  input  logic [1:0]                      m_axi_bresp,
  input  logic                            m_axi_bvalid,
  output logic                            m_axi_bready
);
  localparam int unsigned ActWidth   = LanesIn * nbq_pkg::digit_bits(ActBits, ActDigits);
  localparam int unsigned WgtWidth   = LanesIn * LanesOut * (PeKind == 0 ? CodeBits : MultBits);
  localparam int unsigned RawWidth   = LanesIn * AccBits;
  localparam int unsigned ActColumns = (ActWidth + 31) / 32;
  localparam int unsigned WgtColumns = (WgtWidth + 31) / 32;
  localparam int unsigned ImgBits    = nbq_pkg::index_bits(Images);
  localparam int unsigned ActSlots   = ActDepth * ActDigits * Pixels;

  // ---- registers ------------------------------------------------------------------------------
  logic        host_valid, host_ready, host_write, host_rvalid;
  logic [7:0]  host_addr;
  logic [31:0] host_wdata, host_rdata;
  nbq_axil u_axil (
    .clk_i, .rst_ni,
    .awvalid_i(s_axi_awvalid), .awready_o(s_axi_awready), .awaddr_i(s_axi_awaddr),
    .wvalid_i(s_axi_wvalid), .wready_o(s_axi_wready), .wdata_i(s_axi_wdata),
    .wstrb_i(s_axi_wstrb), .bvalid_o(s_axi_bvalid), .bready_i(s_axi_bready),
    .bresp_o(s_axi_bresp), .arvalid_i(s_axi_arvalid), .arready_o(s_axi_arready),
    .araddr_i(s_axi_araddr), .rvalid_o(s_axi_rvalid), .rready_i(s_axi_rready),
    .rdata_o(s_axi_rdata), .rresp_o(s_axi_rresp), .irq_o, .busy_i(busy_o),
    .host_valid_o(host_valid), .host_ready_i(host_ready), .host_write_o(host_write),
    .host_addr_o(host_addr), .host_wdata_o(host_wdata), .host_rvalid_i(host_rvalid),
    .host_rdata_i(host_rdata)
  );

  // ---- engine ---------------------------------------------------------------------------------
  nbq_pkg::mem_ctl_t              ctl;
  nbq_pkg::mem_state_t            state;
  logic [WgtColumns-1:0]          wgt_we;
  logic [$clog2(WeightDepth)-1:0] wgt_addr;
  logic [WgtColumns*32-1:0]       wgt_data;
  logic [ActColumns-1:0]          act_we;
  logic [ImgBits-1:0]             act_image, result_image;
  logic [$clog2(ActSlots)-1:0]    act_slot;
  logic [ActColumns*32-1:0]       act_data;
  logic                           act_ready, result_read;
  logic [nbq_pkg::index_bits(ResultDepth * OutCycles)-1:0] result_word;
  logic [RawWidth/OutCycles-1:0]  result_data;
  nbq_engine #(
    .AxiBits(AxiBits), .PeKind(PeKind), .LanesIn(LanesIn), .LanesOut(LanesOut), .Pixels(Pixels),
    .Images(Images), .CodeBits(CodeBits), .MultBits(MultBits), .ActBits(ActBits),
    .ActDigits(ActDigits),
    .AccBits(AccBits), .Broadcast(Broadcast), .OutCycles(OutCycles), .MaxPool(MaxPool),
    .AlignBits(AlignBits), .LeftBits(LeftBits), .ActDepth(ActDepth),
    .WeightDepth(WeightDepth), .ParamDepth(ParamDepth), .ResultDepth(ResultDepth),
    .ProgramDepth(ProgramDepth), .Target(Target)
  ) u_engine (
    .clk_i, .rst_ni, .host_valid_i(host_valid), .host_ready_o(host_ready),
    .host_write_i(host_write), .host_addr_i(host_addr), .host_wdata_i(host_wdata),
    .host_rvalid_o(host_rvalid), .host_rdata_o(host_rdata), .busy_o,
    .mem_ctl_o(ctl), .mem_state_i(state), .mem_wgt_we_i(wgt_we), .mem_wgt_addr_i(wgt_addr),
    .mem_wgt_data_i(wgt_data), .mem_act_we_i(act_we), .mem_act_image_i(act_image),
    .mem_act_slot_i(act_slot), .mem_act_data_i(act_data), .mem_act_ready_o(act_ready),
    .mem_result_read_i(result_read), .mem_result_image_i(result_image),
    .mem_result_word_i(result_word), .mem_result_data_o(result_data)
  );

  // ---- external memory ------------------------------------------------------------------------
  nbq_dma #(
    .AxiBits(AxiBits), .Images(Images), .WgtWidth(WgtWidth), .ActWidth(ActWidth),
    .RawWidth(RawWidth), .WeightDepth(WeightDepth), .ActSlots(ActSlots),
    .ResultDepth(ResultDepth), .OutCycles(OutCycles), .ReadLatency(2 + Broadcast)
  ) u_dma (
    .clk_i, .rst_ni, .ctl_i(ctl), .state_o(state), .wgt_we_o(wgt_we), .wgt_addr_o(wgt_addr),
    .wgt_data_o(wgt_data), .act_we_o(act_we), .act_image_o(act_image), .act_slot_o(act_slot),
    .act_data_o(act_data), .act_ready_i(act_ready), .result_read_o(result_read),
    .result_image_o(result_image), .result_word_o(result_word), .result_data_i(result_data),
    .arvalid_o(m_axi_arvalid), .arready_i(m_axi_arready), .araddr_o(m_axi_araddr),
    .arlen_o(m_axi_arlen), .rvalid_i(m_axi_rvalid), .rready_o(m_axi_rready),
    .rdata_i(m_axi_rdata), .rresp_i(m_axi_rresp), .rlast_i(m_axi_rlast),
    .awvalid_o(m_axi_awvalid), .awready_i(m_axi_awready), .awaddr_o(m_axi_awaddr),
    .awlen_o(m_axi_awlen), .wvalid_o(m_axi_wvalid), .wready_i(m_axi_wready),
    .wdata_o(m_axi_wdata), .wstrb_o(m_axi_wstrb), .wlast_o(m_axi_wlast),
    .bvalid_i(m_axi_bvalid), .bready_o(m_axi_bready), .bresp_i(m_axi_bresp)
  );
  assign m_axi_arsize  = 3'($clog2(AxiBits / 8));
  assign m_axi_awsize  = 3'($clog2(AxiBits / 8));
  assign m_axi_arburst = 2'b01;
  assign m_axi_awburst = 2'b01;
endmodule
