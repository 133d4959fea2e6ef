/// Activation banks of one image behind a crossbar: every lane reads one word of C activations a
/// cycle, from the bank that nbq_bank_addr sorted its request to. Latency 2: memory, lane. Idle
/// lanes read 0.
module nbq_act_mem #(
  parameter int unsigned Pixels    = 0,  // banks and lanes, a power of two
  parameter int unsigned WordWidth = 0,  // bits of a word
  parameter int unsigned Depth     = 0,  // words of a bank
  parameter int unsigned Columns   = (WordWidth + 31) / 32,
  parameter int unsigned BankBits  = nbq_pkg::index_bits(Pixels),
  parameter int unsigned AddrBits  = $clog2(Depth)
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  // banks and lanes
  input  logic [Pixels-1:0]           re_i,
  input  logic [Pixels*AddrBits-1:0]  addr_i,
  input  logic [Pixels-1:0]           valid_i,
  input  logic [Pixels*BankBits-1:0]  bank_i,
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
    nbq_ram #(.Width(WordWidth), .Depth(Depth)) u_ram (
      .clk_i,
      .we_i   (wbank_i == BankBits'(b) ? we_i : {Columns{1'b0}}),
      .waddr_i,
      .wdata_i,
      .re_i   (re_i[b]),
      .raddr_i(addr_i[b*AddrBits +: AddrBits]),
      .rdata_o(bank_data[b*WordWidth +: WordWidth])
    );
  end

  for (genvar p = 0; p < Pixels; p++) begin : g_lane
    logic                 valid_q;
    logic [BankBits-1:0]  bank_q;
    logic [WordWidth-1:0] picked, data_q;
    nbq_mux #(.Words(Pixels), .Width(WordWidth)) u_pick (
      .sel_i(bank_q), .words_i(bank_data), .word_o(picked)
    );
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        valid_q    <= 1'b0;
        valid_o[p] <= 1'b0;
      end else begin
        valid_q    <= valid_i[p];
        valid_o[p] <= valid_q;
      end
    end
    always_ff @(posedge clk_i) begin
      bank_q <= bank_i[p*BankBits +: BankBits];
      if (!valid_q) data_q <= '0;
      else data_q <= picked;
    end
    assign data_o[p*WordWidth +: WordWidth] = data_q;
  end
endmodule
