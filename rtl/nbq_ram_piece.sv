/// One piece of nbq_ram: an array that logic synthesis maps as a whole. Its columns' first contents
/// come from files <Init>_<Piece, two digits>_<column, three digits>.hex.
module nbq_ram_piece #(
  parameter int unsigned Width    = 0,
  parameter int unsigned Depth    = 0,
  parameter              Init     = "",
  parameter int unsigned Piece    = 0,  // 512 << (Piece - 1) words, if it is full
  parameter int unsigned Columns  = (Width + 31) / 32,
  parameter int unsigned AddrBits = nbq_pkg::index_bits(Depth)
) (
  input  logic                clk_i,
  input  logic [Columns-1:0]  we_i,
  input  logic [AddrBits-1:0] waddr_i,
  input  logic [Width-1:0]    wdata_i,
  input  logic [Columns-1:0]  re_i,
  input  logic [Columns*AddrBits-1:0] raddr_i,
  output logic [Width-1:0]    rdata_o
);
  for (genvar c = 0; c < Columns; c++) begin : g_col
    localparam int unsigned ColWidth = (Width - 32 * c) < 32 ? Width - 32 * c : 32;
    (* no_rw_check = 1 *)
    logic [ColWidth-1:0] mem[0:Depth-1];
    logic [ColWidth-1:0] rdata_q;

    if (Init != "") begin : g_init
      initial begin
        $readmemh({Init, "_", 8'(48 + Piece / 10), 8'(48 + Piece % 10), "_", 8'(48 + c / 100),
                   8'(48 + c / 10 % 10), 8'(48 + c % 10), ".hex"}, mem);
      end
    end
    always_ff @(posedge clk_i) begin
      if (we_i[c]) mem[waddr_i] <= wdata_i[32*c +: ColWidth];
      if (re_i[c]) rdata_q <= mem[raddr_i[c*AddrBits +: AddrBits]];
    end
    assign rdata_o[32*c +: ColWidth] = rdata_q;
  end
endmodule
