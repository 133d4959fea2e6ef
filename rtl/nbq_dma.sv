/// Moves between external memory and the engine: the weight stream into its ring, images into the
/// activations, results back. Registers of spec/isa.def say from where to where.
///
/// External words are padded to whole beats. The ring is the weight memory from register weight_ring
/// to its end: a word is asked for only when its place is free, so weights never block the bus.
module nbq_dma #(
  parameter int unsigned AxiBits     = 0,  // 32..512, a power of two
  parameter int unsigned Images      = 0,
  parameter int unsigned WgtWidth    = 0,  // bits of a weight word, of an activation word, ...
  parameter int unsigned ActWidth    = 0,
  parameter int unsigned RawWidth    = 0,
  parameter int unsigned WeightDepth = 0,
  parameter int unsigned ActSlots    = 0,  // words in all banks
  parameter int unsigned ResultDepth = 0,
  parameter int unsigned ReadLatency = 0,  // of the result memory
  parameter int unsigned WgtColumns  = (WgtWidth + 31) / 32,
  parameter int unsigned ActColumns  = (ActWidth + 31) / 32,
  parameter int unsigned ImgBits     = Images > 1 ? $clog2(Images) : 1,
  parameter int unsigned SlotBits    = $clog2(ActSlots),
  parameter int unsigned AddrBits    = nbq_pkg::AxiAddrBits
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  // host's register writes
  input  logic                            reg_we_i,
  input  logic [7:0]                      reg_addr_i,
  input  logic [31:0]                     reg_data_i,
  // engine; start_i, load_i and store_i only while quiet_o, idle and idle
  input  logic                            start_i,  // a program: the weight stream begins
  input  logic                            clear_i,  // forget everything
  input  logic                            load_i,
  input  logic                            store_i,
  input  logic                            free_i,   // free_words_i of the ring are no longer used
  input  logic [nbq_pkg::AddrBits-1:0]    free_words_i,
  output logic [nbq_pkg::AddrBits-1:0]    ring_o,
  output logic                            arrived_o,      // a weight word can be read
  output logic                            stream_done_o,  // the last one is there
  output logic                            load_busy_o,
  output logic                            store_busy_o,
  output logic                            quiet_o,  // nothing of an earlier program is on the bus
  output logic                            beat_o,   // progress
  output logic                            bus_error_o,
  output logic                            bad_o,    // a register leads beyond a memory
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
  output logic [$clog2(ResultDepth)-1:0]  result_word_o,
  input  logic [RawWidth-1:0]             result_data_i,
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
  localparam int unsigned RingBits  = $clog2(WeightDepth);
  localparam int unsigned ResBits   = $clog2(ResultDepth);

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
    end else if (reg_we_i) begin
      case (reg_addr_i)
        nbq_isa_pkg::RegWeightWords: weight_words_q <= reg_data_i;
        nbq_isa_pkg::RegWeightRing:  weight_ring_q  <= reg_data_i;
        nbq_isa_pkg::RegLoadWords:   load_words_q   <= reg_data_i;
        nbq_isa_pkg::RegStoreWords:  store_words_q  <= reg_data_i;
        default: ;
      endcase
    end
  end
  always_ff @(posedge clk_i) begin
    if (reg_we_i) begin
      case (reg_addr_i)
        nbq_isa_pkg::RegWeightAddr:   weight_addr_q[31:0]         <= reg_data_i;
        nbq_isa_pkg::RegWeightAddrHi: weight_addr_q[AddrBits-1:32] <= reg_data_i[AddrBits-33:0];
        nbq_isa_pkg::RegLoadAddr:     load_addr_q[31:0]           <= reg_data_i;
        nbq_isa_pkg::RegLoadAddrHi:   load_addr_q[AddrBits-1:32]  <= reg_data_i[AddrBits-33:0];
        nbq_isa_pkg::RegLoadSlot:     load_slot_q                 <= reg_data_i;
        nbq_isa_pkg::RegStoreAddr:    store_addr_q[31:0]          <= reg_data_i;
        nbq_isa_pkg::RegStoreAddrHi:  store_addr_q[AddrBits-1:32] <= reg_data_i[AddrBits-33:0];
        default: ;
      endcase
    end
  end
  assign ring_o = weight_ring_q[WordBits-1:0];

  logic bad_ring, bad_store, bad_slot;
  assign bad_ring  = start_i && weight_words_q != '0 && weight_ring_q >= WeightDepth;
  assign bad_store = store_i && store_words_q > ResultDepth;
  assign bad_o     = bad_ring || bad_store || bad_slot;

  // ---- reading --------------------------------------------------------------------------------
  logic               read_quiet, read_error, beat_valid, beat_client, beat_ready;
  logic [AxiBits-1:0] beat_data;
  logic [1:0]         grant, room;
  nbq_axi_read #(
    .AxiBits(AxiBits), .WordBeats0(WgtBeats), .WordBeats1(ActBeats), .AddrBits(AddrBits)
  ) u_read (
    .clk_i, .rst_ni, .clear_i, .quiet_o(read_quiet), .error_o(read_error),
    .set_i({load_i, start_i}), .base_i({load_addr_q, weight_addr_q}), .grant_i(grant),
    .room_o(room), .valid_o(beat_valid), .client_o(beat_client), .data_o(beat_data),
    .ready_i(beat_ready), .arvalid_o, .arready_i, .araddr_o, .arlen_o, .rvalid_i, .rready_o,
    .rdata_i, .rresp_i, .rlast_i
  );
  assign beat_ready = !beat_client || act_ready_i;

  // Weights: words still to be asked for, free places, words still to come.
  logic                wgt_beat, wgt_word;
  logic [WgtBeats-1:0] wgt_beat_q;  // one-hot: the beat of a word that comes next
  logic [31:0]         ask_q, come_q;
  logic [WordBits:0]   space_q;
  logic [RingBits-1:0] place_q;
  assign grant[0] = ask_q != '0 && space_q != '0 && room[0];
  assign wgt_beat = beat_valid && !beat_client;
  assign wgt_word = wgt_beat && wgt_beat_q[WgtBeats-1];
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ask_q  <= '0;
      come_q <= '0;
    end else if (start_i) begin
      ask_q  <= weight_words_q;
      come_q <= weight_words_q;
    end else if (clear_i) begin
      ask_q  <= '0;
      come_q <= '0;
    end else begin
      if (grant[0]) ask_q <= ask_q - 32'd1;
      if (wgt_word) come_q <= come_q - 32'd1;
    end
  end
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      space_q    <= (WordBits+1)'(WeightDepth) - (WordBits+1)'(ring_o);
      place_q    <= ring_o[RingBits-1:0];
      wgt_beat_q <= WgtBeats'(1);
    end else begin
      space_q <= space_q + (free_i ? {1'b0, free_words_i} : '0) - (WordBits+1)'(grant[0]);
      if (wgt_word) begin
        place_q <= place_q == RingBits'(WeightDepth - 1) ? ring_o[RingBits-1:0]
                                                         : place_q + RingBits'(1);
      end
      if (wgt_beat) begin
        wgt_beat_q <= WgtBeats'({wgt_beat_q, wgt_beat_q[WgtBeats-1]});
      end
    end
  end
  // One register on the way to the memory, which may lie far away.
  logic [WgtBeats-1:0] wgt_we_q;
  logic [AxiBits-1:0]  wgt_data_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wgt_we_q      <= '0;
      arrived_o     <= 1'b0;
      stream_done_o <= 1'b0;
    end else begin
      wgt_we_q      <= wgt_beat ? wgt_beat_q : '0;
      arrived_o     <= wgt_word && !clear_i;
      stream_done_o <= come_q == '0 && !start_i;
    end
  end
  always_ff @(posedge clk_i) begin
    wgt_data_q <= beat_data;
    wgt_addr_o <= place_q;
  end
  for (genvar i = 0; i < WgtColumns; i++) begin : g_wgt
    assign wgt_we_o[i]           = wgt_we_q[i*32/AxiBits];
    assign wgt_data_o[32*i +: 32] = wgt_data_q[(i*32)%AxiBits +: 32];
  end

  // Images: words still to be asked for, place of the next.
  logic [31:0]         load_ask_q, load_come_q, load_slot_now_q;
  logic [ImgBits-1:0]  load_ask_image_q, load_image_q;
  logic [ActBeats-1:0] act_beat_q;
  logic                act_beat, act_word, image_last;
  assign grant[1]   = load_ask_q != '0 && room[1];
  assign act_beat   = beat_valid && beat_client && act_ready_i;
  assign act_word   = act_beat && act_beat_q[ActBeats-1];
  assign image_last = load_come_q == 32'd1;
  assign bad_slot   = beat_valid && beat_client && load_slot_now_q >= ActSlots;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      load_ask_q  <= '0;
      load_come_q <= '0;
    end else if (load_i) begin
      load_ask_q  <= load_words_q;
      load_come_q <= load_words_q;
    end else if (clear_i) begin
      load_ask_q  <= '0;
      load_come_q <= '0;
    end else begin
      if (grant[1]) begin
        load_ask_q <= load_ask_q - 32'd1;
        if (load_ask_q == 32'd1 && load_ask_image_q != ImgBits'(Images - 1)) begin
          load_ask_q <= load_words_q;
        end
      end
      if (act_word) begin
        load_come_q <= load_come_q - 32'd1;
        if (image_last && load_image_q != ImgBits'(Images - 1)) load_come_q <= load_words_q;
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (load_i) begin
      load_ask_image_q <= '0;
      load_image_q     <= '0;
      load_slot_now_q  <= load_slot_q;
      act_beat_q       <= ActBeats'(1);
    end else begin
      if (grant[1] && load_ask_q == 32'd1) load_ask_image_q <= load_ask_image_q + ImgBits'(1);
      if (act_beat) act_beat_q <= ActBeats'({act_beat_q, act_beat_q[ActBeats-1]});
      if (act_word) begin
        load_slot_now_q <= image_last ? load_slot_q : load_slot_now_q + 32'd1;
        if (image_last) load_image_q <= load_image_q + ImgBits'(1);
      end
    end
  end
  for (genvar i = 0; i < ActColumns; i++) begin : g_act
    assign act_we_o[i] = beat_valid && beat_client && !bad_slot && act_beat_q[i*32/AxiBits];
    assign act_data_o[32*i +: 32] = beat_data[(i*32)%AxiBits +: 32];
  end
  assign act_image_o = load_image_q;
  assign act_slot_o  = load_slot_now_q[SlotBits-1:0];
  assign load_busy_o = load_come_q != '0;

  // ---- writing --------------------------------------------------------------------------------
  logic write_quiet, write_error;
  nbq_axi_write #(
    .AxiBits(AxiBits), .Width(RawWidth), .Depth(ResultDepth), .Images(Images),
    .Latency(ReadLatency), .AddrBits(AddrBits)
  ) u_write (
    .clk_i, .rst_ni, .clear_i, .quiet_o(write_quiet), .error_o(write_error),
    .start_i(store_i && store_words_q != '0 && !bad_store), .base_i(store_addr_q),
    .words_i(store_words_q[ResBits:0]), .busy_o(store_busy_o),
    .read_o(result_read_o), .image_o(result_image_o), .word_o(result_word_o),
    .data_i(result_data_i), .awvalid_o, .awready_i, .awaddr_o, .awlen_o, .wvalid_o, .wready_i,
    .wdata_o, .wstrb_o, .wlast_o, .bvalid_i, .bready_o, .bresp_i
  );
  assign quiet_o     = read_quiet && write_quiet;
  assign bus_error_o = read_error || write_error;
  assign beat_o      = beat_valid || (wvalid_o && wready_i);
endmodule
