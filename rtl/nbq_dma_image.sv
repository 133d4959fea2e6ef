/// Images into the activations: words still to be asked for, words still to come and their place.
module nbq_dma_image #(
  parameter int unsigned AxiBits    = 0,
  parameter int unsigned Images     = 0,
  parameter int unsigned ActWidth   = 0,
  parameter int unsigned ActSlots   = 0,  // words in all banks
  parameter int unsigned ActColumns = (ActWidth + 31) / 32,
  parameter int unsigned ImgBits    = nbq_pkg::index_bits(Images)
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        start_i,
  input  logic                        clear_i,
  input  logic [31:0]                 words_i,  // of one image
  input  logic [31:0]                 slot_i,   // of its first word
  output logic                        busy_o,
  output logic                        bad_o,    // a word beyond the memory
  // reader
  input  logic                        room_i,
  output logic                        grant_o,
  input  logic                        valid_i,
  input  logic [AxiBits-1:0]          data_i,
  // activation memories
  output logic [ActColumns-1:0]       we_o,
  output logic [ImgBits-1:0]          image_o,
  output logic [$clog2(ActSlots)-1:0] slot_o,
  output logic [ActColumns*32-1:0]    data_o,
  input  logic                        ready_i
);
  localparam int unsigned Beats = (ActWidth + AxiBits - 1) / AxiBits;

  logic [31:0]        ask_q, come_q, slot_q;
  logic [ImgBits-1:0] ask_image_q, image_q;
  logic [Beats-1:0]   beat_q;
  logic               beat, word, ask_last, come_last;
  assign grant_o   = ask_q != '0 && room_i;
  assign beat      = valid_i && ready_i;
  assign word      = beat && beat_q[Beats-1];
  assign ask_last  = ask_q == 32'd1;
  assign come_last = come_q == 32'd1;
  assign bad_o     = valid_i && slot_q >= ActSlots;
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
      if (grant_o) begin
        ask_q <= ask_last && ask_image_q != ImgBits'(Images - 1) ? words_i : ask_q - 32'd1;
      end
      if (word) begin
        come_q <= come_last && image_q != ImgBits'(Images - 1) ? words_i : come_q - 32'd1;
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      ask_image_q <= '0;
      image_q     <= '0;
      slot_q      <= slot_i;
      beat_q      <= Beats'(1);
    end else begin
      if (grant_o && ask_last) ask_image_q <= ask_image_q + ImgBits'(1);
      if (beat) beat_q <= Beats'({beat_q, beat_q[Beats-1]});
      if (word) slot_q <= come_last ? slot_i : slot_q + 32'd1;
      if (word && come_last) image_q <= image_q + ImgBits'(1);
    end
  end
  for (genvar i = 0; i < ActColumns; i++) begin : g_column
    assign we_o[i]            = valid_i && !bad_o && beat_q[i*32/AxiBits];
    assign data_o[32*i +: 32] = data_i[(i*32)%AxiBits +: 32];
  end
  assign image_o = image_q;
  assign slot_o  = slot_q[$clog2(ActSlots)-1:0];
  assign busy_o  = come_q != '0;
endmodule
