/// AXI4 write master that copies the words of a memory upward from a base: one burst a word, which
/// is padded to a power of two of beats, so that none crosses a 4 KB boundary. The memory has a word in
/// Slices, one behind the other, low one first.
/// clear_i stops after the word under way; quiet_o tells when the last answer is there.
module nbq_axi_write #(
  parameter int unsigned AxiBits  = 0,  // 32..512, a power of two
  parameter int unsigned Width    = 0,  // bits of a word
  parameter int unsigned Slices   = 1,  // of a word, a power of two
  parameter int unsigned Depth    = 0,  // words of the memory
  parameter int unsigned Images   = 0,  // memories, one after the other
  parameter int unsigned Latency  = 0,  // cycles from word_o to data_i
  parameter int unsigned AddrBits = nbq_pkg::AxiAddrBits,
  parameter int unsigned WordBits = nbq_pkg::index_bits(Depth),
  parameter int unsigned MemBits  = nbq_pkg::index_bits(Depth * Slices),
  parameter int unsigned ImgBits  = nbq_pkg::index_bits(Images)
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  clear_i,
  output logic                  quiet_o,
  output logic                  error_o,
  input  logic                  start_i,
  input  logic [AddrBits-1:0]   base_i,   // bytes, a multiple of 4096
  input  logic [WordBits:0]     words_i,  // of each memory, 1..Depth
  output logic                  busy_o,
  // memory
  output logic                  read_o,   // word_o and image_o are this module's
  output logic [ImgBits-1:0]    image_o,
  output logic [MemBits-1:0]    word_o,   // {word, slice}
  input  logic [Width/Slices-1:0] data_i,
  // bus
  output logic                  awvalid_o,
  input  logic                  awready_i,
  output logic [AddrBits-1:0]   awaddr_o,
  output logic [7:0]            awlen_o,
  output logic                  wvalid_o,
  input  logic                  wready_i,
  output logic [AxiBits-1:0]    wdata_o,
  output logic [AxiBits/8-1:0]  wstrb_o,
  output logic                  wlast_o,
  input  logic                  bvalid_i,
  output logic                  bready_o,
  input  logic [1:0]            bresp_i
);
  localparam int unsigned Beats     = 1 << $clog2((Width + AxiBits - 1) / AxiBits);
  localparam int unsigned BeatBits  = nbq_pkg::index_bits(Beats);
  localparam int unsigned WordBytes = Beats * AxiBits / 8;
  localparam int unsigned ByteBits  = $clog2(WordBytes);
  localparam int unsigned Slice     = Width / Slices;
  localparam int unsigned SliceBits = nbq_pkg::index_bits(Slices);
  localparam int unsigned WaitBits  = $clog2(Latency + Slices);

  if (Beats > 256 || WordBytes > 4096) begin : g_check
    $error("nbq_axi_write: a word takes more than a burst: more AxiBits");
  end

  logic                        run_q, stop_q, send_q, last_word_q;
  logic [WaitBits-1:0]         wait_q;
  logic [WordBits:0]           left_q;
  logic [ImgBits-1:0]          image_q;
  logic [WordBits-1:0]         word_q;
  logic [SliceBits-1:0]        slice_q;
  logic [AddrBits-ByteBits-1:0] block_q;
  logic [BeatBits-1:0]         beat_q;
  logic [3:0]                  answers_q;  // outstanding
  logic [Beats*AxiBits-1:0]    data_q;
  logic sent, beat_sent, comes, fetched, ending;

  logic [Width-1:0] gathered;  // with the slice that comes, the latest one highest
  assign beat_sent = wvalid_o && wready_i;
  // Address and data part by part, in any order.
  assign sent    = send_q && (!awvalid_o || awready_i) && (!wvalid_o || (beat_sent && wlast_o));
  assign fetched = run_q && !send_q && wait_q == '0 && answers_q != 4'd15;
  assign comes   = run_q && !send_q && wait_q < WaitBits'(Slices) && (wait_q != '0 || fetched);
  assign ending  = last_word_q || stop_q || clear_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_q     <= 1'b0;
      stop_q    <= 1'b0;
      send_q    <= 1'b0;
      awvalid_o <= 1'b0;
      wvalid_o  <= 1'b0;
      answers_q <= '0;
    end else begin
      if (start_i) run_q <= 1'b1;
      else if (run_q && (send_q ? sent && ending : clear_i)) run_q <= 1'b0;
      stop_q <= busy_o && (stop_q || clear_i);
      if (fetched && !clear_i) send_q <= 1'b1;
      else if (sent) send_q <= 1'b0;
      if (fetched && !clear_i) awvalid_o <= 1'b1;
      else if (awready_i) awvalid_o <= 1'b0;
      if (fetched && !clear_i) wvalid_o <= 1'b1;
      else if (beat_sent && wlast_o) wvalid_o <= 1'b0;
      answers_q <= answers_q + 4'(sent) - 4'(bvalid_i && answers_q != '0);
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      left_q  <= words_i;
      image_q <= '0;
      word_q  <= '0;
      block_q <= base_i[AddrBits-1:ByteBits];
      wait_q  <= WaitBits'(Latency + Slices - 1);
    end else if (sent) begin
      left_q  <= left_q == (WordBits+1)'(1) ? words_i : left_q - (WordBits+1)'(1);
      word_q  <= left_q == (WordBits+1)'(1) ? '0 : word_q + WordBits'(1);
      if (left_q == (WordBits+1)'(1)) image_q <= image_q + ImgBits'(1);
      block_q <= block_q + (AddrBits-ByteBits)'(1);
      wait_q  <= WaitBits'(Latency + Slices - 1);
    end else if (wait_q != '0) begin
      wait_q <= wait_q - WaitBits'(1);
    end
    if (start_i || sent) slice_q <= '0;
    else if (slice_q != SliceBits'(Slices - 1)) slice_q <= slice_q + SliceBits'(1);
    last_word_q <= left_q == (WordBits+1)'(1) && image_q == ImgBits'(Images - 1);
    if (fetched) beat_q <= '0;
    if (comes) begin
      data_q <= (Beats*AxiBits)'(gathered);
    end else if (beat_sent) begin
      data_q <= data_q >> AxiBits;
      beat_q <= beat_q + BeatBits'(1);
    end
  end

  assign read_o   = run_q;
  assign image_o  = image_q;
  if (Slices > 1) begin : g_slices
    assign word_o   = MemBits'({word_q, slice_q});
    assign gathered = {data_i, data_q[Width-1:Slice]};
  end else begin : g_words
    assign word_o   = word_q;
    assign gathered = data_i;
  end
  assign busy_o   = run_q || answers_q != '0;
  assign quiet_o  = !busy_o;
  assign awaddr_o = {block_q, ByteBits'(0)};
  assign awlen_o  = 8'(Beats - 1);
  assign wdata_o  = data_q[AxiBits-1:0];
  assign wstrb_o  = {AxiBits/8{1'b1}};
  assign wlast_o  = beat_q == BeatBits'(Beats - 1);
  assign bready_o = 1'b1;
  assign error_o  = bvalid_i && bresp_i[1] && !stop_q;
  logic unused;
  assign unused = bresp_i[0] ^ (^base_i[ByteBits-1:0]);
endmodule
