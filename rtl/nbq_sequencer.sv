/// Takes instructions one after the other and issues their feed cycles: for every output row and
/// tile of columns all taps of the reduction, then the residual words. Addresses are only added up.
/// Of activations in two digits it asks for the high ones first: a convolution's in a walk over all taps
/// of their own, as the accumulators go up only once; those of maxima and residual words just before
/// the low one, as both are of whole activations.
///
/// A tile's last tap is held back until the drain registers will be free when its sum arrives; the
/// output stage takes a word every OutCycles cycles without fail, so counting them from the issue
/// is exact.
module nbq_sequencer #(
  parameter int unsigned LanesIn  = 0,
  parameter int unsigned LanesOut = 0,
  parameter int unsigned Pixels   = 0,
  parameter int unsigned OutCycles = 1,  // of a word in the output stage, a power of two
  parameter int unsigned ActDigits = 1,  // of an activation, 1 or 2
  parameter bit          MaxPool  = 1'b1,
  parameter int unsigned AlignBits = 15,
  parameter int unsigned LeftBits = 15,
  parameter int unsigned Tail     = 0,  // cycles for which registers read late stay in use
  parameter bit          Memory   = 1'b0,  // external memory: streamed weights, load, store
  parameter int unsigned WeightDepth = 0
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        clear_i,
  input  logic                        busy_i,  // a program runs
  // next instruction
  input  logic                        fetch_valid_i,
  input  logic                        fetch_overrun_i,
  input  nbq_isa_pkg::instr_t         fetch_instr_i,
  input  logic [nbq_pkg::PcBits-1:0]  fetch_pc_i,
  output logic                        fetch_pop_o,
  // to the output stage: the instruction whose tiles come next; held until taken
  output logic                        cfg_valid_o,
  output nbq_isa_pkg::instr_t         instr_o,
  output logic [nbq_pkg::PcBits-1:0]  pc_o,
  input  logic                        cfg_take_i,
  input  logic                        drain_idle_i,
  // feed
  output logic                        feed_valid_o,
  output nbq_pkg::feed_t              feed_o,
  // external memory
  input  logic [nbq_pkg::AddrBits-1:0] ring_i,  // what follows the last weight word
  input  logic                        arrived_i,      // one streamed weight word more
  input  logic                        stream_done_i,  // the stream's last one is there
  input  logic                        load_busy_i,
  input  logic                        store_busy_i,
  output logic                        load_o,
  output logic                        store_o,
  output logic                        free_o,  // the last tap of instr_o's weight words is issued
  output logic                        count_memory_o,
  // events
  output logic                        done_o,
  output logic [3:0]                  error_o,  // nbq_isa_pkg::Err*, ErrNone without
  output logic [nbq_pkg::PcBits-1:0]  issue_pc_o,  // running, else next
  output logic                        count_tap_o,
  output logic                        count_residual_o,
  output logic                        count_drain_o,
  output logic                        count_barrier_o,
  output logic                        count_fetch_o
);
  localparam int unsigned PosBits   = nbq_pkg::PosBits;
  localparam int unsigned AddrBits  = nbq_pkg::AddrBits;
  localparam int unsigned PixelLog2 = $clog2(Pixels);
  localparam int unsigned MaxWords  = LanesOut / LanesIn;
  localparam int unsigned TailBits  = $clog2(Tail + 1);
  localparam int unsigned OutLog2   = $clog2(OutCycles);
  localparam int unsigned CountBits = 4 + OutLog2;

  nbq_isa_pkg::instr_t        cur_q;
  logic [nbq_pkg::PcBits-1:0] pc_q;
  logic                       run_q, pending_q;

  // ---- between instructions -----------------------------------------------------------------
  nbq_isa_pkg::instr_t nxt;
  logic is_conv, is_pool, is_finish, is_load, is_store, zero_count, too_large, odd_pool, far_shift,
        bad_field;
  logic idle, settled, take, offered, enough, memory_free;
  assign nxt        = fetch_instr_i;
  assign is_conv    = nxt.opcode == nbq_isa_pkg::OpConv;
  assign is_pool    = MaxPool && nxt.opcode == nbq_isa_pkg::OpMaxpool;
  assign is_finish  = nxt.opcode == nbq_isa_pkg::OpFinish;
  assign is_load    = Memory && nxt.opcode == nbq_isa_pkg::OpLoad;
  assign is_store   = Memory && nxt.opcode == nbq_isa_pkg::OpStore;
  assign zero_count = nxt.red_cw == '0 || nxt.terms == '0 || nxt.k_h == '0 || nxt.k_w == '0 ||
                      nxt.out_h == '0 || nxt.out_w == '0 || nxt.out_words == '0;
  assign too_large  = 32'(nxt.pix_log2) > PixelLog2 || 32'(nxt.out_words) > MaxWords;
  assign odd_pool   = is_pool &&
                      (nxt.red_cw != 12'd1 || nxt.terms != 8'd1 || nxt.out_words != 4'd1);
  // Carries and sign of sums, as a comparison with the largest value of a field is none.
  logic [4:0] acc_up, res_up;
  logic [7:0] sum_up;
  assign acc_up    = {1'b0, nxt.res_lsh_acc} + 5'(15 - AlignBits);
  assign res_up    = {1'b0, nxt.res_lsh_res} + 5'(15 - AlignBits);
  assign sum_up    = {nxt.res_rsh[6], nxt.res_rsh} + 8'(LeftBits);
  assign far_shift = nxt.res_en && (acc_up[4] || res_up[4] || sum_up[7]);
  logic unused_up;
  assign unused_up = ^{acc_up, res_up, sum_up};
  assign bad_field  = zero_count || too_large || odd_pool || far_shift;

  assign idle    = busy_i && !run_q && fetch_valid_i;
  // The output stage has taken the instruction before, so cur_q may change.
  assign settled = !pending_q && (drain_idle_i || !(nxt.barrier || is_finish || is_store));
  assign offered = idle && !fetch_overrun_i && settled;
  assign memory_free = !(load_busy_i && (is_load || is_finish)) &&
                       !(store_busy_i && (is_store || is_finish));
  assign take    = offered && (is_conv || is_pool) && !bad_field && enough;
  assign done_o  = offered && is_finish && memory_free;
  assign load_o  = offered && is_load && memory_free;
  assign store_o = offered && is_store && memory_free;
  always_comb begin
    error_o = nbq_isa_pkg::ErrNone;
    if (idle && fetch_overrun_i) error_o = nbq_isa_pkg::ErrOverrun;
    else if (idle && !is_finish && !is_load && !is_store && !is_conv && !is_pool)
      error_o = nbq_isa_pkg::ErrBadOpcode;
    else if (idle && (is_conv || is_pool) && bad_field) error_o = nbq_isa_pkg::ErrBadField;
    else if (idle && (is_conv || is_pool) && !enough && stream_done_i)
      error_o = nbq_isa_pkg::ErrUnderrun;
  end

  // Streamed weight words that have come and that no instruction has claimed.
  if (Memory) begin : g_memory
    logic [AddrBits:0] credit_q;
    assign enough = {1'b0, nxt.wgt_words} <= credit_q;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) credit_q <= '0;
      else if (clear_i) credit_q <= '0;
      else credit_q <= credit_q + (AddrBits+1)'(arrived_i) - (take ? {1'b0, nxt.wgt_words} : '0);
    end
    assign count_memory_o = offered && !(is_finish || is_load || is_store ? memory_free : enough);
  end else begin : g_no_memory
    assign enough         = nxt.wgt_words == '0;
    assign count_memory_o = 1'b0;
    logic unused_memory;
    assign unused_memory = arrived_i ^ (^ring_i);
  end

  assign fetch_pop_o     = take || load_o || store_o;
  assign count_fetch_o   = busy_i && !run_q && !fetch_valid_i;
  assign count_barrier_o = idle && !settled;

  // ---- within an instruction ----------------------------------------------------------------
  logic                is_max, res_phase_q;
  logic [7:0]          kx_q, ky_q, term_q;         // counted up from 0
  logic [11:0]         plane_q, rem_q, rows_q;     // columns, rows still to do, this one included
  logic [3:0]          word_q;
  logic [11:0]         ox_q;
  logic [PosBits-1:0]  x_tile_q, x_q, y_row_q, y_q;
  logic [AddrBits-1:0] row_q, plane_addr_q, addr_q, wgt_q, wgt_next, res_row_q, res_addr_q;
  // The ring of streamed words ends with the memory.
  assign wgt_next = Memory && wgt_q == AddrBits'(WeightDepth - 1) ? ring_i : wgt_q + AddrBits'(1);

  // Whether a counter is at its end is known from when it got there: comparisons before the decision
  // to issue would be the slowest path of the control.
  logic kx_last_q, ky_last_q, plane_last_q, term_last_q, digit_last_q, col_last_q;
  logic each, step, walk_first, walk_last, tap_last, word_last, issue, walk_end, red_end, tile_end, ends, hold;
  logic [7:0]  kx_next, ky_next, term_next, npix_q, npix_next, lanes_q;
  logic [11:0] plane_next, rem_next;
  assign is_max     = MaxPool && cur_q.opcode == nbq_isa_pkg::OpMaxpool;
  assign kx_next    = kx_last_q ? 8'd0 : kx_q + 8'd1;
  assign ky_next    = ky_last_q ? 8'd0 : ky_q + 8'd1;
  assign plane_next = plane_last_q ? 12'd0 : plane_q + 12'd1;
  assign term_next  = term_last_q ? 8'd0 : term_q + 8'd1;
  assign walk_first = kx_q == '0 && ky_q == '0 && plane_q == '0 && term_q == '0;
  assign walk_last  = kx_last_q && ky_last_q && plane_last_q && term_last_q;
  assign tap_last   = walk_last && digit_last_q;
  assign word_last  = word_q + 4'd1 == cur_q.out_words;
  assign npix_next  = take ? 8'd1 << nxt.pix_log2 : npix_q;
  always_comb begin
    if (take) rem_next = nxt.out_w;
    else if (col_last_q) rem_next = cur_q.out_w;
    else rem_next = rem_q - 12'(npix_q);
  end

  // Words that the output stage has yet to read of the tile before, counted as from the issue.
  logic [7:0]          left_pix_q;
  logic [CountBits-1:0] left_word_q;  // cycles of that pixel's words, less 1
  logic [TailBits-1:0] tail_q;
  logic                acc_free, all_free, res_free;
  assign acc_free = left_pix_q == '0 || (left_pix_q == 8'd1 && left_word_q == '0);
  assign all_free = left_pix_q == '0 && tail_q == '0;
  if (OutCycles > 1) begin : g_two_residuals
    // They are copied when the output stage begins with the tile.
    logic [TailBits-1:0] age_q;
    assign res_free = age_q == '0;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) age_q <= '0;
      else if (clear_i) age_q <= '0;
      else if (tile_end) age_q <= TailBits'(Tail);
      else if (age_q != '0) age_q <= age_q - TailBits'(1);
    end
  end else begin : g_one_residual
    assign res_free = all_free;
  end

  // Maxima and residual words have registers that are read later than the accumulators' copies,
  // and are written earlier.
  always_comb begin
    if (res_phase_q) hold = pending_q || !res_free;
    else if (!tap_last) hold = 1'b0;
    else hold = pending_q || !(is_max ? all_free : acc_free);
  end
  assign issue    = run_q && !hold;
  assign each     = ActDigits > 1 && (is_max || res_phase_q);  // digits of each word in a row
  assign step     = issue && (!each || digit_last_q);          // from one word to the next
  assign walk_end = step && !res_phase_q && walk_last;
  assign red_end  = walk_end && digit_last_q;
  assign tile_end = step && (res_phase_q ? word_last : tap_last && !cur_q.res_en);

  assign ends     = tile_end && col_last_q && rows_q == 12'd1;
  assign free_o   = ends;

  assign count_tap_o      = issue && !res_phase_q;
  assign count_residual_o = issue && res_phase_q;
  assign count_drain_o    = run_q && hold;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_q        <= 1'b0;
      pending_q    <= 1'b0;
      feed_valid_o <= 1'b0;
      left_pix_q   <= '0;
      tail_q       <= '0;
    end else if (clear_i) begin
      run_q        <= 1'b0;
      pending_q    <= 1'b0;
      feed_valid_o <= 1'b0;
      left_pix_q   <= '0;
      tail_q       <= '0;
    end else begin
      feed_valid_o <= issue;
      if (take) run_q <= 1'b1;
      else if (ends) run_q <= 1'b0;
      if (take) pending_q <= 1'b1;
      else if (cfg_take_i) pending_q <= 1'b0;

      if (tile_end) left_pix_q <= lanes_q;
      else if (left_pix_q != '0 && left_word_q == '0) left_pix_q <= left_pix_q - 8'd1;
      if (tile_end || left_pix_q != '0) tail_q <= TailBits'(Tail);
      else if (tail_q != '0) tail_q <= tail_q - TailBits'(1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (tile_end || left_word_q == '0)
      left_word_q <= (CountBits'(cur_q.out_words) << OutLog2) - CountBits'(1);
    else left_word_q <= left_word_q - CountBits'(1);
  end

  // Start of the next tile and of the next row.
  logic [PosBits-1:0]  x_left, x_next_tile, y_next_row;
  logic [AddrBits-1:0] row_next, res_row_next;
  assign x_left       = PosBits'(0) - PosBits'(cur_q.pad_x);
  assign x_next_tile  = col_last_q ? x_left
                                 : x_tile_q + (PosBits'(cur_q.stride_x) << cur_q.pix_log2);
  assign y_next_row   = col_last_q ? y_row_q + PosBits'(cur_q.stride_y) : y_row_q;
  assign row_next     = col_last_q ? row_q + AddrBits'(cur_q.in_sy) : row_q;
  assign res_row_next = col_last_q ? res_row_q + AddrBits'(cur_q.res_row) : res_row_q;

  always_ff @(posedge clk_i) begin
    if (take) begin
      cur_q        <= nxt;
      pc_q         <= fetch_pc_i;
      res_phase_q  <= 1'b0;
      kx_q         <= '0;
      ky_q         <= '0;
      plane_q      <= '0;
      term_q       <= '0;
      kx_last_q    <= nxt.k_w == 8'd1;
      ky_last_q    <= nxt.k_h == 8'd1;
      plane_last_q <= nxt.red_cw == 12'd1;
      term_last_q  <= nxt.terms == 8'd1;
      word_q       <= '0;
      ox_q         <= '0;
      rows_q       <= nxt.out_h;
      x_tile_q     <= PosBits'(0) - PosBits'(nxt.pad_x);
      x_q          <= PosBits'(0) - PosBits'(nxt.pad_x);
      y_row_q      <= PosBits'(0) - PosBits'(nxt.pad_y);
      y_q          <= PosBits'(0) - PosBits'(nxt.pad_y);
      row_q        <= nxt.in_base;
      plane_addr_q <= nxt.in_base;
      addr_q       <= nxt.in_base;
      wgt_q        <= nxt.wgt_base;
      res_row_q    <= nxt.res_base;
      res_addr_q   <= nxt.res_base;
    end else if (step) begin
      if (!res_phase_q) begin
        wgt_q <= wgt_next;
        kx_q  <= kx_next;
        x_q   <= kx_last_q ? x_tile_q : x_q + PosBits'(cur_q.dil_x);
        kx_last_q <= kx_next + 8'd1 == cur_q.k_w;
        if (kx_last_q) begin
          ky_q      <= ky_next;
          ky_last_q <= ky_next + 8'd1 == cur_q.k_h;
          y_q       <= ky_last_q ? y_row_q : y_q + PosBits'(cur_q.dil_y);
          addr_q    <= addr_q + AddrBits'(cur_q.in_dy);
          if (ky_last_q) begin
            plane_q      <= plane_next;
            plane_last_q <= plane_next + 12'd1 == cur_q.red_cw;
            plane_addr_q <= plane_last_q ? row_q : plane_addr_q + AddrBits'(cur_q.in_plane);
            addr_q       <= plane_last_q ? row_q : plane_addr_q + AddrBits'(cur_q.in_plane);
            if (plane_last_q) begin
              term_q      <= term_next;
              term_last_q <= term_next + 8'd1 == cur_q.terms;
            end
          end
        end
      end else begin
        word_q     <= word_last ? 4'd0 : word_q + 4'd1;
        res_addr_q <= res_addr_q + AddrBits'(cur_q.res_plane);
      end
      if (walk_end) wgt_q <= cur_q.wgt_base;
      if (red_end) res_phase_q <= cur_q.res_en;
      if (tile_end) begin
        res_phase_q  <= 1'b0;
        x_tile_q     <= x_next_tile;
        x_q          <= x_next_tile;
        y_row_q      <= y_next_row;
        y_q          <= y_next_row;
        row_q        <= row_next;
        plane_addr_q <= row_next;
        addr_q       <= row_next;
        res_row_q    <= res_row_next;
        res_addr_q   <= res_row_next;
        ox_q         <= col_last_q ? 12'd0 : ox_q + 12'(npix_q);
        if (col_last_q) rows_q <= rows_q - 12'd1;
      end
    end
    if (take) digit_last_q <= ActDigits == 1;
    else if (walk_end || (issue && each)) digit_last_q <= ActDigits == 1 || !digit_last_q;
    if (take || tile_end) begin
      npix_q     <= npix_next;
      rem_q      <= rem_next;
      col_last_q <= rem_next <= 12'(npix_next);
      lanes_q    <= rem_next <= 12'(npix_next) ? rem_next[7:0] : npix_next;
    end
  end

  always_ff @(posedge clk_i) begin
    feed_o.residual  <= res_phase_q;
    feed_o.first     <= walk_first && (ActDigits == 1 || is_max || !digit_last_q);
    feed_o.low       <= ActDigits > 1 && digit_last_q;
    feed_o.up        <= ActDigits > 1 && digit_last_q && walk_first;
    feed_o.acc_last  <= !res_phase_q && tap_last;
    feed_o.tile_last <= tile_end;
    feed_o.is_max    <= is_max;
    feed_o.sgn       <= cur_q.in_signed;
    feed_o.row_ok    <= res_phase_q || (!y_q[PosBits-1] && y_q < PosBits'(cur_q.in_h));
    feed_o.lanes     <= lanes_q;
    feed_o.bs        <= res_phase_q ? cur_q.res_bs : cur_q.in_bs;
    feed_o.stride    <= res_phase_q ? 5'd1 : cur_q.stride_x;
    feed_o.x         <= res_phase_q ? PosBits'(ox_q) : x_q;
    feed_o.limit     <= res_phase_q ? cur_q.out_w : cur_q.in_w;
    feed_o.addr      <= res_phase_q ? res_addr_q : addr_q;
    feed_o.wgt       <= wgt_q;
    feed_o.word      <= word_q;
    feed_o.pc        <= pc_q;
  end

  assign cfg_valid_o = pending_q;
  assign instr_o     = cur_q;
  assign pc_o        = pc_q;
  assign issue_pc_o  = run_q ? pc_q : fetch_pc_i;
endmodule
