/// The weight stream: words still to be asked for, free places of the ring, words still to come.
/// The ring is the weight memory from ring_i to its end. A word is asked for only when its place is
/// free, so weights never block the bus.
module nbq_dma_weights #(
  parameter int unsigned AxiBits     = 0,
  parameter int unsigned WgtWidth    = 0,
  parameter int unsigned WeightDepth = 0,
  parameter int unsigned WgtColumns  = (WgtWidth + 31) / 32
) (
  input  logic                           clk_i,
  input  logic                           rst_ni,
  input  logic                           start_i,
  input  logic                           clear_i,
  input  logic [31:0]                    words_i,
  input  logic [nbq_pkg::AddrBits-1:0]   ring_i,
  input  logic                           free_i,
  input  logic [nbq_pkg::AddrBits-1:0]   free_words_i,
  output logic                           arrived_o,      // a word can be read
  output logic                           stream_done_o,  // the last one
  // reader
  input  logic                           room_i,
  output logic                           grant_o,
  input  logic                           beat_i,
  input  logic [AxiBits-1:0]             data_i,
  // weight memory
  output logic [WgtColumns-1:0]          we_o,
  output logic [$clog2(WeightDepth)-1:0] addr_o,
  output logic [WgtColumns*32-1:0]       data_o
);
  localparam int unsigned Beats     = (WgtWidth + AxiBits - 1) / AxiBits;
  localparam int unsigned RingBits  = $clog2(WeightDepth);
  localparam int unsigned SpaceBits = nbq_pkg::AddrBits + 1;

  logic [Beats-1:0]     beat_q;  // one-hot: the beat of a word that comes next
  logic [31:0]          ask_q, come_q;
  logic [SpaceBits-1:0] space_q;
  logic [RingBits-1:0]  place_q;
  logic                 word;
  assign grant_o = ask_q != '0 && space_q != '0 && room_i;
  assign word    = beat_i && beat_q[Beats-1];
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ask_q  <= '0;
      come_q <= '0;
    end else if (start_i) begin
      ask_q  <= words_i;
      come_q <= words_i;
    end else if (clear_i) begin
      ask_q  <= '0;
      come_q <= '0;
    end else begin
      if (grant_o) ask_q <= ask_q - 32'd1;
      if (word) come_q <= come_q - 32'd1;
    end
  end
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      space_q <= SpaceBits'(WeightDepth) - SpaceBits'(ring_i);
      place_q <= ring_i[RingBits-1:0];
      beat_q  <= Beats'(1);
    end else begin
      space_q <= space_q + (free_i ? {1'b0, free_words_i} : '0) - SpaceBits'(grant_o);
      if (beat_i) beat_q <= Beats'({beat_q, beat_q[Beats-1]});
      if (word) begin
        place_q <= place_q == RingBits'(WeightDepth - 1) ? ring_i[RingBits-1:0]
                                                         : place_q + RingBits'(1);
      end
    end
  end

  // One register on the way to the memory, which may lie far away.
  logic [Beats-1:0]   we_q;
  logic [AxiBits-1:0] data_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      we_q          <= '0;
      arrived_o     <= 1'b0;
      stream_done_o <= 1'b0;
    end else begin
      we_q          <= beat_i ? beat_q : '0;
      arrived_o     <= word && !clear_i;
      stream_done_o <= come_q == '0 && !start_i;
    end
  end
  always_ff @(posedge clk_i) begin
    data_q <= data_i;
    addr_o <= place_q;
  end
  for (genvar i = 0; i < WgtColumns; i++) begin : g_column
    assign we_o[i]            = we_q[i*32/AxiBits];
    assign data_o[32*i +: 32] = data_q[(i*32)%AxiBits +: 32];
  end
endmodule
