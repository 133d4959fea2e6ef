/// Activation banks behind a crossbar: every lane reads one word of C activations a cycle.
/// Lanes that are valid in one cycle name distinct banks (the compiler's duty), so the requests
/// of a bank can be merged by OR. Latency 3: bank address, memory, lane. Idle lanes read 0.
module nbq_act_mem #(
  parameter int unsigned Pixels    = 0,  // banks and lanes, a power of two
  parameter int unsigned WordWidth = 0,  // bits of a word
  parameter int unsigned Depth     = 0,  // words of a bank
  parameter int unsigned Columns   = (WordWidth + 31) / 32,
  parameter int unsigned BankBits  = Pixels > 1 ? $clog2(Pixels) : 1,
  parameter int unsigned AddrBits  = $clog2(Depth)
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  // lanes
  input  logic [Pixels-1:0]           valid_i,
  input  logic [Pixels*BankBits-1:0]  bank_i,
  input  logic [Pixels*AddrBits-1:0]  word_i,
  output logic [Pixels-1:0]           valid_o,
  output logic [Pixels*WordWidth-1:0] data_o,
  // writes, one bank a cycle
  input  logic [Columns-1:0]          we_i,
  input  logic [BankBits-1:0]         wbank_i,
  input  logic [AddrBits-1:0]         waddr_i,
  input  logic [WordWidth-1:0]        wdata_i
);
  logic [Pixels*WordWidth-1:0] bank_data;

  for (genvar b = 0; b < Pixels; b++) begin : g_bank
    logic [AddrBits-1:0] addr_d, addr_q;
    logic                re_d, re_q;
    always_comb begin
      re_d   = 1'b0;
      addr_d = '0;
      for (int unsigned p = 0; p < Pixels; p++) begin
        if (valid_i[p] && bank_i[p*BankBits +: BankBits] == BankBits'(b)) begin
          re_d   = 1'b1;
          addr_d = addr_d | word_i[p*AddrBits +: AddrBits];
        end
      end
    end
    always_ff @(posedge clk_i) begin
      re_q <= re_d;
      if (re_d) addr_q <= addr_d;
    end
    nbq_ram #(.Width(WordWidth), .Depth(Depth)) u_ram (
      .clk_i,
      .we_i   (wbank_i == BankBits'(b) ? we_i : {Columns{1'b0}}),
      .waddr_i,
      .wdata_i,
      .re_i   (re_q),
      .raddr_i(addr_q),
      .rdata_o(bank_data[b*WordWidth +: WordWidth])
    );
  end

  for (genvar p = 0; p < Pixels; p++) begin : g_lane
    logic                 valid_q, valid_2q;
    logic [BankBits-1:0]  bank_q, bank_2q;
    logic [WordWidth-1:0] picked, data_q;
    nbq_mux #(.Words(Pixels), .Width(WordWidth)) u_pick (
      .sel_i(bank_2q), .words_i(bank_data), .word_o(picked)
    );
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        valid_q    <= 1'b0;
        valid_2q   <= 1'b0;
        valid_o[p] <= 1'b0;
      end else begin
        valid_q    <= valid_i[p];
        valid_2q   <= valid_q;
        valid_o[p] <= valid_2q;
      end
    end
    always_ff @(posedge clk_i) begin
      bank_q  <= bank_i[p*BankBits +: BankBits];
      bank_2q <= bank_q;
      if (!valid_2q) data_q <= '0;
      else data_q <= picked;
    end
    assign data_o[p*WordWidth +: WordWidth] = data_q;
  end
endmodule
