/// The accelerator: a program of spec/isa.def over memories that the host fills through registers.
/// Every parameter of src/hw/engine_config.h has to be set; what must hold of them is below.
/// With AxiBits the ports mem_* lead to nbq_dma (see nbq_axi_top); else they are for nothing.
module nbq_engine #(
  parameter int unsigned AxiBits      = 0,  // of the external memory's bus, 0: none
  parameter int unsigned PeKind       = 0,  // 0 shift, 1 multiplier, 2 multiplier of two pixels
  parameter int unsigned LanesIn      = 0,  // C, a power of two >= 2
  parameter int unsigned LanesOut     = 0,  // M, 1..15 times C
  parameter int unsigned Pixels       = 0,  // P, a power of two, 1..32
  parameter int unsigned Images       = 0,  // B images in lockstep, 1..64
  parameter int unsigned CodeBits     = 0,  // 2..5
  parameter int unsigned MultBits     = 0,  // 2..16, the multipliers' weights
  parameter int unsigned ActBits      = 0,  // 2..16
  parameter int unsigned ActDigits    = 1,  // cycles of an activation, a digit each, 1 or 2; <= OutCycles
  parameter int unsigned AccBits      = 0,  // 21..48
  parameter int unsigned Broadcast    = 0,  // register stages on the way to the images, 0..3
  parameter int unsigned OutCycles    = 0,  // of a word in the output stage, a power of two <= C
  parameter int unsigned MaxPool      = 1,  // 0: without the comparators of maximum pooling
  parameter int unsigned AlignBits    = 15,  // places that a residual sum's operands go up, at most
  parameter int unsigned LeftBits     = 15,  // places that a requantisation goes up, at most
  parameter int unsigned ActDepth     = 0,  // words per bank; this and the other depths are
  parameter int unsigned WeightDepth  = 0,  // any number from 2 (results: 1) to 2^20
  parameter int unsigned ParamDepth   = 0,
  parameter int unsigned ResultDepth  = 0,
  parameter int unsigned ProgramDepth = 0,  // 32-bit words, >= 32
  parameter int unsigned Target       = 0,  // family that elements are shaped for (nbq_pkg), 0: none
  parameter int unsigned Preload      = 0,  // 1: program, weights, parameters begin with files' contents
  // derived
  parameter int unsigned MemWgtColumns =
      (LanesIn * LanesOut * (PeKind == 0 ? CodeBits : MultBits) + 31) / 32,
  parameter int unsigned MemActColumns =
      (LanesIn * nbq_pkg::digit_bits(ActBits, ActDigits) + 31) / 32,
  parameter int unsigned MemImageBits  = nbq_pkg::index_bits(Images),
  parameter int unsigned ResSlices     = ResultDepth * OutCycles,  // words of the result memory
  parameter int unsigned ResAddr       = nbq_pkg::index_bits(ResSlices)
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        host_valid_i,
  output logic        host_ready_o,
  input  logic        host_write_i,
  input  logic [7:0]  host_addr_i,
  input  logic [31:0] host_wdata_i,
  output logic        host_rvalid_o,
  output logic [31:0] host_rdata_o,
  output logic        busy_o,  // a program runs; its fall can interrupt the host
  output nbq_pkg::mem_ctl_t               mem_ctl_o,
  input  nbq_pkg::mem_state_t             mem_state_i,
  input  logic [MemWgtColumns-1:0]        mem_wgt_we_i,
  input  logic [$clog2(WeightDepth)-1:0]  mem_wgt_addr_i,
  input  logic [MemWgtColumns*32-1:0]     mem_wgt_data_i,
  input  logic [MemActColumns-1:0]        mem_act_we_i,
  input  logic [MemImageBits-1:0]         mem_act_image_i,
  input  logic [$clog2(ActDepth*ActDigits*Pixels)-1:0] mem_act_slot_i,
  input  logic [MemActColumns*32-1:0]     mem_act_data_i,
  output logic                            mem_act_ready_o,
  input  logic                            mem_result_read_i,
  input  logic [MemImageBits-1:0]         mem_result_image_i,
  input  logic [ResAddr-1:0]              mem_result_word_i,
  output logic [LanesIn/OutCycles*AccBits-1:0] mem_result_data_o
);
  if (LanesIn < 2 || (LanesIn & (LanesIn - 1)) != 0 || LanesOut < LanesIn ||
      LanesOut % LanesIn != 0 || LanesOut / LanesIn > 15 ||
      Pixels == 0 || Pixels > 32 || (Pixels & (Pixels - 1)) != 0 || PeKind > 2 || Target > 2 ||
      OutCycles == 0 || OutCycles > LanesIn || (OutCycles & (OutCycles - 1)) != 0 ||
      Images == 0 || Images > 64 || Broadcast > 3 || MultBits < 2 || MultBits > 16 ||
      CodeBits < 2 || CodeBits > 5 || ActBits < 2 || ActBits > 16 || AccBits < 21 ||
      AccBits > 48 || MaxPool > 1 || AlignBits > 15 || LeftBits > 15 || ActDigits == 0 ||
      ActDigits > 2 || (ActDigits > 1 && (PeKind != 0 || ActBits < 4 || OutCycles < 2))) begin : g_check
    $error("nbq_engine: a parameter is unset or out of range");
  end

  localparam int unsigned ActWidth    = LanesIn * nbq_pkg::digit_bits(ActBits, ActDigits);
  localparam int unsigned ActWords    = ActDepth * ActDigits;  // of a bank
  localparam int unsigned WgtWidth    = LanesIn * LanesOut * (PeKind == 0 ? CodeBits : MultBits);
  localparam int unsigned ParWidth    = LanesIn / OutCycles * (AccBits + 7);  // a slice's
  localparam int unsigned ActColumns  = (ActWidth + 31) / 32;
  localparam int unsigned WgtColumns  = (WgtWidth + 31) / 32;
  localparam int unsigned ParColumns  = (ParWidth + 31) / 32;
  localparam int unsigned Words       = Pixels * LanesOut / LanesIn;
  localparam int unsigned SelBits     = nbq_pkg::index_bits(Words);
  localparam int unsigned BankBits    = nbq_pkg::index_bits(Pixels);
  localparam int unsigned PixelLog2   = $clog2(Pixels);
  localparam int unsigned ImageBits   = nbq_pkg::index_bits(Images);
  localparam int unsigned OutLanes    = LanesIn / OutCycles;
  localparam int unsigned SliceBits   = nbq_pkg::index_bits(OutCycles);
  localparam int unsigned ActAddr     = $clog2(ActWords);
  localparam int unsigned PeLatency   = nbq_pkg::pe_latency(PeKind, Target, CodeBits, LanesIn);
  localparam int unsigned PcBits      = nbq_pkg::PcBits;
  localparam bit          Memory      = AxiBits > 0;
  // Columns of an activation word that can be loaded at once.
  localparam int unsigned LoadColumns = !Memory ? 1 : AxiBits / 32 < ActColumns ? AxiBits / 32
                                                                               : ActColumns;

  // ---- host, control --------------------------------------------------------------------------
  logic                           host_start, host_load, host_abort, bad_load, start, clear, busy;
  logic [31:0]                    watchdog, stream_data, stream_addr;
  logic [2:0]                     status;
  logic [3:0]                     error;
  logic [PcBits-1:0]              error_pc;
  logic [6*32-1:0]                counters;
  logic                           prg_we, act_busy, wgt_busy, host_reg_we;
  logic [7:0]                     host_reg_addr;
  logic [31:0]                    host_reg_data, memory_cycles;
  logic [ActColumns-1:0]          load_act_we;
  logic [WgtColumns-1:0]          load_wgt_we;
  logic [ParColumns-1:0]          load_par_we;
  logic [ImageBits-1:0]           load_image, result_image;
  logic [ResAddr-1:0]             result_raddr;
  logic                           result_re;
  logic [LanesIn/OutCycles*AccBits-1:0] result_rdata;
  assign busy_o = status[0];
  nbq_host #(
    .AxiBits(AxiBits), .PeKind(PeKind), .LanesIn(LanesIn), .LanesOut(LanesOut), .Pixels(Pixels),
    .Images(Images), .CodeBits(CodeBits), .MultBits(MultBits), .ActBits(ActBits),
    .ActDigits(ActDigits),
    .AccBits(AccBits), .Broadcast(Broadcast), .OutCycles(OutCycles), .MaxPool(MaxPool),
    .AlignBits(AlignBits), .LeftBits(LeftBits), .ActWords(ActWords),
    .WeightDepth(WeightDepth), .ParamDepth(ParamDepth), .ResultDepth(ResultDepth),
    .ProgramDepth(ProgramDepth),
    .ActColumns(ActColumns), .WgtColumns(WgtColumns), .ParColumns(ParColumns)
  ) u_host (
    .clk_i, .rst_ni, .host_valid_i, .host_ready_o, .host_write_i, .host_addr_i, .host_wdata_i,
    .host_rvalid_o, .host_rdata_o,
    .start_o(host_start), .load_o(host_load), .abort_o(host_abort), .watchdog_o(watchdog),
    .bad_load_o(bad_load),
    .status_i(status), .error_i(error), .error_pc_i(error_pc), .counters_i(counters),
    .reg_we_o(host_reg_we), .reg_addr_o(host_reg_addr), .reg_data_o(host_reg_data),
    .memory_cycles_i(memory_cycles), .act_busy_i(act_busy), .wgt_busy_i(wgt_busy),
    .stream_data_o(stream_data), .stream_addr_o(stream_addr),
    .prg_we_o(prg_we), .act_we_o(load_act_we), .wgt_we_o(load_wgt_we), .par_we_o(load_par_we),
    .load_image_o(load_image), .result_re_o(result_re), .result_image_o(result_image),
    .result_raddr_o(result_raddr),
    .result_rdata_i(result_rdata)
  );

  // What the host writes to memories that nobody else writes arrives a cycle later: the way from the
  // host's registers to block RAMs all over the device is long. Nothing reads it so soon.
  logic                  late_prg_we;
  logic [ParColumns-1:0] late_par_we;
  logic [31:0]           late_data, late_addr;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {late_prg_we, late_par_we} <= '0;
    else {late_prg_we, late_par_we} <= {prg_we, load_par_we};
  end
  always_ff @(posedge clk_i) {late_data, late_addr} <= {stream_data, stream_addr};
  logic unused_late;
  assign unused_late = ^late_addr;  // as wide as the largest memory wants

  logic              done, tile_done, bad_feed, bad_output;
  logic [PcBits-1:0] bad_feed_pc, drain_pc, issue_pc, fetch_pc, cur_pc;
  logic [3:0]        issue_error;
  logic [4:0]        count;
  logic              count_memory, prologue_load;
  nbq_pkg::mem_state_t mem;
  nbq_control #(.Memory(Memory)) u_control (
    .clk_i, .rst_ni, .start_i(host_start), .load_i(host_load), .abort_i(host_abort), .watchdog_i(watchdog),
    .bad_load_i(bad_load), .start_o(start), .clear_o(clear), .busy_o(busy), .done_i(done),
    .tile_done_i(tile_done), .bad_feed_i(bad_feed), .bad_feed_pc_i(bad_feed_pc),
    .bad_output_i(bad_output), .bad_output_pc_i(drain_pc), .issue_error_i(issue_error),
    .issue_pc_i(issue_pc), .count_i(count), .quiet_i(mem.quiet), .load_busy_i(mem.load_busy),
    .beat_i(mem.beat), .bus_error_i(mem.bus_error), .bad_memory_i(mem.bad),
    .count_memory_i(count_memory), .load_o(prologue_load), .memory_cycles_o(memory_cycles),
    .status_o(status), .error_o(error),
    .error_pc_o(error_pc), .counters_o(counters)
  );

  // ---- program --------------------------------------------------------------------------------
  logic                            prg_re, fetch_valid, fetch_overrun, fetch_pop;
  logic [$clog2(ProgramDepth)-1:0] prg_raddr;
  logic [31:0]                     prg_rdata;
  nbq_isa_pkg::instr_t             fetch_instr, cur_instr, drain_instr;
  nbq_ram #(
    .Width(32), .Depth(ProgramDepth), .Init(Preload != 0 ? "program" : "")
  ) u_program (
    .clk_i, .we_i(late_prg_we), .waddr_i(late_addr[$clog2(ProgramDepth)-1:0]),
    .wdata_i(late_data), .re_i(prg_re), .raddr_i(prg_raddr), .rdata_o(prg_rdata)
  );
  nbq_fetch #(.ProgramDepth(ProgramDepth)) u_fetch (
    .clk_i, .rst_ni, .start_i(start), .clear_i(clear), .re_o(prg_re), .raddr_o(prg_raddr),
    .rdata_i(prg_rdata), .valid_o(fetch_valid), .overrun_o(fetch_overrun), .instr_o(fetch_instr),
    .pc_o(fetch_pc), .pop_i(fetch_pop)
  );

  logic           cfg_valid, cfg_take, drain_idle, feed_valid, load, store, freed;
  nbq_pkg::feed_t feed;
  nbq_sequencer #(
    .LanesIn(LanesIn), .LanesOut(LanesOut), .Pixels(Pixels), .OutCycles(OutCycles),
    .ActDigits(ActDigits), .MaxPool(MaxPool != 0), .AlignBits(AlignBits), .LeftBits(LeftBits),
    .Tail(PeLatency + 3),
    .Memory(Memory), .WeightDepth(WeightDepth)
  ) u_sequencer (
    .clk_i, .rst_ni, .clear_i(clear), .busy_i(busy),
    .fetch_valid_i(fetch_valid), .fetch_overrun_i(fetch_overrun), .fetch_instr_i(fetch_instr),
    .fetch_pc_i(fetch_pc), .fetch_pop_o(fetch_pop),
    .cfg_valid_o(cfg_valid), .instr_o(cur_instr), .pc_o(cur_pc), .cfg_take_i(cfg_take),
    .ring_i(mem.ring), .arrived_i(mem.arrived), .stream_done_i(mem.stream_done),
    .load_busy_i(mem.load_busy), .store_busy_i(mem.store_busy), .load_o(load), .store_o(store),
    .free_o(freed), .count_memory_o(count_memory),
    .drain_idle_i(drain_idle), .feed_valid_o(feed_valid), .feed_o(feed), .done_o(done),
    .error_o(issue_error), .issue_pc_o(issue_pc), .count_tap_o(count[0]),
    .count_residual_o(count[1]), .count_drain_o(count[2]), .count_barrier_o(count[3]),
    .count_fetch_o(count[4])
  );

  // ---- from and to external memory --------------------------------------------------------------
  logic [ActColumns-1:0]               in_act_we;
  logic [$clog2(ActWords*Pixels)-1:0]  in_act_slot;
  logic [LoadColumns*32-1:0]           in_act_data;
  logic [ImageBits-1:0]                in_image, out_image;
  logic [WgtColumns-1:0]               in_wgt_we;
  logic [$clog2(WeightDepth)-1:0]      in_wgt_addr;
  logic [WgtColumns*32-1:0]            in_wgt_data;
  logic                                out_re;
  logic [ResAddr-1:0]                  out_raddr;
  logic                                act_we;
  assign mem_result_data_o = result_rdata;
  if (Memory) begin : g_memory
    // A weight word is free only when its tap has read it.
    logic                         free_q;
    logic [nbq_pkg::AddrBits-1:0] free_words_q;
    nbq_delay #(.Width(1), .Cycles(8)) u_free (
      .clk_i, .clear_i(clear), .d_i(freed), .q_o(free_q)
    );
    always_ff @(posedge clk_i) begin
      if (freed) free_words_q <= cur_instr.wgt_words;
    end
    assign mem_ctl_o = {host_reg_we, host_reg_addr, host_reg_data, start, clear,
                        load || prologue_load, store, free_q, free_words_q};
    assign mem         = mem_state_i;
    assign act_busy    = act_we || mem_act_we_i != '0;
    assign wgt_busy    = mem_wgt_we_i != '0;
    assign in_act_we   = mem_act_we_i != '0 ? mem_act_we_i : load_act_we;
    assign in_act_slot = mem_act_we_i != '0 ? mem_act_slot_i
                                            : stream_addr[$clog2(ActWords*Pixels)-1:0];
    // What the host writes is the same in every column; a beat repeats after its own.
    assign in_act_data = mem_act_we_i != '0 ? mem_act_data_i[LoadColumns*32-1:0]
                                            : {LoadColumns{stream_data}};
    assign in_image    = mem_act_we_i != '0 ? mem_act_image_i : load_image;
    assign out_image   = mem_result_read_i ? mem_result_image_i : result_image;
    logic unused_repeat;
    assign unused_repeat = ^mem_act_data_i;
    assign in_wgt_we   = wgt_busy ? mem_wgt_we_i : load_wgt_we;
    assign in_wgt_addr = wgt_busy ? mem_wgt_addr_i : stream_addr[$clog2(WeightDepth)-1:0];
    assign in_wgt_data = wgt_busy ? mem_wgt_data_i : {WgtColumns{stream_data}};
    assign out_re      = mem_result_read_i || result_re;
    assign out_raddr   = mem_result_read_i ? mem_result_word_i : result_raddr;
  end else begin : g_no_memory
    assign mem_ctl_o   = '0;
    // stream_done and quiet; yosys takes no assignment pattern
    assign mem         = {{nbq_pkg::AddrBits{1'b0}}, 1'b0, 1'b1, 1'b0, 1'b0, 1'b1, 3'b000};
    assign act_busy    = act_we;
    assign wgt_busy    = 1'b0;
    assign in_act_we   = load_act_we;
    assign in_act_slot = stream_addr[$clog2(ActWords*Pixels)-1:0];
    assign in_act_data = stream_data;
    assign in_image    = load_image;
    assign out_image   = result_image;
    if (Broadcast >= 1) begin : g_wgt_copy
      // A register beside each column, as far from the host as the memory is.
      logic [WgtColumns-1:0] wgt_we;
      always_ff @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) wgt_we <= '0;
        else wgt_we <= load_wgt_we;
      end
      always_ff @(posedge clk_i) in_wgt_addr <= late_addr[$clog2(WeightDepth)-1:0];
      for (genvar i = 0; i < WgtColumns; i++) begin : g_column
        nbq_copy #(.Width(33)) u_column (
          .clk_i, .d_i({wgt_we[i], late_data}), .q_o({in_wgt_we[i], in_wgt_data[i*32 +: 32]})
        );
      end
    end else begin : g_wgt
      assign in_wgt_we   = load_wgt_we;
      assign in_wgt_addr = stream_addr[$clog2(WeightDepth)-1:0];
      assign in_wgt_data = {WgtColumns{stream_data}};
    end
    assign out_re      = result_re;
    assign out_raddr   = result_raddr;
    logic unused_memory;
    assign unused_memory = ^{mem_state_i, mem_wgt_we_i, mem_wgt_addr_i, mem_wgt_data_i,
                             mem_act_we_i, mem_act_image_i, mem_act_slot_i, mem_act_data_i,
                             mem_result_read_i, mem_result_image_i, mem_result_word_i, load, store, freed, prologue_load, host_reg_we,
                             host_reg_addr, host_reg_data, host_load};
  end
  assign mem_act_ready_o = !act_we;

  // ---- operands -------------------------------------------------------------------------------
  logic [Pixels-1:0]          bank_re, lane_valid;
  logic [Pixels*ActAddr-1:0]  bank_addr;
  logic [Pixels*BankBits-1:0] lane_bank;
  nbq_pkg::op_t               op;
  logic [WgtWidth-1:0]        weights;
  nbq_feed #(
    .Pixels(Pixels), .WeightWidth(WgtWidth), .ActDepth(ActDepth), .ActDigits(ActDigits),
    .WeightDepth(WeightDepth), .Preload(Preload)
  ) u_feed (
    .clk_i, .rst_ni, .clear_i(clear), .valid_i(feed_valid), .feed_i(feed), .bank_re_o(bank_re),
    .bank_addr_o(bank_addr), .lane_valid_o(lane_valid), .lane_bank_o(lane_bank), .op_o(op),
    .weights_o(weights), .bad_o(bad_feed), .bad_pc_o(bad_feed_pc), .wgt_we_i(in_wgt_we),
    .wgt_waddr_i(in_wgt_addr), .wgt_wdata_i(in_wgt_data[WgtWidth-1:0])
  );

  // ---- output ---------------------------------------------------------------------------------
  logic                         drain_start, drain_valid, place_valid, place_last;
  logic [SelBits-1:0]           drain_sel, res_sel;
  logic [BankBits-1:0]          drain_pixel, place_bank, act_bank;
  logic [3:0]                   drain_word;
  logic [nbq_pkg::AddrBits-1:0] par_addr, place_word;
  logic                         raw_we, res_take;
  logic [ResAddr-1:0]           raw_word;
  logic [ActAddr-1:0]           act_word;
  nbq_pkg::scale_t              scale;
  logic [SliceBits-1:0]         slice, res_slice;
  logic [OutLanes*AccBits-1:0]  bias;
  logic [OutLanes*7-1:0]        shift;
  logic [ParColumns*32-1:0]     load_par_data;
  assign load_par_data = {ParColumns{late_data}};
  // With the copy into the drain registers; reading begins the cycle after.
  nbq_delay #(.Width(1), .Cycles(PeLatency)) u_start (
    .clk_i, .clear_i(clear), .d_i(op.tile_last), .q_o(drain_start)
  );
  nbq_drain #(
    .LanesIn(LanesIn), .LanesOut(LanesOut), .Pixels(Pixels), .OutCycles(OutCycles),
    .Flush(9 + ActDigits)
  ) u_drain (
    .clk_i, .rst_ni, .clear_i(clear), .cfg_valid_i(cfg_valid), .instr_i(cur_instr), .pc_i(cur_pc),
    .cfg_take_o(cfg_take), .cfg_o(drain_instr), .pc_o(drain_pc), .idle_o(drain_idle),
    .start_i(drain_start), .tile_done_o(tile_done), .valid_o(drain_valid), .sel_o(drain_sel),
    .pixel_o(drain_pixel), .word_o(drain_word), .slice_o(slice), .par_addr_o(par_addr),
    .place_valid_o(place_valid), .place_last_o(place_last), .place_bank_o(place_bank), .place_word_o(place_word)
  );
  nbq_output #(
    .LanesIn(LanesIn), .LanesOut(LanesOut), .Pixels(Pixels), .OutCycles(OutCycles),
    .AccBits(AccBits),
    .ActDepth(ActDepth), .ActDigits(ActDigits), .ParamDepth(ParamDepth),
    .ResultDepth(ResultDepth), .Preload(Preload)
  ) u_output (
    .clk_i, .clear_i(clear), .cfg_i(drain_instr), .scale_o(scale), .valid_i(drain_valid),
    .sel_i(drain_sel), .slice_i(slice), .par_addr_i(par_addr), .bias_o(bias), .shift_o(shift),
    .place_valid_i(place_valid), .place_last_i(place_last), .place_bank_i(place_bank), .place_word_i(place_word),
    .raw_we_o(raw_we), .raw_word_o(raw_word), .res_take_o(res_take), .res_sel_o(res_sel),
    .res_slice_o(res_slice), .act_we_o(act_we),
    .act_bank_o(act_bank), .act_word_o(act_word), .par_we_i(late_par_we),
    .par_waddr_i(late_addr[$clog2(ParamDepth*OutCycles)-1:0]),
    .par_wdata_i(load_par_data[ParWidth-1:0]), .bad_o(bad_output)
  );

  // ---- images ---------------------------------------------------------------------------------
  // The output stage has the activations' write port first, then the external memory, then the
  // host.
  logic [BankBits-1:0] load_bank;
  assign load_bank = in_act_slot[BankBits-1:0] & BankBits'(Pixels - 1);
  nbq_images #(
    .Images(Images), .Broadcast(Broadcast), .PeKind(PeKind), .Target(Target), .LanesIn(LanesIn),
    .LanesOut(LanesOut), .Pixels(Pixels), .OutCycles(OutCycles), .MaxPool(MaxPool != 0),
    .AlignBits(AlignBits), .LeftBits(LeftBits), .CodeBits(CodeBits), .MultBits(MultBits),
    .ActBits(ActBits), .ActDigits(ActDigits), .AccBits(AccBits), .ActDepth(ActDepth),
    .ResultDepth(ResultDepth), .WgtWidth(WgtWidth), .ActColumns(ActColumns), .LoadColumns(LoadColumns)
  ) u_images (
    .clk_i, .rst_ni, .clear_i(clear), .bank_re_i(bank_re), .bank_addr_i(bank_addr),
    .lane_valid_i(lane_valid), .lane_bank_i(lane_bank), .op_i(op), .weights_i(weights),
    .scale_i(scale), .sel_i(drain_sel), .pixel_i(drain_pixel), .word_i(drain_word),
    .slice_i(slice), .bias_i(bias), .shift_i(shift), .res_take_i(res_take), .res_sel_i(res_sel),
    .res_slice_i(res_slice), .raw_we_i(raw_we),
    .raw_word_i(raw_word), .act_we_i(act_we),
    .act_bank_i(act_we ? act_bank : load_bank),
    .act_word_i(act_we ? act_word : in_act_slot[PixelLog2 +: ActAddr]),
    .load_image_i(in_image), .load_we_i(in_act_we), .load_data_i(in_act_data),
    .result_re_i(out_re), .result_image_i(out_image), .result_raddr_i(out_raddr), .result_rdata_o(result_rdata)
  );
endmodule
