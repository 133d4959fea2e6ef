/// What the activation banks of every image read: the requests of the pixel lanes sorted by bank.
/// Lanes that are valid in one cycle name distinct banks (the compiler's duty), so the requests of
/// a bank can be merged by OR. Latency 1.
module nbq_bank_addr #(
  parameter int unsigned Pixels   = 0,  // banks and lanes, a power of two
  parameter int unsigned Depth    = 0,  // words of a bank
  parameter int unsigned BankBits = nbq_pkg::index_bits(Pixels),
  parameter int unsigned AddrBits = $clog2(Depth)
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  // lanes
  input  logic [Pixels-1:0]          valid_i,
  input  logic [Pixels*BankBits-1:0] bank_i,
  input  logic [Pixels*AddrBits-1:0] word_i,
  output logic [Pixels-1:0]          valid_o,
  output logic [Pixels*BankBits-1:0] bank_o,
  // banks
  output logic [Pixels-1:0]          re_o,
  output logic [Pixels*AddrBits-1:0] addr_o
);
  for (genvar b = 0; b < Pixels; b++) begin : g_bank
    logic [AddrBits-1:0] addr;
    logic                re;
    always_comb begin
      re   = 1'b0;
      addr = '0;
      for (int unsigned p = 0; p < Pixels; p++) begin
        if (valid_i[p] && bank_i[p*BankBits +: BankBits] == BankBits'(b)) begin
          re   = 1'b1;
          addr = addr | word_i[p*AddrBits +: AddrBits];
        end
      end
    end
    always_ff @(posedge clk_i) begin
      re_o[b] <= re;
      if (re) addr_o[b*AddrBits +: AddrBits] <= addr;
    end
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_o <= '0;
    else valid_o <= valid_i;
  end
  always_ff @(posedge clk_i) bank_o <= bank_i;
endmodule
