/// Moves between external memory and the engine: the weight stream into its ring, images into the
/// activations, results back. Registers of spec/isa.def say from where to where.
///
/// External words are padded to whole beats.
module nbq_dma #(
  parameter int unsigned AxiBits     = 0,  // 32..512, a power of two
  parameter int unsigned Images      = 0,
  parameter int unsigned WgtWidth    = 0,  // bits of a weight word, of an activation word, ...
  parameter int unsigned ActWidth    = 0,
  parameter int unsigned RawWidth    = 0,
  parameter int unsigned WeightDepth = 0,
  parameter int unsigned ActSlots    = 0,  // words in all banks
  parameter int unsigned ResultDepth = 0,
  parameter int unsigned OutCycles   = 1,  // slices of a result word
  parameter int unsigned ReadLatency = 0,  // of the result memory
  parameter int unsigned WgtColumns  = (WgtWidth + 31) / 32,
  parameter int unsigned ActColumns  = (ActWidth + 31) / 32,
  parameter int unsigned ImgBits     = nbq_pkg::index_bits(Images),
  parameter int unsigned SlotBits    = $clog2(ActSlots),
  parameter int unsigned StoreBits   = nbq_pkg::index_bits(ResultDepth),
  parameter int unsigned ResAddr     = nbq_pkg::index_bits(ResultDepth * OutCycles),
  parameter int unsigned AddrBits    = nbq_pkg::AxiAddrBits
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  input  nbq_pkg::mem_ctl_t               ctl_i,  // a start only while quiet
  output nbq_pkg::mem_state_t             state_o,
  // memories
  output logic [WgtColumns-1:0]           wgt_we_o,
  output logic [$clog2(WeightDepth)-1:0]  wgt_addr_o,
  output logic [WgtColumns*32-1:0]        wgt_data_o,
  output logic [ActColumns-1:0]           act_we_o,
  output logic [ImgBits-1:0]              act_image_o,
  output logic [SlotBits-1:0]             act_slot_o,
  output logic [ActColumns*32-1:0]        act_data_o,
  input  logic                            act_ready_i,
  output logic                            result_read_o,
  output logic [ImgBits-1:0]              result_image_o,
  output logic [ResAddr-1:0]              result_word_o,
  input  logic [RawWidth/OutCycles-1:0]   result_data_i,
  // AXI4 master, one ID
  output logic                            arvalid_o,
  input  logic                            arready_i,
  output logic [AddrBits-1:0]             araddr_o,
  output logic [7:0]                      arlen_o,
  input  logic                            rvalid_i,
  output logic                            rready_o,
  input  logic [AxiBits-1:0]              rdata_i,
  input  logic [1:0]                      rresp_i,
  input  logic                            rlast_i,
  output logic                            awvalid_o,
  input  logic                            awready_i,
  output logic [AddrBits-1:0]             awaddr_o,
  output logic [7:0]                      awlen_o,
  output logic                            wvalid_o,
  input  logic                            wready_i,
  output logic [AxiBits-1:0]              wdata_o,
  output logic [AxiBits/8-1:0]            wstrb_o,
  output logic                            wlast_o,
  input  logic                            bvalid_i,
  output logic                            bready_o,
  input  logic [1:0]                      bresp_i
);
  localparam int unsigned WgtBeats  = (WgtWidth + AxiBits - 1) / AxiBits;
  localparam int unsigned ActBeats  = (ActWidth + AxiBits - 1) / AxiBits;
  localparam int unsigned WordBits  = nbq_pkg::AddrBits;

  if (AxiBits < 32 || AxiBits > 512 || (AxiBits & (AxiBits - 1)) != 0) begin : g_check
    $error("nbq_dma: AxiBits must be 32, 64, 128, 256 or 512");
  end

  // ---- registers ------------------------------------------------------------------------------
  logic [AddrBits-1:0] weight_addr_q, load_addr_q, store_addr_q;
  logic [31:0]         weight_words_q, weight_ring_q, load_slot_q, load_words_q, store_words_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      weight_words_q <= '0;
      load_words_q   <= '0;
      store_words_q  <= '0;
      weight_ring_q  <= '0;
    end else if (ctl_i.reg_we) begin
      case (ctl_i.reg_addr)
        nbq_isa_pkg::RegWeightWords: weight_words_q <= ctl_i.reg_data;
        nbq_isa_pkg::RegWeightRing:  weight_ring_q  <= ctl_i.reg_data;
        nbq_isa_pkg::RegLoadWords:   load_words_q   <= ctl_i.reg_data;
        nbq_isa_pkg::RegStoreWords:  store_words_q  <= ctl_i.reg_data;
        default: ;
      endcase
    end
  end
  always_ff @(posedge clk_i) begin
    if (ctl_i.reg_we) begin
      case (ctl_i.reg_addr)
        nbq_isa_pkg::RegWeightAddr:   weight_addr_q[31:0]         <= ctl_i.reg_data;
        nbq_isa_pkg::RegWeightAddrHi: weight_addr_q[AddrBits-1:32] <= ctl_i.reg_data[AddrBits-33:0];
        nbq_isa_pkg::RegLoadAddr:     load_addr_q[31:0]           <= ctl_i.reg_data;
        nbq_isa_pkg::RegLoadAddrHi:   load_addr_q[AddrBits-1:32]  <= ctl_i.reg_data[AddrBits-33:0];
        nbq_isa_pkg::RegLoadSlot:     load_slot_q                 <= ctl_i.reg_data;
        nbq_isa_pkg::RegStoreAddr:    store_addr_q[31:0]          <= ctl_i.reg_data;
        nbq_isa_pkg::RegStoreAddrHi:  store_addr_q[AddrBits-1:32] <= ctl_i.reg_data[AddrBits-33:0];
        default: ;
      endcase
    end
  end

  logic [WordBits-1:0] ring;
  logic                bad_ring, bad_store, bad_slot, bad_q;
  assign ring      = weight_ring_q[WordBits-1:0];
  assign bad_ring  = ctl_i.start && weight_words_q != '0 && weight_ring_q >= WeightDepth;
  assign bad_store = ctl_i.store && store_words_q > ResultDepth;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) bad_q <= 1'b0;
    else bad_q <= bad_ring || bad_store || bad_slot;
  end

  // ---- reading --------------------------------------------------------------------------------
  logic               read_quiet, read_error, beat_valid, beat_client, beat_ready;
  logic [AxiBits-1:0] beat_data;
  logic [1:0]         grant, room;
  nbq_axi_read #(
    .AxiBits(AxiBits), .WordBeats0(WgtBeats), .WordBeats1(ActBeats), .AddrBits(AddrBits)
  ) u_read (
    .clk_i, .rst_ni, .clear_i(ctl_i.clear), .quiet_o(read_quiet), .error_o(read_error),
    .set_i({ctl_i.load, ctl_i.start}), .base_i({load_addr_q, weight_addr_q}), .grant_i(grant),
    .room_o(room), .valid_o(beat_valid), .client_o(beat_client), .data_o(beat_data),
    .ready_i(beat_ready), .arvalid_o, .arready_i, .araddr_o, .arlen_o, .rvalid_i, .rready_o,
    .rdata_i, .rresp_i, .rlast_i
  );
  assign beat_ready = !beat_client || act_ready_i;

  logic arrived, stream_done, load_busy, store_busy;
  nbq_dma_weights #(
    .AxiBits(AxiBits), .WgtWidth(WgtWidth), .WeightDepth(WeightDepth)
  ) u_weights (
    .clk_i, .rst_ni, .start_i(ctl_i.start), .clear_i(ctl_i.clear), .words_i(weight_words_q),
    .ring_i(ring), .free_i(ctl_i.free), .free_words_i(ctl_i.free_words), .arrived_o(arrived),
    .stream_done_o(stream_done), .room_i(room[0]), .grant_o(grant[0]),
    .beat_i(beat_valid && !beat_client), .data_i(beat_data), .we_o(wgt_we_o),
    .addr_o(wgt_addr_o), .data_o(wgt_data_o)
  );
  nbq_dma_image #(
    .AxiBits(AxiBits), .Images(Images), .ActWidth(ActWidth), .ActSlots(ActSlots)
  ) u_image (
    .clk_i, .rst_ni, .start_i(ctl_i.load), .clear_i(ctl_i.clear), .words_i(load_words_q),
    .slot_i(load_slot_q), .busy_o(load_busy), .bad_o(bad_slot), .room_i(room[1]),
    .grant_o(grant[1]), .valid_i(beat_valid && beat_client), .data_i(beat_data),
    .we_o(act_we_o), .image_o(act_image_o), .slot_o(act_slot_o), .data_o(act_data_o),
    .ready_i(act_ready_i)
  );

  // ---- writing --------------------------------------------------------------------------------
  logic write_quiet, write_error;
  nbq_axi_write #(
    .AxiBits(AxiBits), .Width(RawWidth), .Slices(OutCycles), .Depth(ResultDepth),
    .Images(Images),
    .Latency(ReadLatency), .AddrBits(AddrBits)
  ) u_write (
    .clk_i, .rst_ni, .clear_i(ctl_i.clear), .quiet_o(write_quiet), .error_o(write_error),
    .start_i(ctl_i.store && store_words_q != '0 && !bad_store), .base_i(store_addr_q),
    .words_i(store_words_q[StoreBits:0]), .busy_o(store_busy),
    .read_o(result_read_o), .image_o(result_image_o), .word_o(result_word_o),
    .data_i(result_data_i), .awvalid_o, .awready_i, .awaddr_o, .awlen_o, .wvalid_o, .wready_i,
    .wdata_o, .wstrb_o, .wlast_o, .bvalid_i, .bready_o, .bresp_i
  );
  assign state_o = {ring, arrived, stream_done, load_busy, store_busy, read_quiet && write_quiet,
                    beat_valid || (wvalid_o && wready_i), read_error || write_error, bad_q};
endmodule
