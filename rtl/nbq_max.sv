/// Running maximum of every pixel lane and channel; taps outside the map are skipped. A window
/// without any tap inside gives the lowest operand. Latency 1; one more to the drain registers.
module nbq_max #(
  parameter int unsigned LanesIn = 0,
  parameter int unsigned Pixels  = 0,
  parameter int unsigned XBits   = 0,
  parameter int unsigned SelBits = nbq_pkg::index_bits(Pixels)
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  input  logic                            clear_i,
  input  logic                            valid_i,
  input  logic                            first_i,
  input  logic                            last_i,
  input  logic [Pixels-1:0]               lane_valid_i,
  input  logic [Pixels*LanesIn*XBits-1:0] x_i,
  input  logic [SelBits-1:0]              sel_i,
  output logic [LanesIn*XBits-1:0]        word_o
);
  logic last_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) last_q <= 1'b0;
    else last_q <= valid_i && last_i && !clear_i;
  end

  logic [Pixels*LanesIn*XBits-1:0] drain;
  for (genvar p = 0; p < Pixels; p++) begin : g_pixel
    for (genvar c = 0; c < LanesIn; c++) begin : g_in
      localparam logic signed [XBits-1:0] Lowest = {1'b1, {(XBits-1){1'b0}}};
      logic signed [XBits-1:0] x, so_far, max_q, drain_q;
      assign x      = x_i[(p*LanesIn+c)*XBits +: XBits];
      assign so_far = first_i ? Lowest : max_q;
      always_ff @(posedge clk_i) begin
        if (valid_i) max_q <= lane_valid_i[p] && x > so_far ? x : so_far;
        if (last_q) drain_q <= max_q;
      end
      assign drain[(p*LanesIn+c)*XBits +: XBits] = drain_q;
    end
  end
  nbq_mux #(.Words(Pixels), .Width(LanesIn*XBits)) u_word (
    .sel_i, .words_i(drain), .word_o
  );
endmodule
