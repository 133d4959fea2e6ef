/// AXI4 read master for two clients that each read upward from a base. A client grants words as it
/// has room for them, so that data never waits for a client's memory; granted words are gathered
/// into long bursts. Bursts end at lines of 256 beats or 4 KB, whichever is less, so none is too
/// long or crosses a 4 KB boundary. Client 0 goes first.
///
/// clear_i forgets what is granted. Bursts that are already asked for run to their end unseen;
/// quiet_o tells when nothing is under way.
module nbq_axi_read #(
  parameter int unsigned AxiBits     = 0,  // 32..512, a power of two
  parameter int unsigned WordBeats0  = 0,  // beats of a word of client 0
  parameter int unsigned WordBeats1  = 0,
  parameter int unsigned Outstanding = 8,  // bursts, a power of two >= 2
  parameter int unsigned AddrBits    = nbq_pkg::AxiAddrBits
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  clear_i,
  output logic                  quiet_o,
  output logic                  error_o,  // the bus answered with an error
  // clients
  input  logic [1:0]            set_i,    // begin at base_i; nothing of the client's is under way
  input  logic [2*AddrBits-1:0] base_i,   // bytes, multiples of a beat
  input  logic [1:0]            grant_i,  // one word more may be read; only while room_o
  output logic [1:0]            room_o,
  output logic                  valid_o,  // a beat
  output logic                  client_o,
  output logic [AxiBits-1:0]    data_o,
  input  logic                  ready_i,
  // bus
  output logic                  arvalid_o,
  input  logic                  arready_i,
  output logic [AddrBits-1:0]   araddr_o,
  output logic [7:0]            arlen_o,
  input  logic                  rvalid_i,
  output logic                  rready_o,
  input  logic [AxiBits-1:0]    rdata_i,
  input  logic [1:0]            rresp_i,
  input  logic                  rlast_i
);
  localparam int unsigned ByteBits  = $clog2(AxiBits / 8);
  localparam int unsigned LineBeats = 4096 * 8 / AxiBits < 256 ? 4096 * 8 / AxiBits : 256;
  localparam int unsigned LineBits  = $clog2(LineBeats);
  localparam int unsigned BeatBits  = AddrBits - ByteBits;
  localparam int unsigned MostBeats = WordBeats0 > WordBeats1 ? WordBeats0 : WordBeats1;
  localparam int unsigned SumBits   = $clog2(LineBeats + MostBeats + 1);

  // ---- what to ask for next -------------------------------------------------------------------
  logic [1:0]          wants, issue;
  logic [2*BeatBits-1:0] beat;
  logic [2*SumBits-1:0]  len;
  logic                  pick, free;
  for (genvar c = 0; c < 2; c++) begin : g_client
    localparam int unsigned WordBeats = c == 0 ? WordBeats0 : WordBeats1;
    logic [BeatBits-1:0] beat_q;
    logic [SumBits-1:0]  granted_q, line_left, this_len;
    assign line_left = SumBits'(LineBeats) - SumBits'(beat_q[LineBits-1:0]);
    assign this_len  = granted_q < line_left ? granted_q : line_left;
    // A short burst only when nothing more is granted at once.
    assign wants[c]  = granted_q >= line_left || (granted_q != '0 && !grant_i[c]);
    assign room_o[c] = granted_q < SumBits'(LineBeats);
    assign len[c*SumBits +: SumBits]    = this_len;
    assign beat[c*BeatBits +: BeatBits] = beat_q;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) granted_q <= '0;
      else if (clear_i || set_i[c]) granted_q <= '0;
      else granted_q <= granted_q + (grant_i[c] ? SumBits'(WordBeats) : '0) -
                        (issue[c] ? this_len : '0);
    end
    always_ff @(posedge clk_i) begin
      if (set_i[c]) beat_q <= base_i[c*AddrBits + ByteBits +: BeatBits];
      else if (issue[c]) beat_q <= beat_q + BeatBits'(this_len);
    end
    logic unused_base;
    assign unused_base = ^base_i[c*AddrBits +: ByteBits];
  end

  // ---- addresses ------------------------------------------------------------------------------
  logic order_ready, order_valid, order_client, order_pop, flush_q;
  assign pick  = !wants[0];
  assign free  = (!arvalid_o || arready_i) && order_ready && !clear_i && !flush_q;
  assign issue = {free && wants[1] && pick, free && wants[0]};
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) arvalid_o <= 1'b0;
    else if (issue != '0) arvalid_o <= 1'b1;
    else if (arready_i) arvalid_o <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (issue != '0) begin
      araddr_o <= {beat[32'(pick)*BeatBits +: BeatBits], ByteBits'(0)};
      arlen_o  <= 8'(len[32'(pick)*SumBits +: SumBits] - SumBits'(1));
    end
  end
  // Whose burst comes back next: one ID, so in order.
  nbq_fifo #(.Width(1), .Depth(Outstanding)) u_order (
    .clk_i, .rst_ni, .valid_i(issue != '0), .ready_o(order_ready), .data_i(pick),
    .valid_o(order_valid), .ready_i(order_pop), .data_o(order_client)
  );

  // ---- data -----------------------------------------------------------------------------------
  logic beat_valid, beat_last, beat_bad, take;
  nbq_fifo #(.Width(AxiBits + 2), .Depth(2)) u_beats (
    .clk_i, .rst_ni, .valid_i(rvalid_i), .ready_o(rready_o),
    .data_i({rresp_i[1], rlast_i, rdata_i}),
    .valid_o(beat_valid), .ready_i(take), .data_o({beat_bad, beat_last, data_o})
  );
  assign valid_o   = beat_valid && !flush_q && !beat_bad;
  assign client_o  = order_client;
  assign take      = ready_i || flush_q || beat_bad;
  assign order_pop = beat_valid && take && beat_last;
  assign error_o   = beat_valid && beat_bad && !flush_q;
  assign quiet_o   = !order_valid && !flush_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) flush_q <= 1'b0;
    else if (!order_valid) flush_q <= 1'b0;
    else if (clear_i) flush_q <= 1'b1;
  end
  logic unused_resp;
  assign unused_resp = rresp_i[0];
endmodule
