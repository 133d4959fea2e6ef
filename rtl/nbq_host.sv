/// Host side: registers of spec/isa.def, the stream that fills the memories 32 bits at a time,
/// and the way back from the result memory. A write takes effect the cycle after it is accepted, in
/// program, parameters and weights one or two later, which nothing there is soon enough to see;
/// a write into the activations waits while the output stage writes there, one into a memory that
/// is being filled from external memory, and the first after a change of the address for a cycle
/// in which that address is checked.
module nbq_host #(
  parameter int unsigned AxiBits      = 0,
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
  parameter int unsigned MaxPool      = 0,
  parameter int unsigned AlignBits    = 0,
  parameter int unsigned LeftBits     = 0,
  parameter int unsigned ActWords     = 0,  // of an activation bank
  parameter int unsigned WeightDepth  = 0,
  parameter int unsigned ParamDepth   = 0,
  parameter int unsigned ResultDepth  = 0,
  parameter int unsigned ProgramDepth = 0,
  parameter int unsigned ActColumns   = 0,  // 32-bit columns of a word
  parameter int unsigned WgtColumns   = 0,
  parameter int unsigned ParColumns   = 0,
  parameter int unsigned ImageBits    = nbq_pkg::index_bits(Images),
  parameter int unsigned OutLanes     = LanesIn / OutCycles,  // of a slice of a result word
  parameter int unsigned ResSlices    = ResultDepth * OutCycles,
  parameter int unsigned ResAddr      = nbq_pkg::index_bits(ResSlices)
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  // bus: one access when valid and ready; a read answers later, before the next is accepted
  input  logic                            host_valid_i,
  output logic                            host_ready_o,
  input  logic                            host_write_i,
  input  logic [7:0]                      host_addr_i,
  input  logic [31:0]                     host_wdata_i,
  output logic                            host_rvalid_o,
  output logic [31:0]                     host_rdata_o,
  // control
  output logic                            start_o,
  output logic                            load_o,
  output logic                            abort_o,
  output logic [31:0]                     watchdog_o,
  output logic                            bad_load_o,
  input  logic [2:0]                      status_i,
  input  logic [3:0]                      error_i,
  input  logic [nbq_pkg::PcBits-1:0]      error_pc_i,
  input  logic [6*32-1:0]                 counters_i,
  // external memory
  output logic                            reg_we_o,  // a write to any register
  output logic [7:0]                      reg_addr_o,
  output logic [31:0]                     reg_data_o,
  input  logic [31:0]                     memory_cycles_i,
  // stream: the same 32 bits and address for every memory
  input  logic                            act_busy_i,
  input  logic                            wgt_busy_i,
  output logic [31:0]                     stream_data_o,
  output logic [31:0]                     stream_addr_o,
  output logic                            prg_we_o,
  output logic [ActColumns-1:0]           act_we_o,
  output logic [WgtColumns-1:0]           wgt_we_o,
  output logic [ParColumns-1:0]           par_we_o,
  output logic [ImageBits-1:0]            load_image_o,    // whose activations
  // result memories, latency 2 + Broadcast
  output logic                            result_re_o,
  output logic [ImageBits-1:0]            result_image_o,
  output logic [ResAddr-1:0]              result_raddr_o,
  input  logic [OutLanes*AccBits-1:0]     result_rdata_i
);
  localparam int unsigned MaxColumns  = WgtColumns > ParColumns ?
      (WgtColumns > ActColumns ? WgtColumns : ActColumns) :
      (ParColumns > ActColumns ? ParColumns : ActColumns);
  localparam int unsigned ColBits     = $clog2(MaxColumns + 1);

  // ---- accepted access ------------------------------------------------------------------------
  logic        cmd_valid_q, cmd_write_q, cmd_done;
  logic [7:0]  cmd_addr_q;
  logic [31:0] cmd_data_q;
  logic        write, read;
  assign write        = cmd_valid_q && cmd_write_q;
  assign read         = cmd_valid_q && !cmd_write_q;
  assign host_ready_o = !cmd_valid_q || (cmd_write_q && cmd_done);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) cmd_valid_q <= 1'b0;
    else if (host_ready_o) cmd_valid_q <= host_valid_i;
    else if (cmd_done) cmd_valid_q <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (host_ready_o) begin
      cmd_write_q <= host_write_i;
      cmd_addr_q  <= host_addr_i;
      cmd_data_q  <= host_wdata_i;
    end
  end

  // ---- stream ---------------------------------------------------------------------------------
  logic [1:0]         mem_q;
  logic [31:0]        addr_q, depth, word;
  logic [ColBits-1:0] col_q, columns;
  logic               is_data, data, in_depth, in_depth_q, last_column, moves, checked_q;
  always_comb begin
    unique case (mem_q)
      nbq_isa_pkg::MemProgram: {depth, columns} = {ProgramDepth, ColBits'(1)};
      nbq_isa_pkg::MemWeights: {depth, columns} = {WeightDepth, ColBits'(WgtColumns)};
      nbq_isa_pkg::MemParams:  {depth, columns} = {ParamDepth * OutCycles, ColBits'(ParColumns)};
      default:                 {depth, columns} = {ActWords, ColBits'(ActColumns)};
    endcase
  end
  assign is_data = write && cmd_addr_q == nbq_isa_pkg::RegStreamData;
  assign data    = is_data && cmd_done;
  // Activations: image, word, bank.
  localparam int unsigned ActShift = $clog2(Pixels) + $clog2(ActWords);
  logic is_act, in_images;
  assign is_act       = mem_q == nbq_isa_pkg::MemActivations;
  assign word         = is_act ? 32'(addr_q[ActShift-1:0]) >> $clog2(Pixels) : addr_q;
  assign in_images    = !is_act || addr_q >> ActShift < Images;
  assign in_depth     = word < depth && in_images;
  assign load_image_o = ImageBits'(addr_q >> ActShift);
  // The check takes a cycle of its own: comparisons of 32 bits before every memory's write enable
  // would be the slowest path of the engine.
  assign last_column = col_q + ColBits'(1) == columns;
  assign moves       = (write && (cmd_addr_q == nbq_isa_pkg::RegStreamMem ||
                                  cmd_addr_q == nbq_isa_pkg::RegStreamAddr)) ||
                       (data && last_column);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) checked_q <= 1'b0;
    else checked_q <= !moves;
  end
  always_ff @(posedge clk_i) in_depth_q <= in_depth;
  assign bad_load_o    = data && !in_depth_q;
  assign stream_data_o = cmd_data_q;
  assign stream_addr_o = addr_q;
  assign prg_we_o = data && in_depth_q && mem_q == nbq_isa_pkg::MemProgram;
  for (genvar i = 0; i < ActColumns; i++) begin : g_act
    assign act_we_o[i] = data && in_depth_q && mem_q == nbq_isa_pkg::MemActivations &&
                         col_q == ColBits'(i);
  end
  for (genvar i = 0; i < WgtColumns; i++) begin : g_wgt
    assign wgt_we_o[i] = data && in_depth_q && mem_q == nbq_isa_pkg::MemWeights &&
                         col_q == ColBits'(i);
  end
  for (genvar i = 0; i < ParColumns; i++) begin : g_par
    assign par_we_o[i] = data && in_depth_q && mem_q == nbq_isa_pkg::MemParams &&
                         col_q == ColBits'(i);
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      mem_q  <= '0;
      addr_q <= '0;
      col_q  <= '0;
    end else if (write && cmd_addr_q == nbq_isa_pkg::RegStreamMem) begin
      mem_q <= cmd_data_q[1:0];
      col_q <= '0;
    end else if (write && cmd_addr_q == nbq_isa_pkg::RegStreamAddr) begin
      addr_q <= cmd_data_q;
      col_q  <= '0;
    end else if (data) begin
      col_q <= last_column ? '0 : col_q + ColBits'(1);
      if (last_column) addr_q <= addr_q + 32'd1;
    end
  end

  // ---- results --------------------------------------------------------------------------------
  // Address: image, word of C channels, channel, half of a value. A word's slices lie one behind the other.
  localparam int unsigned LaneBits       = $clog2(OutLanes);
  localparam int unsigned WordBits       = ResSlices > 1 ? ResAddr : 0;
  localparam int unsigned ResultAddrBits = ImageBits + WordBits + LaneBits + 1;
  logic [ResultAddrBits-1:0] result_q;
  logic [2:0]                settle_q;  // cycles until the word that is being read is there
  logic signed [AccBits-1:0] value;
  logic [63:0]               value_ext;
  logic                      is_result;
  assign is_result      = cmd_addr_q == nbq_isa_pkg::RegResultData;
  assign result_re_o    = read && is_result;
  if (ResSlices == 1) begin : g_one_word
    assign result_raddr_o = 1'b0;
  end else begin : g_words
    assign result_raddr_o = result_q[LaneBits+1 +: WordBits];
  end
  assign result_image_o = result_q[LaneBits+1+WordBits +: ImageBits];
  assign value_ext      = 64'(value);
  if (OutLanes > 1) begin : g_lanes
    nbq_mux #(.Words(OutLanes), .Width(AccBits)) u_lane (
      .sel_i(result_q[LaneBits:1]), .words_i(result_rdata_i), .word_o(value)
    );
  end else begin : g_lane
    assign value = result_rdata_i;
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) result_q <= '0;
    else if (write && cmd_addr_q == nbq_isa_pkg::RegResultAddr) result_q <= cmd_data_q[ResultAddrBits-1:0];
    else if (result_re_o && cmd_done) result_q <= result_q + ResultAddrBits'(1);
  end
  always_ff @(posedge clk_i) begin
    if (!result_re_o) settle_q <= 3'd2 + 3'(Broadcast);
    else if (settle_q != '0) settle_q <= settle_q - 3'd1;
  end

  // ---- registers ------------------------------------------------------------------------------
  logic [31:0] rdata;
  always_comb begin
    if (is_data) cmd_done = checked_q && !(act_busy_i && mem_q == nbq_isa_pkg::MemActivations) &&
                            !(wgt_busy_i && mem_q == nbq_isa_pkg::MemWeights);
    else if (result_re_o) cmd_done = settle_q == '0;
    else cmd_done = 1'b1;
  end
  always_comb begin
    case (cmd_addr_q)
      nbq_isa_pkg::RegId:             rdata = 32'h4E42_5133;
      nbq_isa_pkg::RegLanes:          rdata = (LanesOut << 16) | LanesIn;
      nbq_isa_pkg::RegWidths:         rdata = (PeKind << 28) | (Pixels << 16) | (CodeBits << 12) |
                                              (ActBits << 6) | AccBits;
      nbq_isa_pkg::RegImages:         rdata = ($clog2(OutCycles) << 28) | (MaxPool << 27) |
                                              ((ActDigits - 1) << 26) |
                                              (Broadcast << 24) | (MultBits << 16) |
                                              (LeftBits << 12) | (AlignBits << 8) | Images;
      nbq_isa_pkg::RegStatus:         rdata = 32'(status_i);
      nbq_isa_pkg::RegError:          rdata = 32'(error_i);
      nbq_isa_pkg::RegErrorPc:        rdata = 32'(error_pc_i);
      nbq_isa_pkg::RegWatchdog:       rdata = watchdog_o;
      nbq_isa_pkg::RegCycles:         rdata = counters_i[0*32 +: 32];
      nbq_isa_pkg::RegBusyCycles:     rdata = counters_i[1*32 +: 32];
      nbq_isa_pkg::RegResidualCycles: rdata = counters_i[2*32 +: 32];
      nbq_isa_pkg::RegDrainCycles:    rdata = counters_i[3*32 +: 32];
      nbq_isa_pkg::RegBarrierCycles:  rdata = counters_i[4*32 +: 32];
      nbq_isa_pkg::RegFetchCycles:    rdata = counters_i[5*32 +: 32];
      nbq_isa_pkg::RegAxiBits:        rdata = AxiBits;
      nbq_isa_pkg::RegMemoryCycles:   rdata = memory_cycles_i;
      nbq_isa_pkg::RegResultData:     rdata = result_q[0] ? value_ext[63:32] : value_ext[31:0];
      default:                        rdata = '0;
    endcase
  end
  assign start_o = write && cmd_addr_q == nbq_isa_pkg::RegCtrl && cmd_data_q[0];
  assign load_o  = write && cmd_addr_q == nbq_isa_pkg::RegCtrl && cmd_data_q[2];
  assign abort_o = write && cmd_addr_q == nbq_isa_pkg::RegCtrl && cmd_data_q[1];
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      watchdog_o    <= '0;
      host_rvalid_o <= 1'b0;
    end else begin
      if (write && cmd_addr_q == nbq_isa_pkg::RegWatchdog) watchdog_o <= cmd_data_q;
      host_rvalid_o <= read && cmd_done;
    end
  end
  always_ff @(posedge clk_i) host_rdata_o <= rdata;
  assign reg_we_o   = write;
  assign reg_addr_o = cmd_addr_q;
  assign reg_data_o = cmd_data_q;
endmodule
