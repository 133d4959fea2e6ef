/// What the modules of the engine pass to one another, beside the instruction (nbq_isa_pkg).
package nbq_pkg;
  localparam int unsigned AddrBits = 20;  // every address field of spec/isa.def is at most that
  localparam int unsigned PosBits = 19;   // signed column or row before padding is cut off
  localparam int unsigned PcBits = 16;    // instruction index

  /// One feed cycle: a tap of the reduction, or a residual word.
  typedef struct packed {
    logic                residual;   // else a tap
    logic                first;      // first tap of a tile: accumulators start over
    logic                acc_last;   // last tap of a tile
    logic                tile_last;  // last feed cycle of a tile, residual words included
    logic                is_max;
    logic                sgn;        // activations are two's complement
    logic                row_ok;     // the row lies inside the map
    logic [7:0]          lanes;      // pixel lanes in use, from lane 0
    logic [2:0]          bs;         // bank shift
    logic [4:0]          stride;     // columns between neighbouring lanes
    logic [PosBits-1:0]  x;          // column of lane 0, signed
    logic [11:0]         limit;      // columns of the map
    logic [AddrBits-1:0] addr;       // word of column 0, modulo 2^20
    logic [AddrBits-1:0] wgt;        // weight word
    logic [3:0]          word;       // residual word
    logic [PcBits-1:0]   pc;
  } feed_t;

  localparam int unsigned OpBits    = 11;  // yosys 0.23 has no $bits of a type
  localparam int unsigned ScaleBits = 90;

  /// What arrives with the operands of a feed cycle.
  typedef struct packed {
    logic       tap;        // operands and weights for the array
    logic       max;        // operands for the maxima
    logic       residual;   // a word for the residual registers
    logic       first;      // as in feed_t
    logic       acc_last;
    logic       tile_last;
    logic       sgn;
    logic [3:0] word;
  } op_t;

  /// An instruction's part in the output stage; without a residual operand the second half passes
  /// values on unchanged.
  typedef struct packed {
    logic        is_max;
    logic        res_en;
    logic        res_signed;
    logic [3:0]  lsh_acc;
    logic [3:0]  lsh_res;
    logic [6:0]  res_rsh;
    logic [17:0] lo;
    logic [17:0] hi;
    logic [17:0] res_lo;
    logic [17:0] res_hi;
  } scale_t;
endpackage
