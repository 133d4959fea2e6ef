/// What the modules of the engine pass to one another, beside the instruction (nbq_isa_pkg).
package nbq_pkg;
  localparam int unsigned AddrBits = 20;  // every address field of spec/isa.def is at most that
  localparam int unsigned PosBits = 19;   // signed column or row before padding is cut off
  localparam int unsigned PcBits = 16;    // instruction index
  localparam int unsigned AxiAddrBits = 40;  // bytes that the AXI masters address

  /// One feed cycle: a tap of the reduction, or a residual word.
  typedef struct packed {
    logic                residual;   // else a tap
    logic                first;      // first tap of a tile: accumulators start over
    logic                acc_last;   // last tap of a tile
    logic                low;        // the activations' low digit, where they have two
    logic                up;         // the first tap of it: accumulators go up a digit before it
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

  localparam int unsigned OpBits    = 13;  // yosys 0.23 has no $bits of a type
  localparam int unsigned ScaleBits = 90;

  /// What arrives with the operands of a feed cycle.
  typedef struct packed {
    logic       tap;        // operands and weights for the array
    logic       max;        // operands for the maxima
    logic       residual;   // a word for the residual registers
    logic       first;      // as in feed_t
    logic       acc_last;
    logic       tile_last;
    logic       low;
    logic       up;
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

  /// Bits of an index into n things; one bit for the index of one thing, as no port has none.
  function automatic int unsigned index_bits(int unsigned n);
    index_bits = n > 1 ? $clog2(n) : 1;
  endfunction

  // ---- digits of activations ------------------------------------------------------------------
  // An activation lies in memory in digits, a word of C low ones below the word of C high ones, and is
  // read and written a digit a cycle. So all wide ways are as wide as a digit.
  /// Bits of a digit; the high one may have less that mean anything.
  function automatic int unsigned digit_bits(int unsigned act_bits, int unsigned digits);
    digit_bits = (act_bits + digits - 1) / digits;
  endfunction

  /// Places that accumulators go up between the digits; 0: activations are of one digit.
  function automatic int unsigned up_bits(int unsigned act_bits, int unsigned digits);
    up_bits = digits > 1 ? digit_bits(act_bits, digits) : 0;
  endfunction

  // ---- elements -------------------------------------------------------------------------------
  // Families that elements are shaped for. Shaped shift elements are for 3-bit codes; xcup's adders
  // serve every width.
  localparam int unsigned Generic = 0;
  localparam int unsigned Xcup = 1;  // AMD UltraScale+
  localparam int unsigned Ecp5 = 2;  // Lattice ECP5

  /// Levels of ternary adders that leave at most two of n operands, which the accumulator adds.
  function automatic int unsigned ternary_levels(int unsigned n);
    ternary_levels = 0;
    for (int unsigned left = n; left > 2; left = left / 3 + left % 3) begin
      ternary_levels = ternary_levels + 1;
    end
  endfunction

  /// Place of a lane in its group in nbq_ecp5_svpe: 0, 1, and 2 in a triple.
  function automatic int unsigned ecp5_place(int unsigned lanes, int unsigned lane);
    ecp5_place = lanes < 8 ? lane % 2 : lane % 8 % 3;
  endfunction

  /// Registers between nbq_array's operands and an element's lane: a shaped element takes some
  /// lanes later than others, because it adds their products to what it has of the earlier ones.
  function automatic int unsigned pe_lag(int unsigned kind, int unsigned target,
                                         int unsigned code_bits, int unsigned lanes,
                                         int unsigned lane);
    pe_lag = 0;
    if (kind == 0 && target == Xcup) pe_lag = code_bits == 3 && lanes > 2 && lane % 4 != 0 ? 2 : 1;
    else if (kind == 0 && target == Ecp5 && code_bits == 3) begin
      pe_lag = lanes < 8 ? 1 : lane % 8 >= 6 ? 3 : ecp5_place(lanes, lane) == 2 ? 2 : 1;
    end
    else if (kind == 1 && target == Xcup) pe_lag = lane;
    else if (kind == 2 && target == Xcup) pe_lag = lane % 4;
  endfunction

  /// Output channels that share a copy of the activations, which is the last register of pe_lag then; 0: all
  /// share one. On ECP5 the wires across an array take as long as its logic.
  function automatic int unsigned pe_spread(int unsigned kind, int unsigned target,
                                            int unsigned code_bits);
    pe_spread = kind == 0 && target == Ecp5 && code_bits == 3 ? 4 : 0;
  endfunction

  /// Bits of a weight of in_bits as an element takes it (nbq_recode).
  function automatic int unsigned pe_weight_bits(int unsigned kind, int unsigned target,
                                                 int unsigned code_bits, int unsigned in_bits);
    pe_weight_bits = kind == 0 && target == Ecp5 && code_bits == 3 ? 4 : in_bits;
  endfunction

  /// Whether the generic elements register products. A shift is over so soon that in plain cells it
  /// needs no register, which would take 30 % of the energy; an element needs a latency of 2, though.
  function automatic bit pe_product_register(int unsigned kind, int unsigned target,
                                             int unsigned lanes);
    pe_product_register = kind != 0 || target != Generic || lanes <= 4;
  endfunction

  /// Cycles from a tap's operands at nbq_array to its sum at the accumulator.
  function automatic int unsigned pe_latency(int unsigned kind, int unsigned target,
                                             int unsigned code_bits, int unsigned lanes);
    pe_latency = (pe_product_register(kind, target, lanes) ? 1 : 0) + ($clog2(lanes) + 1) / 2;
    if (kind == 0 && target == Xcup) begin
      pe_latency = code_bits == 3 && lanes > 2 ? 4 + ternary_levels(lanes / 4)
                                               : 2 + ternary_levels(lanes);
    end else if (kind == 0 && target == Ecp5 && code_bits == 3) begin
      pe_latency = (lanes < 8 ? 2 : 3) + $clog2(lanes);
    end else if (kind == 1 && target == Xcup) begin
      pe_latency = lanes + 2;
    end else if (kind == 2 && target == Xcup) begin
      pe_latency = lanes < 4 ? 3 + lanes : 7 + ternary_levels(lanes / 4);
    end else if (kind != 0 && target == Ecp5) begin
      pe_latency = 3 + $clog2(lanes);
    end
  endfunction

  /// What the engine tells the unit that moves between it and external memory, nbq_dma.
  typedef struct packed {
    logic                reg_we;      // host's register write
    logic [7:0]          reg_addr;
    logic [31:0]         reg_data;
    logic                start;       // a program: the weight stream begins
    logic                clear;       // forget everything
    logic                load;        // not while load_busy
    logic                store;       // not while store_busy
    logic                free;        // free_words of the ring are no longer used
    logic [AddrBits-1:0] free_words;
  } mem_ctl_t;

  /// And the other way.
  typedef struct packed {
    logic [AddrBits-1:0] ring;         // first word of the ring
    logic                arrived;      // one weight word more can be read
    logic                stream_done;  // the last one is there
    logic                load_busy;
    logic                store_busy;
    logic                quiet;        // nothing of an earlier program is on the bus
    logic                beat;         // progress
    logic                bus_error;
    logic                bad;          // a register leads beyond a memory
  } mem_state_t;
endpackage
