/// Models of the Lattice primitives that rtl/ecp5 names, for simulation only: as much of them as is
/// used, by FPGA-TN-02200 and yosys's cells_sim.v.
module LUT4 #(
  parameter logic [15:0] INIT = 16'd0
) (
  input  logic A, B, C, D,
  output logic Z
);
  assign Z = INIT[{D, C, B, A}];
endmodule

module CCU2C #(
  parameter logic [15:0] INIT0 = 16'd0,
  parameter logic [15:0] INIT1 = 16'd0,
  parameter string INJECT1_0 = "YES",
  parameter string INJECT1_1 = "YES"
) (
  input  logic CIN, A0, B0, C0, D0, A1, B1, C1, D1,
  output logic S0, S1, COUT
);
  logic f0, f1, carry;
  assign f0    = INIT0[{D0, C0, B0, A0}];
  assign f1    = INIT1[{D1, C1, B1, A1}];
  assign S0    = f0 ^ CIN;
  assign carry = f0 ? CIN : INIT0[{2'b00, B0, A0}];
  assign S1    = f1 ^ carry;
  assign COUT  = f1 ? carry : INIT1[{2'b00, B1, A1}];
endmodule

/// Signed product; every register in place.
module MULT18X18D #(
  parameter string REG_INPUTA_CLK = "NONE", REG_INPUTB_CLK = "NONE", REG_PIPELINE_CLK = "NONE",
  parameter string REG_OUTPUT_CLK = "NONE"
) (
  input  logic CLK0, CE0, RST0, SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
  input  logic A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17,
  input  logic B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13, B14, B15, B16, B17,
  output logic P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11,
  output logic P12, P13, P14, P15, P16, P17, P18, P19, P20, P21, P22, P23,
  output logic P24, P25, P26, P27, P28, P29, P30, P31, P32, P33, P34, P35
);
  logic signed [17:0] a_q, b_q;
  logic signed [35:0] m_q, p_q;
  always_ff @(posedge CLK0) begin
    a_q <= {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
    b_q <= {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
    m_q <= a_q * b_q;
    p_q <= m_q;
  end
  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24,
          P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13, P12,
          P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = p_q;
endmodule
