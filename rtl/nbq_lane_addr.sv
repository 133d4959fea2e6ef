/// Column, bank and word of one pixel lane; latency 2.
/// column = x + Lane * stride; bank = (column >> bs) & (Pixels-1);
/// word = addr + xq(column) modulo 2^20, xq as spec/isa.def has it.
module nbq_lane_addr #(
  parameter int unsigned Lane     = 0,
  parameter int unsigned Pixels   = 0,  // a power of two
  parameter int unsigned ActDepth = 0,
  parameter int unsigned BankBits = nbq_pkg::index_bits(Pixels)
) (
  input  logic                        clk_i,
  input  logic                        valid_i,
  input  nbq_pkg::feed_t              feed_i,
  output logic                        valid_o,  // the lane reads: column and row inside the map
  output logic                        bad_o,    // ... a word beyond the memory
  output logic [BankBits-1:0]         bank_o,
  output logic [$clog2(ActDepth)-1:0] word_o
);
  localparam int unsigned PosBits   = nbq_pkg::PosBits;
  localparam int unsigned AddrBits  = nbq_pkg::AddrBits;
  localparam int unsigned PixelLog2 = $clog2(Pixels);

  // Lane * stride as shifts and adds of a constant.
  logic [PosBits-1:0] offset;
  always_comb begin
    offset = '0;
    for (int unsigned b = 0; b < 7; b++) begin
      if (((Lane >> b) & 1) != 0) offset = offset + (PosBits'(feed_i.stride) << b);
    end
  end

  logic [PosBits-1:0]  x_q;
  logic                active_q;
  logic [11:0]         limit_q;
  logic [2:0]          bs_q;
  logic [AddrBits-1:0] addr_q;
  always_ff @(posedge clk_i) begin
    x_q      <= feed_i.x + offset;
    active_q <= valid_i && feed_i.row_ok && 8'(Lane) < feed_i.lanes;
    limit_q  <= feed_i.limit;
    bs_q     <= feed_i.bs;
    addr_q   <= feed_i.addr;
  end

  logic                in_map;
  logic [11:0]         xq, shifted;
  logic [AddrBits-1:0] word;
  assign in_map  = active_q && !x_q[PosBits-1] && x_q < PosBits'(limit_q);
  assign shifted = x_q[11:0] >> bs_q;
  assign xq      = ((shifted >> PixelLog2) << bs_q) | (x_q[11:0] & ~(12'hfff << bs_q));
  assign word    = addr_q + AddrBits'(xq);

  always_ff @(posedge clk_i) begin
    valid_o <= in_map;
    bad_o   <= in_map && 32'(word) >= ActDepth;
    word_o  <= word[$clog2(ActDepth)-1:0];
  end
  if (Pixels > 1) begin : g_bank
    always_ff @(posedge clk_i) bank_o <= shifted[BankBits-1:0];
  end else begin : g_one_bank
    assign bank_o = 1'b0;
  end
endmodule
