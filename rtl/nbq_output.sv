/// What the images' output stages share: the parameter memory, the place of every word in memory,
/// the instruction's scales. Counted from stage 0, where the drain names the word, as in
/// nbq_channels: stage 2 has acc + bias, stage 9 the activation that is written, in 10 its high digit if
/// it has two.
module nbq_output #(
  parameter int unsigned LanesIn     = 0,
  parameter int unsigned LanesOut    = 0,
  parameter int unsigned Pixels      = 0,
  parameter int unsigned OutCycles   = 1,
  parameter int unsigned AccBits     = 0,
  parameter int unsigned ActDepth    = 0,
  parameter int unsigned ActDigits   = 1,
  parameter int unsigned ParamDepth  = 0,
  parameter int unsigned ResultDepth = 0,
  parameter int unsigned Preload     = 0,
  parameter int unsigned OutLanes    = LanesIn / OutCycles,  // channels of a slice
  parameter int unsigned SliceBits   = nbq_pkg::index_bits(OutCycles),
  parameter int unsigned ParWidth    = OutLanes * (AccBits + 7),  // a slice's
  parameter int unsigned ParColumns  = (ParWidth + 31) / 32,
  parameter int unsigned ParSlices   = ParamDepth * OutCycles,
  parameter int unsigned Words       = Pixels * LanesOut / LanesIn,
  parameter int unsigned SelBits     = nbq_pkg::index_bits(Words),
  parameter int unsigned BankBits    = nbq_pkg::index_bits(Pixels),
  parameter int unsigned ResSlices   = ResultDepth * OutCycles,  // words of the result memory
  parameter int unsigned ResAddr     = nbq_pkg::index_bits(ResSlices)
) (
  input  logic                           clk_i,
  input  logic                           clear_i,
  input  nbq_isa_pkg::instr_t            cfg_i,
  output nbq_pkg::scale_t                scale_o,
  // stage 0
  input  logic                           valid_i,
  input  logic [SelBits-1:0]             sel_i,
  input  logic [SliceBits-1:0]           slice_i,
  input  logic [nbq_pkg::AddrBits-1:0]   par_addr_i,
  // stage 1, 2: a slice's parameters
  output logic [OutLanes*AccBits-1:0]    bias_o,
  output logic [OutLanes*7-1:0]          shift_o,
  // stage 2: a slice of a raw word is written
  input  logic                           place_valid_i,
  input  logic                           place_last_i,  // a word's last slice
  input  logic [BankBits-1:0]            place_bank_i,
  input  logic [nbq_pkg::AddrBits-1:0]   place_word_i,
  output logic                           raw_we_o,
  output logic [ResAddr-1:0]             raw_word_o,
  // stage 2 of a tile's first slice: its residual words are taken over in 3; stage 4: which one
  output logic                           res_take_o,
  output logic [SelBits-1:0]             res_sel_o,
  output logic [SliceBits-1:0]           res_slice_o,
  // stage 9 of a word's last slice: an activation word is written
  output logic                           act_we_o,
  output logic [BankBits-1:0]            act_bank_o,
  output logic [$clog2(ActDepth*ActDigits)-1:0] act_word_o,
  // parameter memory
  input  logic [ParColumns-1:0]          par_we_i,
  input  logic [$clog2(ParSlices)-1:0]   par_waddr_i,
  input  logic [ParWidth-1:0]            par_wdata_i,
  output logic                           bad_o  // an address beyond a memory
);
  localparam int unsigned ActAddr = $clog2(ActDepth);

  always_comb begin
    scale_o.is_max     = cfg_i.opcode == nbq_isa_pkg::OpMaxpool;
    scale_o.res_en     = cfg_i.res_en;
    scale_o.res_signed = cfg_i.res_signed;
    scale_o.lsh_acc    = cfg_i.res_en ? cfg_i.res_lsh_acc : 4'd0;
    scale_o.lsh_res    = cfg_i.res_lsh_res;
    scale_o.res_rsh    = cfg_i.res_en ? cfg_i.res_rsh : 7'd0;
    scale_o.lo         = cfg_i.lo;
    scale_o.hi         = cfg_i.hi;
    scale_o.res_lo     = cfg_i.res_en ? cfg_i.res_lo : cfg_i.lo;
    scale_o.res_hi     = cfg_i.res_en ? cfg_i.res_hi : cfg_i.hi;
  end

  // ---- parameters ----------------------------------------------------------------------------
  logic [$clog2(ParSlices)-1:0] par_raddr;
  logic [ParWidth-1:0]          par_1;
  if (OutCycles > 1) begin : g_slices
    assign par_raddr = {par_addr_i[$clog2(ParSlices)-SliceBits-1:0], slice_i};
  end else begin : g_words
    assign par_raddr = par_addr_i[$clog2(ParSlices)-1:0];
  end
  nbq_ram #(
    .Width(ParWidth), .Depth(ParSlices), .Init(Preload != 0 ? "params" : "")
  ) u_params (
    .clk_i, .we_i(par_we_i), .waddr_i(par_waddr_i), .wdata_i(par_wdata_i),
    .re_i(valid_i), .raddr_i(par_raddr), .rdata_o(par_1)
  );
  for (genvar c = 0; c < OutLanes; c++) begin : g_channel
    assign bias_o[c*AccBits +: AccBits] = par_1[c*(AccBits+7) +: AccBits];
    always_ff @(posedge clk_i) shift_o[c*7 +: 7] <= par_1[c*(AccBits+7)+AccBits +: 7];
  end

  logic                act_we_9;
  logic [BankBits-1:0] act_bank_9;
  logic [ActAddr-1:0]  act_word_9;

  // ---- places --------------------------------------------------------------------------------
  logic act_valid_2, raw_valid_2, bad_par, bad_place;
  assign raw_valid_2 = place_valid_i && cfg_i.out_raw;
  assign act_valid_2 = place_valid_i && place_last_i && !cfg_i.out_raw;
  assign bad_par     = valid_i && 32'(par_addr_i) >= ParamDepth;
  assign bad_place   = (raw_valid_2 && 32'(place_word_i) >= ResultDepth) ||
                       (act_valid_2 && 32'(place_word_i) >= ActDepth);
  assign bad_o       = bad_par || bad_place;

  assign raw_we_o   = raw_valid_2 && !bad_place;
  if (OutCycles > 1) begin : g_raw_slices
    logic [SliceBits-1:0] slice_2;
    nbq_delay #(.Width(SliceBits), .Cycles(2)) u_slice (
      .clk_i, .clear_i(1'b0), .d_i(slice_i), .q_o(slice_2)
    );
    assign raw_word_o = ResAddr'({place_word_i, slice_2});
  end else begin : g_raw_words
    assign raw_word_o = place_word_i[ResAddr-1:0];
  end
  nbq_delay #(.Width(SelBits + SliceBits), .Cycles(4)) u_res_sel (
    .clk_i, .clear_i(1'b0), .d_i({sel_i, slice_i}), .q_o({res_sel_o, res_slice_o})
  );
  nbq_delay #(.Width(1), .Cycles(2)) u_res_take (
    .clk_i, .clear_i(1'b0), .d_i(valid_i && sel_i == '0 && slice_i == '0), .q_o(res_take_o)
  );
  nbq_delay #(.Width(1), .Cycles(7)) u_we (
    .clk_i, .clear_i, .d_i(act_valid_2 && !bad_place), .q_o(act_we_9)
  );
  nbq_delay #(.Width(BankBits + ActAddr), .Cycles(7)) u_place (
    .clk_i, .clear_i(1'b0),
    .d_i({place_bank_i, place_word_i[ActAddr-1:0]}), .q_o({act_bank_9, act_word_9})
  );
  if (ActDigits == 1) begin : g_whole
    assign {act_we_o, act_bank_o, act_word_o} = {act_we_9, act_bank_9, act_word_9};
  end else begin : g_digits
    logic                act_we_10;
    logic [BankBits-1:0] act_bank_10;
    logic [ActAddr-1:0]  act_word_10;
    nbq_delay #(.Width(1), .Cycles(1)) u_high (.clk_i, .clear_i, .d_i(act_we_9), .q_o(act_we_10));
    always_ff @(posedge clk_i) {act_bank_10, act_word_10} <= {act_bank_9, act_word_9};
    assign act_we_o   = act_we_9 || act_we_10;
    assign act_bank_o = act_we_10 ? act_bank_10 : act_bank_9;
    assign act_word_o = {act_we_10 ? act_word_10 : act_word_9, act_we_10};
  end
endmodule
