/// Signed 18 x 18 product in a MULT18X18D with its input, pipeline and output registers: latency 3.
/// yosys infers the multiplier but none of its registers.
module nbq_ecp5_mult (
  input  logic               clk_i,
  input  logic signed [17:0] a_i,
  input  logic signed [17:0] b_i,
  output logic signed [35:0] prod_o
);
  MULT18X18D #(
    .REG_INPUTA_CLK("CLK0"), .REG_INPUTB_CLK("CLK0"), .REG_PIPELINE_CLK("CLK0"),
    .REG_OUTPUT_CLK("CLK0")
  ) u_mult (
    .CLK0(clk_i), .CE0(1'b1), .RST0(1'b0), .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0),
    .SOURCEB(1'b0),
    .A0(a_i[0]), .A1(a_i[1]), .A2(a_i[2]), .A3(a_i[3]), .A4(a_i[4]), .A5(a_i[5]),
    .A6(a_i[6]), .A7(a_i[7]), .A8(a_i[8]), .A9(a_i[9]), .A10(a_i[10]), .A11(a_i[11]),
    .A12(a_i[12]), .A13(a_i[13]), .A14(a_i[14]), .A15(a_i[15]), .A16(a_i[16]), .A17(a_i[17]),
    .B0(b_i[0]), .B1(b_i[1]), .B2(b_i[2]), .B3(b_i[3]), .B4(b_i[4]), .B5(b_i[5]),
    .B6(b_i[6]), .B7(b_i[7]), .B8(b_i[8]), .B9(b_i[9]), .B10(b_i[10]), .B11(b_i[11]),
    .B12(b_i[12]), .B13(b_i[13]), .B14(b_i[14]), .B15(b_i[15]), .B16(b_i[16]), .B17(b_i[17]),
    .P0(prod_o[0]), .P1(prod_o[1]), .P2(prod_o[2]), .P3(prod_o[3]), .P4(prod_o[4]),
    .P5(prod_o[5]), .P6(prod_o[6]), .P7(prod_o[7]), .P8(prod_o[8]), .P9(prod_o[9]),
    .P10(prod_o[10]), .P11(prod_o[11]), .P12(prod_o[12]), .P13(prod_o[13]), .P14(prod_o[14]),
    .P15(prod_o[15]), .P16(prod_o[16]), .P17(prod_o[17]), .P18(prod_o[18]), .P19(prod_o[19]),
    .P20(prod_o[20]), .P21(prod_o[21]), .P22(prod_o[22]), .P23(prod_o[23]), .P24(prod_o[24]),
    .P25(prod_o[25]), .P26(prod_o[26]), .P27(prod_o[27]), .P28(prod_o[28]), .P29(prod_o[29]),
    .P30(prod_o[30]), .P31(prod_o[31]), .P32(prod_o[32]), .P33(prod_o[33]), .P34(prod_o[34]),
    .P35(prod_o[35])
  );
endmodule
