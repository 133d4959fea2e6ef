/// Weights of one output channel as its elements take them: where an element adds a lane without
/// its sign, the signs of others are relative to that one's (nbq_xcup_quad); a code's cases each have a bit
/// (nbq_ecp5_svpe). Done once for all pixels. Elements that aren't shaped take weights as they are.
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
      logic       neg;
      logic [1:0] k;
      assign {neg, k} = w_i[3*c +: 3];
      assign w_o[4*c +: 4] = {neg && k != 0, k != 3, k[1], k == 0};  // not 4x; 2x or 4x; nothing
    end
  end else begin : g_plain
    assign w_o = w_i;
  end
endmodule
