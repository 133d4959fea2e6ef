/// A DSP48E2 that multiplies: P = (A + D) * B, plus the neighbour's P with Cascade, plus its own
/// former P with Accumulate unless first_i. Every register is used: latency 3, 4 with PreAdd. first_i
/// is taken two cycles before the product arrives at P, valid_i one: without it P stays.
module nbq_xcup_dsp #(
  parameter bit PreAdd     = 1'b0,  // D counts
  parameter bit Cascade    = 1'b0,
  parameter bit Accumulate = 1'b0
) (
  input  logic               clk_i,
  input  logic signed [26:0] a_i,
  input  logic signed [26:0] d_i,
  input  logic signed [17:0] b_i,
  input  logic [47:0]        pc_i,   // the neighbour's pc_o
  input  logic               first_i,
  input  logic               valid_i,
  output logic [47:0]        p_o,
  output logic [47:0]        pc_o
);
  logic [8:0] mode;  // {W: 0 or P, Z: 0 or PCIN, Y and X: the product}
  assign mode = {1'b0, Accumulate && !first_i, 2'b00, Cascade, 4'b0101};
  DSP48E2 #(
    .AREG(1), .ACASCREG(1), .BREG(PreAdd ? 2 : 1), .BCASCREG(PreAdd ? 2 : 1), .DREG(1), .ADREG(1),
    .MREG(1), .PREG(1), .OPMODEREG(1), .AMULTSEL(PreAdd ? "AD" : "A"), .BMULTSEL("B"),
    .PREADDINSEL("A"), .USE_MULT("MULTIPLY")
  ) u_dsp (
    .CLK(clk_i), .A({{3{a_i[26]}}, a_i}), .B(b_i), .C(48'd0), .D(d_i), .PCIN(pc_i), .ACIN(30'd0),
    .BCIN(18'd0), .ALUMODE(4'b0000), .OPMODE(mode), .INMODE({2'b00, PreAdd, 2'b00}),
    .CARRYIN(1'b0), .CARRYINSEL(3'b000), .CARRYCASCIN(1'b0), .MULTSIGNIN(1'b0),
    .CEA1(1'b1), .CEA2(1'b1), .CEB1(1'b1), .CEB2(1'b1), .CEC(1'b1), .CED(1'b1), .CEAD(1'b1),
    .CEM(1'b1), .CEP(valid_i), .CECTRL(1'b1), .CEALUMODE(1'b1), .CECARRYIN(1'b1), .CEINMODE(1'b1),
    .RSTA(1'b0), .RSTB(1'b0), .RSTC(1'b0), .RSTD(1'b0), .RSTM(1'b0), .RSTP(1'b0), .RSTCTRL(1'b0),
    .RSTALUMODE(1'b0), .RSTALLCARRYIN(1'b0), .RSTINMODE(1'b0), .P(p_o), .PCOUT(pc_o)
  );
endmodule
