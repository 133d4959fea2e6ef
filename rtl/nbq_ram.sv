/// Simple dual-port memory of any depth, one clock, synchronous read of latency 1. It is written in
/// columns of 32 bits (the last may be narrower), so that the host can fill wide words without a
/// register that holds a whole one. Reading a word in the cycle it is written gives either value:
/// the engine never uses such a word, and saying so (no_rw_check) keeps yosys from adding a bypass.
/// With Early the request to read comes a cycle before, latency 2, and each column has its own register
/// for it: a wide memory lies all over a device, and from one register to all of it is a long way.
///
/// Block memories come in powers of two; logic synthesis rounds a depth up to one, or stacks equal
/// blocks behind wide multiplexers. So a deep memory is split here: as many blocks of BlockWords as
/// it needs, and of these one piece for every power of two in their number, largest first. 4608
/// words are one piece of 4096 and one of 512: 9 blocks of 32 bits and one two-way multiplexer. Only
/// the piece that a word lies in is read.
module nbq_ram #(
  parameter int unsigned Width    = 0,  // bits, >= 1
  parameter int unsigned Depth    = 0,  // words, >= 2
  parameter              Init     = "", // file name's beginning of its first contents, or none
  parameter bit          Early    = 1'b0,
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
  localparam int unsigned BlockWords = 512;  // of the widest form of a block memory (36 bits)
  localparam int unsigned Blocks     = (Depth + BlockWords - 1) / BlockWords;
  localparam int unsigned Sizes      = $clog2(Blocks + 1);
  localparam int unsigned PickBits   = 128;

  if (Width == 0 || Depth < 2) begin : g_check
    $error("nbq_ram: Width must be set and Depth be 2 at least");
  end

  logic [Columns-1:0]          re;
  logic [Columns*AddrBits-1:0] raddr;
  for (genvar c = 0; c < Columns; c++) begin : g_request
    if (Early) begin : g_early
      nbq_copy #(.Width(1 + AddrBits)) u_request (
        .clk_i, .d_i({re_i, raddr_i}), .q_o({re[c], raddr[c*AddrBits +: AddrBits]})
      );
    end else begin : g_now
      assign re[c]                         = re_i;
      assign raddr[c*AddrBits +: AddrBits] = raddr_i;
    end
  end

  // The result of the pieces so far, from the smallest up. Piece s starts at the multiple of twice
  // its size that the larger ones fill.
  for (genvar s = 0; s <= Sizes; s++) begin : g_upto
    logic [Width-1:0] rdata;
    if (s == 0) begin : g_none
      assign rdata = '0;
    end else if (((Blocks >> (s - 1)) & 1) == 0) begin : g_absent
      assign rdata = g_upto[s-1].rdata;
    end else begin : g_piece
      localparam int unsigned First = (Blocks >> s) * 2;  // in units of the piece's size
      localparam int unsigned Start = First * (BlockWords << (s - 1));
      localparam int unsigned Words =
          Depth - Start < (BlockWords << (s - 1)) ? Depth - Start : BlockWords << (s - 1);
      localparam int unsigned Bits  = nbq_pkg::index_bits(Words);
      localparam int unsigned UnitBits = $clog2(BlockWords) + s - 1;
      logic [Width-1:0]        own;
      logic [Columns-1:0]      own_re;
      logic [Columns*Bits-1:0] own_raddr;
      logic                    we_here;
      for (genvar c = 0; c < Columns; c++) begin : g_column
        assign own_re[c] = re[c] && 32'(raddr[c*AddrBits +: AddrBits]) >> UnitBits == First;
        assign own_raddr[c*Bits +: Bits] = raddr[c*AddrBits +: Bits];
      end
      assign we_here = 32'(waddr_i) >> UnitBits == First;
      nbq_ram_piece #(.Width(Width), .Depth(Words), .Init(Init), .Piece(s)) u_piece (
        .clk_i, .we_i(we_here ? we_i : {Columns{1'b0}}), .waddr_i(waddr_i[Bits-1:0]), .wdata_i,
        .re_i(own_re), .raddr_i(own_raddr), .rdata_o(own)
      );
      if ((Blocks & ((1 << (s - 1)) - 1)) == 0) begin : g_smallest
        assign rdata = own;
      end else begin : g_pick
        // One choice for 128 bits: from a single register to all of a wide word is a long way.
        for (genvar i = 0; i < Width; i = i + PickBits) begin : g_part
          localparam int unsigned Part = Width - i < PickBits ? Width - i : PickBits;
          logic picked, picked_q;
          assign picked = re[i/32] ? own_re[i/32] : picked_q;
          nbq_copy #(.Width(1)) u_picked (.clk_i, .d_i(picked), .q_o(picked_q));
          assign rdata[i +: Part] = picked_q ? own[i +: Part] : g_upto[s-1].rdata[i +: Part];
        end
      end
    end
  end
  assign rdata_o = g_upto[Sizes].rdata;
endmodule
