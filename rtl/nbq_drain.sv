/// Walks over a finished tile: pixel by pixel, word by word, with the place of every word in the
/// output tensor. One word every OutCycles cycles, a slice of its channels a cycle, from the cycle
/// after start_i on; start_i may fall on the last slice of the tile before. Keeps its own copy of the instruction, as the sequencer may be ahead.
module nbq_drain #(
  parameter int unsigned LanesIn  = 0,
  parameter int unsigned LanesOut = 0,
  parameter int unsigned Pixels   = 0,
  parameter int unsigned OutCycles = 1,  // a word, a power of two
  parameter int unsigned Flush    = 0,  // cycles from a word to its landing in memory
  parameter int unsigned Words    = Pixels * LanesOut / LanesIn,
  parameter int unsigned SelBits  = nbq_pkg::index_bits(Words),
  parameter int unsigned BankBits = nbq_pkg::index_bits(Pixels),
  parameter int unsigned SliceBits = nbq_pkg::index_bits(OutCycles)
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic                          clear_i,
  // instruction
  input  logic                          cfg_valid_i,
  input  nbq_isa_pkg::instr_t           instr_i,
  input  logic [nbq_pkg::PcBits-1:0]    pc_i,
  output logic                          cfg_take_o,
  output nbq_isa_pkg::instr_t           cfg_o,
  output logic [nbq_pkg::PcBits-1:0]    pc_o,
  output logic                          idle_o,      // no word of any instruction is under way
  input  logic                          start_i,
  output logic                          tile_done_o,
  // stage 0: word read from the drain registers, parameter word
  output logic                          valid_o,
  output logic [SelBits-1:0]            sel_o,
  output logic [BankBits-1:0]           pixel_o,
  output logic [3:0]                    word_o,
  output logic [SliceBits-1:0]          slice_o,
  output logic [nbq_pkg::AddrBits-1:0]  par_addr_o,
  // stage 2 of every slice: where the word goes
  output logic                          place_valid_o,
  output logic                          place_last_o,  // its last slice
  output logic [BankBits-1:0]           place_bank_o,
  output logic [nbq_pkg::AddrBits-1:0]  place_word_o
);
  localparam int unsigned AddrBits  = nbq_pkg::AddrBits;
  localparam int unsigned PixelLog2 = $clog2(Pixels);
  localparam int unsigned FlushBits = $clog2(Flush + 1);
  localparam int unsigned WordLog2  = $clog2(LanesOut / LanesIn);

  nbq_isa_pkg::instr_t cfg_q;
  logic                busy_q, run_q, over_q;  // over: all tiles read, the last words still land
  logic [FlushBits-1:0] flush_q;
  logic [7:0]           pix_q, lanes_q, npix_q, npix_next;
  logic [3:0]           word_q;
  logic [11:0]          ox_q, rem_q, rem_next, rows_q, x;
  logic [AddrBits-1:0]  row_q, addr_q, addr, par_q;
  logic [SliceBits-1:0] slice_q;
  logic                 slice_last, word_last, pix_last, col_last_q, tile_end, instr_end;

  // Columns of a tile, and whether it is a row's last one, are known when the one before ends: from
  // there to the counters' enables would be the slowest path of the control.
  assign npix_next = cfg_take_o ? 8'd1 << instr_i.pix_log2 : npix_q;
  always_comb begin
    if (cfg_take_o) rem_next = instr_i.out_w;
    else if (col_last_q) rem_next = cfg_q.out_w;
    else rem_next = rem_q - 12'(npix_q);
  end
  always_ff @(posedge clk_i) begin
    if (cfg_take_o || tile_end) begin
      npix_q     <= npix_next;
      rem_q      <= rem_next;
      col_last_q <= rem_next <= 12'(npix_next);
      lanes_q    <= rem_next <= 12'(npix_next) ? rem_next[7:0] : npix_next;
    end
  end
  assign word_last = word_q + 4'd1 == cfg_q.out_words;
  assign pix_last  = pix_q + 8'd1 == lanes_q;
  assign slice_last = slice_q == SliceBits'(OutCycles - 1);
  assign tile_end  = run_q && slice_last && word_last && pix_last;
  assign instr_end = tile_end && col_last_q && rows_q == 12'd1;
  assign addr      = word_q == '0 ? row_q : addr_q;
  assign x         = ox_q + 12'(pix_q);

  assign cfg_take_o  = cfg_valid_i && !busy_q && !clear_i;
  assign idle_o      = !busy_q;
  assign tile_done_o = tile_end;
  assign cfg_o       = cfg_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      run_q   <= 1'b0;
      over_q  <= 1'b0;
      flush_q <= '0;
    end else if (clear_i) begin
      busy_q  <= 1'b0;
      run_q   <= 1'b0;
      over_q  <= 1'b0;
      flush_q <= '0;
    end else begin
      if (cfg_take_o) busy_q <= 1'b1;
      else if (over_q && flush_q == '0) busy_q <= 1'b0;
      if (start_i) run_q <= 1'b1;
      else if (tile_end) run_q <= 1'b0;
      if (instr_end) over_q <= 1'b1;
      else if (flush_q == '0) over_q <= 1'b0;
      if (instr_end) flush_q <= FlushBits'(Flush);
      else if (flush_q != '0) flush_q <= flush_q - FlushBits'(1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (cfg_take_o) slice_q <= '0;
    else if (run_q) slice_q <= slice_last ? '0 : slice_q + SliceBits'(1);
    if (cfg_take_o) begin
      cfg_q  <= instr_i;
      pc_o   <= pc_i;
      pix_q  <= '0;
      word_q <= '0;
      ox_q   <= '0;
      rows_q <= instr_i.out_h;
      row_q  <= instr_i.out_base;
      par_q  <= AddrBits'(instr_i.par_base);
    end else if (run_q && slice_last) begin
      addr_q <= addr + AddrBits'(cfg_q.out_plane);
      word_q <= word_last ? 4'd0 : word_q + 4'd1;
      par_q  <= word_last ? AddrBits'(cfg_q.par_base) : par_q + AddrBits'(1);
      if (word_last) pix_q <= pix_last ? 8'd0 : pix_q + 8'd1;
      if (tile_end) begin
        ox_q <= col_last_q ? 12'd0 : ox_q + 12'(npix_q);
        if (col_last_q) begin
          row_q  <= row_q + AddrBits'(cfg_q.out_row);
          rows_q <= rows_q - 12'd1;
        end
      end
    end
  end

  assign valid_o    = run_q;
  assign par_addr_o = par_q;
  // word p * LanesOut/LanesIn + j; the number of words of a pixel may be no power of two
  logic [SelBits-1:0] pix_word;
  always_comb begin
    pix_word = '0;
    for (int unsigned b = 0; b <= WordLog2; b++) begin
      if ((((LanesOut / LanesIn) >> b) & 1) != 0) pix_word = pix_word + SelBits'(12'(pix_q) << b);
    end
  end
  assign sel_o   = pix_word + SelBits'(word_q);
  assign pixel_o = BankBits'(pix_q);
  assign word_o  = word_q;
  assign slice_o = slice_q;

  // Stages 1 and 2: the column's part of the address.
  logic                run_1q, last_1q;
  logic [11:0]         x_1q, shifted, xq;
  logic [AddrBits-1:0] addr_1q;
  assign shifted = x_1q >> cfg_q.out_bs;
  assign xq      = ((shifted >> PixelLog2) << cfg_q.out_bs) | (x_1q & ~(12'hfff << cfg_q.out_bs));
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_1q        <= 1'b0;
      place_valid_o <= 1'b0;
    end else begin
      run_1q        <= run_q && !clear_i;
      place_valid_o <= run_1q && !clear_i;
    end
  end
  always_ff @(posedge clk_i) begin
    last_1q      <= slice_last;
    place_last_o <= last_1q;
    x_1q         <= x;
    addr_1q      <= addr;
    place_word_o <= addr_1q + (cfg_q.out_raw ? AddrBits'(x_1q) : AddrBits'(xq));
  end
  if (Pixels > 1) begin : g_bank
    always_ff @(posedge clk_i) place_bank_o <= shifted[BankBits-1:0];
  end else begin : g_one_bank
    assign place_bank_o = 1'b0;
  end
endmodule
