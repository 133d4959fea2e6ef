/// Carry chain of Bits slots in CCU2C cells, two a cell. A slot's sum is f(a, b, c, d) ^ carry in;
/// its carry out is f ? carry in : f(a, b, 0, 0). First is the table of slot 0, Rest of the others;
/// bit 8*d + 4*c + 2*b + a of it is f. The chain's carry in is 0.
module nbq_ecp5_carry #(
  parameter int unsigned Bits  = 0,
  parameter logic [15:0] First = 16'h96AA,
  parameter logic [15:0] Rest  = 16'h96AA
) (
  input  logic [Bits-1:0] a_i,
  input  logic [Bits-1:0] b_i,
  input  logic [Bits-1:0] c_i,
  input  logic [Bits-1:0] d_i,
  output logic [Bits-1:0] sum_o
);
  localparam int unsigned Cells = (Bits + 1) / 2;

  if (Bits == 0) begin : g_check
    $error("nbq_ecp5_carry: Bits must be set");
  end
  logic [2*Cells-1:0] a, b, c, d, sum;
  logic [Cells:0]     carry;
  assign a     = (2*Cells)'(a_i);
  assign b     = (2*Cells)'(b_i);
  assign c     = (2*Cells)'(c_i);
  assign d     = (2*Cells)'(d_i);
  assign sum_o = sum[Bits-1:0];
  assign carry[0] = 1'b0;
  for (genvar i = 0; i < Cells; i++) begin : g_cell
    CCU2C #(
      .INIT0(i == 0 ? First : Rest), .INIT1(Rest), .INJECT1_0("NO"), .INJECT1_1("NO")
    ) u_cell (
      .CIN(carry[i]), .A0(a[2*i]), .B0(b[2*i]), .C0(c[2*i]), .D0(d[2*i]),
      .A1(a[2*i+1]), .B1(b[2*i+1]), .C1(c[2*i+1]), .D1(d[2*i+1]),
      .S0(sum[2*i]), .S1(sum[2*i+1]), .COUT(carry[i+1])
    );
  end
  logic unused_top;
  assign unused_top = ^{carry[Cells], sum};
endmodule
