/// Weights of one output channel as its elements take them: where an element adds a lane without
/// its sign, the signs of others are relative to that one's (nbq_xcup_quad, nbq_ecp5_svpe). Done
/// once for all pixels. Elements that aren't shaped take weights as they are.
module nbq_recode #(
  parameter int unsigned PeKind   = 0,
  parameter int unsigned Target   = 0,
  parameter int unsigned Lanes    = 0,
  parameter int unsigned CodeBits = 0,
  parameter int unsigned InBits   = 0,
  parameter int unsigned OutBits  = nbq_pkg::pe_weight_bits(PeKind, Target, CodeBits, InBits)
) (
  input  logic [Lanes*InBits-1:0]  w_i,
  output logic [Lanes*OutBits-1:0] w_o
);
  if (PeKind == 0 && CodeBits == 3 && Target == nbq_pkg::Xcup && Lanes > 2) begin : g_xcup
    for (genvar c = 0; c < Lanes; c++) begin : g_lane
      if (c % 4 == 0) begin : g_first
        assign w_o[3*c +: 3] = {w_i[3*c+2] ^ w_i[3*c+11], w_i[3*c +: 2]};
      end else begin : g_other
        assign w_o[3*c +: 3] = w_i[3*c +: 3];
      end
    end
  end else if (PeKind == 0 && CodeBits == 3 && Target == nbq_pkg::Ecp5) begin : g_ecp5
    for (genvar c = 0; c < Lanes; c++) begin : g_lane
      // An even lane follows the odd one beside it. The sign of the pair c / 2 is its odd lane's;
      // taken relative to the pair on the other side of the largest group that begins with it.
      localparam int unsigned Pair  = c / 2;
      localparam int unsigned Other = c % 2 == 0 ? c + 1 : 2 * (Pair & (Pair - 1)) + 1;
      logic       neg;
      logic [1:0] k;
      assign {neg, k} = w_i[3*c +: 3];
      if (c == 1) begin : g_root
        assign w_o[4*c+3] = neg;
      end else begin : g_relative
        assign w_o[4*c+3] = neg ^ w_i[3*Other+2];
      end
      // {not 4x, 2x or 4x, x or 4x}; an odd lane's low bit is x alone, and its 4x is 2x twice.
      assign w_o[4*c +: 3] = {k != 3, k[1], c % 2 == 0 ? k[0] : k == 1};
    end
  end else begin : g_plain
    assign w_o = w_i;
  end
endmodule
