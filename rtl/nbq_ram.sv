/// Simple dual-port memory, one clock, synchronous read of latency 1. It is written in columns of
/// 32 bits (the last may be narrower), so that the host can fill wide words without a register
/// that holds a whole one. Reading a word in the cycle it is written gives either value: the
/// engine never uses such a word, and saying so (no_rw_check) keeps yosys from adding a bypass.
module nbq_ram #(
  parameter int unsigned Width    = 0,  // bits, >= 1
  parameter int unsigned Depth    = 0,  // words, a power of two >= 2
  parameter int unsigned Columns  = (Width + 31) / 32,
  parameter int unsigned AddrBits = $clog2(Depth)
) (
  input  logic                clk_i,
  input  logic [Columns-1:0]  we_i,
  input  logic [AddrBits-1:0] waddr_i,
  input  logic [Width-1:0]    wdata_i,
  input  logic                re_i,
  input  logic [AddrBits-1:0] raddr_i,
  output logic [Width-1:0]    rdata_o
);
  if (Width == 0 || Depth < 2 || (Depth & (Depth - 1)) != 0) begin : g_check
    $error("nbq_ram: Width must be set and Depth a power of two");
  end

  for (genvar c = 0; c < Columns; c++) begin : g_col
    localparam int unsigned ColWidth = (Width - 32 * c) < 32 ? Width - 32 * c : 32;
    (* no_rw_check = 1 *)
    logic [ColWidth-1:0] mem[0:Depth-1];
    logic [ColWidth-1:0] rdata_q;

    always_ff @(posedge clk_i) begin
      if (we_i[c]) mem[waddr_i] <= wdata_i[32*c +: ColWidth];
      if (re_i) rdata_q <= mem[raddr_i];
    end
    assign rdata_o[32*c +: ColWidth] = rdata_q;
  end
endmodule
