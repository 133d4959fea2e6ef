/// Runs a program: busy / done / error, watchdog, counters. A start, an error, an abort and the
/// reset clear the whole engine for one cycle, so that nothing of an earlier program is left. With
/// external memory a start waits until nothing of that program is on the bus, and an image can be
/// loaded without a program.
module nbq_control #(
  parameter bit Memory = 1'b0  // external memory
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  // host
  input  logic                       start_i,
  input  logic                       load_i,   // an image without a program
  input  logic                       abort_i,
  input  logic [31:0]                watchdog_i,  // 0: off
  input  logic                       bad_load_i,  // a streamed word beyond its memory
  // engine
  output logic                       start_o,
  output logic                       clear_o,
  output logic                       busy_o,
  input  logic                       done_i,
  input  logic                       tile_done_i,
  input  logic                       bad_feed_i,
  input  logic [nbq_pkg::PcBits-1:0] bad_feed_pc_i,
  input  logic                       bad_output_i,
  input  logic [nbq_pkg::PcBits-1:0] bad_output_pc_i,
  input  logic [3:0]                 issue_error_i,
  input  logic [nbq_pkg::PcBits-1:0] issue_pc_i,
  input  logic [4:0]                 count_i,     // tap, residual, drain, barrier, fetch
  // external memory
  input  logic                       quiet_i,
  input  logic                       load_busy_i,
  input  logic                       beat_i,   // a beat on the bus
  input  logic                       bus_error_i,
  input  logic                       bad_memory_i,   // a register leads beyond a memory
  input  logic                       count_memory_i,
  output logic                       load_o,
  output logic [31:0]                memory_cycles_o,
  // status
  output logic [2:0]                 status_o,    // error, done, busy
  output logic [3:0]                 error_o,
  output logic [nbq_pkg::PcBits-1:0] error_pc_o,
  output logic [6*32-1:0]            counters_o   // cycles, then as count_i
);
  logic                       busy_q, done_q, clear_q, start_q, run_q;
  logic [3:0]                 error_q, error_d;
  logic [nbq_pkg::PcBits-1:0] pc_q, pc_d;
  logic [31:0]                idle_q, cycles_q;
  logic                       begins, waits, go, alive, is_load, loaded;

  assign begins   = (start_i || (Memory && load_i)) && !busy_q;
  assign go       = (begins || waits) && quiet_i;
  assign alive    = busy_q && !clear_q;
  assign busy_o   = alive && (!Memory || run_q);
  assign clear_o  = clear_q;
  assign start_o  = start_q;
  assign status_o = {error_q != nbq_isa_pkg::ErrNone, done_q, busy_q};

  always_comb begin
    error_d = nbq_isa_pkg::ErrNone;
    pc_d    = issue_pc_i;
    if (alive && bad_output_i) begin
      error_d = nbq_isa_pkg::ErrBadAddress;
      pc_d    = bad_output_pc_i;
    end else if (alive && bad_feed_i) begin
      error_d = nbq_isa_pkg::ErrBadAddress;
      pc_d    = bad_feed_pc_i;
    end else if (alive && issue_error_i != nbq_isa_pkg::ErrNone) begin
      error_d = issue_error_i;
    end else if (bad_load_i) begin
      error_d = nbq_isa_pkg::ErrBadAddress;
    end else if (alive && bad_memory_i) begin
      error_d = nbq_isa_pkg::ErrBadAddress;
    end else if (alive && bus_error_i) begin
      error_d = nbq_isa_pkg::ErrBus;
    end else if (alive && abort_i) begin
      error_d = nbq_isa_pkg::ErrAborted;
    end else if (alive && watchdog_i != '0 && idle_q >= watchdog_i) begin
      error_d = nbq_isa_pkg::ErrWatchdog;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q   <= 1'b0;
      done_q   <= 1'b0;
      run_q    <= 1'b0;
      start_q  <= 1'b0;
      clear_q  <= 1'b1;
      error_q  <= nbq_isa_pkg::ErrNone;
      pc_q     <= '0;
      idle_q   <= '0;
      cycles_q <= '0;
    end else begin
      start_q <= go && !is_load;
      clear_q <= go && !is_load;
      if (go) run_q <= !is_load;
      if (begins) begin
        busy_q   <= 1'b1;
        done_q   <= 1'b0;
        error_q  <= nbq_isa_pkg::ErrNone;
        pc_q     <= '0;
        idle_q   <= '0;
        cycles_q <= '0;
      end else begin
        if (busy_q) cycles_q <= cycles_q + 32'd1;
        idle_q <= tile_done_i || beat_i ? 32'd0 : idle_q + 32'd1;
        if (error_d != nbq_isa_pkg::ErrNone) begin
          // The first error stands until the next start.
          if (error_q == nbq_isa_pkg::ErrNone) begin
            error_q <= error_d;
            pc_q    <= pc_d;
          end
          busy_q  <= 1'b0;
          done_q  <= 1'b0;
          run_q   <= 1'b0;
          start_q <= 1'b0;
          clear_q <= 1'b1;
        end else if ((busy_o && done_i) || loaded) begin
          busy_q <= 1'b0;
          done_q <= 1'b1;
          run_q  <= 1'b0;
        end
      end
    end
  end

  if (Memory) begin : g_memory
    logic        wait_q, is_load_q, load_q, under_way_q, look_q;
    logic [31:0] count_q;
    assign is_load = begins ? !start_i : is_load_q;
    assign waits   = wait_q;
    assign load_o  = load_q;
    // The load shows as busy two cycles after load_q.
    assign loaded  = look_q && !load_busy_i;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        wait_q      <= 1'b0;
        is_load_q   <= 1'b0;
        load_q      <= 1'b0;
        under_way_q <= 1'b0;
        look_q      <= 1'b0;
        count_q     <= '0;
      end else begin
        wait_q <= (begins || wait_q) && !quiet_i && error_d == nbq_isa_pkg::ErrNone;
        if (begins) is_load_q <= is_load;
        load_q      <= go && is_load && error_d == nbq_isa_pkg::ErrNone;
        under_way_q <= load_q;
        look_q      <= (under_way_q || look_q) && !loaded && error_d == nbq_isa_pkg::ErrNone;
        if (begins) count_q <= '0;
        else if (busy_o && count_memory_i) count_q <= count_q + 32'd1;
      end
    end
    assign memory_cycles_o = count_q;
  end else begin : g_no_memory
    assign is_load         = 1'b0;
    assign waits           = 1'b0;
    assign load_o          = 1'b0;
    assign loaded          = 1'b0;
    assign memory_cycles_o = '0;
    logic unused_memory;
    assign unused_memory = load_busy_i ^ count_memory_i;
  end

  assign counters_o[31:0] = cycles_q;
  for (genvar i = 0; i < 5; i++) begin : g_counter
    logic [31:0] count_q;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) count_q <= '0;
      else if (begins) count_q <= '0;
      else if (busy_o && count_i[i]) count_q <= count_q + 32'd1;
    end
    assign counters_o[32*(i+1) +: 32] = count_q;
  end
  assign error_o    = error_q;
  assign error_pc_o = pc_q;
endmodule
