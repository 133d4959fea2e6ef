/// Carry chain over Width bits: sum = s ^ carries, carry of bit i is s[i] ? carry in : d[i].
module nbq_xcup_carry #(
  parameter int unsigned Width = 0
) (
  input  logic             carry_i,
  input  logic [Width-1:0] s_i,
  input  logic [Width-1:0] d_i,
  output logic [Width-1:0] sum_o
);
  localparam int unsigned Blocks = (Width + 7) / 8;

  if (Width == 0) begin : g_check
    $error("nbq_xcup_carry: Width must be set");
  end
  logic [8*Blocks-1:0] s, d, sum, carry;
  assign s     = (8*Blocks)'(s_i);
  assign d     = (8*Blocks)'(d_i);
  assign sum_o = sum[Width-1:0];
  for (genvar b = 0; b < Blocks; b++) begin : g_block
    logic carry_in;
    if (b == 0) begin : g_first
      assign carry_in = carry_i;
    end else begin : g_next
      assign carry_in = carry[8*b-1];
    end
    CARRY8 u_carry (
      .CI(carry_in), .CI_TOP(1'b0), .DI(d[8*b +: 8]), .S(s[8*b +: 8]), .O(sum[8*b +: 8]),
      .CO(carry[8*b +: 8])
    );
  end
  logic unused_top;
  assign unused_top = ^{carry[8*Blocks-1], sum};
endmodule
