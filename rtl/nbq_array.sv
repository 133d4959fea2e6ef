/// The array: Pixels x LanesOut vector elements of LanesIn lanes, their accumulators, and the
/// drain registers that hold a finished tile while the next one is reduced.
/// Weights are broadcast over pixels, activations over output channels. The drain registers hold
/// the sum that a tap with last_i ends PeLatency + 1 cycles after it came in.
module nbq_array #(
  parameter int unsigned PeKind    = 0,  // 0 shift, 1 multiplier
  parameter int unsigned LanesIn   = 0,
  parameter int unsigned LanesOut  = 0,
  parameter int unsigned Pixels    = 0,
  parameter int unsigned CodeBits  = 0,
  parameter int unsigned MultBits  = 0,  // bits of a multiplier's weight
  parameter int unsigned XBits     = 0,
  parameter int unsigned AccBits   = 0,
  parameter int unsigned PeLatency = 1 + ($clog2(LanesIn) + 1) / 2,
  parameter int unsigned WBits     = PeKind == 0 ? CodeBits : MultBits,
  parameter int unsigned Words     = Pixels * LanesOut / LanesIn,
  parameter int unsigned SelBits   = Words > 1 ? $clog2(Words) : 1
) (
  input  logic                               clk_i,
  input  logic                               clear_i,
  input  logic                               valid_i,  // a tap
  input  logic                               last_i,   // it ends a sum, the next one starts another
  input  logic [Pixels*LanesIn*XBits-1:0]    x_i,
  input  logic [LanesOut*LanesIn*WBits-1:0]  w_i,
  // word sel_i of the drain registers: word of pixel p is p * LanesOut/LanesIn + j
  input  logic [SelBits-1:0]                 sel_i,
  output logic [LanesIn*AccBits-1:0]         word_o
);
  localparam int unsigned SumBits = $clog2(LanesIn) + XBits +
      (PeKind == 0 ? (1 << (CodeBits - 1)) - 2 : MultBits);

  // Aligned with the sums that leave the elements.
  logic valid_s, last_s;
  nbq_delay #(.Width(2), .Cycles(PeLatency)) u_valid (
    .clk_i, .clear_i, .d_i({valid_i, valid_i && last_i}), .q_o({valid_s, last_s})
  );

  logic [Pixels*LanesOut*AccBits-1:0] drain;
  for (genvar p = 0; p < Pixels; p++) begin : g_pixel
    for (genvar m = 0; m < LanesOut; m++) begin : g_out
      logic signed [SumBits-1:0] sum;
      logic                      one;
      logic [AccBits-1:0]        acc_q, drain_q;
      logic [AccBits:0]          acc_d;

      if (PeKind == 0) begin : g_svpe
        nbq_svpe #(.Lanes(LanesIn), .XBits(XBits), .CodeBits(CodeBits)) u_pe (
          .clk_i,
          .x_i(x_i[p*LanesIn*XBits +: LanesIn*XBits]),
          .w_i(w_i[m*LanesIn*WBits +: LanesIn*WBits]),
          .sum_o(sum), .one_o(one)
        );
      end else begin : g_vpe
        nbq_vpe #(.Lanes(LanesIn), .XBits(XBits), .WeightBits(MultBits)) u_pe (
          .clk_i,
          .x_i(x_i[p*LanesIn*XBits +: LanesIn*XBits]),
          .w_i(w_i[m*LanesIn*WBits +: LanesIn*WBits]),
          .sum_o(sum), .one_o(one)
        );
      end

      // As in nbq_tree: the bit below the sum carries `one` in. The last sum goes to the drain
      // register only and leaves 0 behind, which saves a multiplexer before the adder.
      assign acc_d = {acc_q, 1'b1} + {AccBits'(sum), one};
      always_ff @(posedge clk_i) begin
        if (clear_i || last_s) acc_q <= '0;
        else if (valid_s) acc_q <= acc_d[AccBits:1];
        if (last_s) drain_q <= acc_d[AccBits:1];
      end
      logic unused_low;
      assign unused_low = acc_d[0];
      assign drain[(p*LanesOut+m)*AccBits +: AccBits] = drain_q;
    end
  end

  nbq_mux #(.Words(Words), .Width(LanesIn*AccBits)) u_word (
    .sel_i, .words_i(drain), .word_o
  );
endmodule
