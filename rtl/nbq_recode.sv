/// Weights of one output channel as its elements take them: where an element adds a lane without
/// its sign, the signs of others are relative to that one's (nbq_xcup_quad, nbq_ecp5_svpe). Done
/// once for all pixels. Elements that aren't shaped take weights as they are.
module nbq_recode #(
  parameter int unsigned PeKind    = 0,
  parameter int unsigned Target    = 0,
  parameter int unsigned Lanes     = 0,
  parameter int unsigned CodeBits  = 0,
  parameter int unsigned InBits    = 0,
  parameter bit          BothSigns = 1'b0,  // nbq_ecp5_svpe's last adder takes both signs
  parameter int unsigned OutBits   = nbq_pkg::pe_weight_bits(PeKind, Target, CodeBits, InBits)
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
    // A group's sign is its second lane's, and its other lanes' are relative to that. It is itself relative to
    // the sum that the group's is added to: within eight lanes the first group's; for a first group, or
    // where all are pairs, the sum on the other side of the largest one that begins with it.
    localparam int unsigned Span   = Lanes < 8 ? 2 : 8;
    localparam int unsigned Second = Lanes == 4 ? 3 : Lanes == 8 ? 7 : Lanes / 2 + 1;
    for (genvar c = 0; c < Lanes; c++) begin : g_lane
      localparam int unsigned Place = nbq_pkg::ecp5_place(Lanes, c);
      localparam int unsigned Sum   = c / Span;
      localparam int unsigned Other = Place != 1 ? c - Place + 1 :
          c % Span != 1 ? Span * Sum + 1 : Span * (Sum & (Sum - 1)) + 1;
      logic       neg;
      logic [1:0] k;
      assign {neg, k} = w_i[3*c +: 3];
      logic relative;
      if (c == 1 || (BothSigns && Lanes > 2 && c == Second)) begin : g_own
        assign relative = neg;
      end else begin : g_relative
        assign relative = neg ^ w_i[3*Other+2];
      end
      if (Place == 2) begin : g_third
        assign w_o[4*c +: 4] = {relative && k != 0, k != 3, k[1], k == 0};
      end else begin : g_other
        assign w_o[4*c +: 4] = {relative, k != 3, k};
      end
    end
  end else begin : g_plain
    assign w_o = w_i;
  end
endmodule
