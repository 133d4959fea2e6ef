/// Models of the AMD primitives that rtl/xcup names, for simulation only: as much of them as is used,
/// by the vendor's UG974 and UG579.
module LUT6_2 #(
  parameter logic [63:0] INIT = 64'd0
) (
  input  logic I0, I1, I2, I3, I4, I5,
  output logic O5, O6
);
  assign O5 = INIT[{1'b0, I4, I3, I2, I1, I0}];
  assign O6 = INIT[{I5, I4, I3, I2, I1, I0}];
endmodule

module LUT6 #(
  parameter logic [63:0] INIT = 64'd0
) (
  input  logic I0, I1, I2, I3, I4, I5,
  output logic O
);
  assign O = INIT[{I5, I4, I3, I2, I1, I0}];
endmodule

module CARRY8 (
  input  logic       CI, CI_TOP,
  input  logic [7:0] DI, S,
  output logic [7:0] O, CO
);
  always_comb begin
    logic carry;
    carry = CI;
    for (int unsigned i = 0; i < 8; i++) begin
      O[i]  = S[i] ^ carry;
      carry = S[i] ? carry : DI[i];
      CO[i] = carry;
    end
  end
  logic unused_top;
  assign unused_top = CI_TOP;
endmodule

/// (A + D) * B, plus PCIN, plus P; every register in place.
module DSP48E2 #(
  parameter int unsigned AREG = 1, ACASCREG = 1, BREG = 1, BCASCREG = 1, DREG = 1, ADREG = 1,
  parameter int unsigned MREG = 1, PREG = 1, OPMODEREG = 1,
  parameter string AMULTSEL = "A", BMULTSEL = "B", PREADDINSEL = "A", USE_MULT = "MULTIPLY"
) (
  input  logic CLK,
  input  logic [29:0] A, ACIN,
  input  logic [17:0] B, BCIN,
  input  logic [47:0] C, PCIN,
  input  logic [26:0] D,
  input  logic [3:0]  ALUMODE,
  input  logic [8:0]  OPMODE,
  input  logic [4:0]  INMODE,
  input  logic [2:0]  CARRYINSEL,
  input  logic CARRYIN, CARRYCASCIN, MULTSIGNIN,
  input  logic CEA1, CEA2, CEB1, CEB2, CEC, CED, CEAD, CEM, CEP, CECTRL, CEALUMODE, CECARRYIN,
  input  logic CEINMODE, RSTA, RSTB, RSTC, RSTD, RSTM, RSTP, RSTCTRL, RSTALUMODE, RSTALLCARRYIN,
  input  logic RSTINMODE,
  output logic [47:0] P, PCOUT
);
  localparam bit PreAdd = AMULTSEL == "AD";
  logic signed [26:0] a_q, d_q, ad_q, a;
  logic signed [17:0] b1_q, b2_q;
  logic signed [44:0] m_q;
  logic [8:0]         mode_q;
  logic [47:0]        x, z, w, p_q;
  assign a = PreAdd ? ad_q : a_q;
  assign x = mode_q[3:0] == 4'b0101 ? 48'(m_q) : 48'd0;
  assign z = mode_q[6:4] == 3'b001 ? PCIN : 48'd0;
  assign w = mode_q[8:7] == 2'b01 ? p_q : 48'd0;
  always_ff @(posedge CLK) begin
    a_q    <= A[26:0];
    d_q    <= D;
    ad_q   <= a_q + (INMODE[2] ? d_q : 27'd0);
    b1_q   <= B;
    b2_q   <= BREG == 2 ? b1_q : B;
    m_q    <= 45'(a) * 45'(b2_q);
    mode_q <= OPMODE;
    if (CEP) p_q <= w + x + z;
  end
  assign P     = p_q;
  assign PCOUT = p_q;
endmodule
