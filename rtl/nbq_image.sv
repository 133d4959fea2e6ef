/// What exists once an image: activation banks, array, maxima, output stage, result memory. All
/// that says what to do comes from outside and is the same for every image.
/// The array lies in groups of pixel columns, each with its own copy of the weights.
module nbq_image #(
  parameter int unsigned PeKind      = 0,
  parameter int unsigned Target      = 0,
  parameter int unsigned LanesIn     = 0,
  parameter int unsigned LanesOut    = 0,
  parameter int unsigned Pixels      = 0,
  parameter int unsigned CodeBits    = 0,
  parameter int unsigned MultBits    = 0,
  parameter int unsigned ActBits     = 0,
  parameter int unsigned ActDigits   = 1,  // cycles in which an activation is read and written
  parameter int unsigned AccBits     = 0,
  parameter int unsigned ActDepth    = 0,
  parameter int unsigned ResultDepth = 0,
  parameter int unsigned LoadColumns = 1,  // of activations, loaded at once
  parameter int unsigned Groups      = 1,  // of pixel columns
  parameter int unsigned OutCycles   = 1,
  parameter bit          MaxPool     = 1'b1,
  parameter int unsigned AlignBits   = 15,
  parameter int unsigned LeftBits    = 15,
  parameter int unsigned WgtWidth    = LanesIn * LanesOut * (PeKind == 0 ? CodeBits : MultBits),
  parameter int unsigned DigitBits   = nbq_pkg::digit_bits(ActBits, ActDigits),
  parameter int unsigned ActWidth    = LanesIn * DigitBits,  // a memory word
  parameter int unsigned ActColumns  = (ActWidth + 31) / 32,
  parameter int unsigned RawWidth    = LanesIn * AccBits,
  parameter int unsigned Words       = Pixels * LanesOut / LanesIn,
  parameter int unsigned SelBits     = nbq_pkg::index_bits(Words),
  parameter int unsigned OutLanes    = LanesIn / OutCycles,
  parameter int unsigned SliceBits   = nbq_pkg::index_bits(OutCycles),
  parameter int unsigned GroupSel    = nbq_pkg::index_bits(Words / Groups),
  parameter int unsigned BankBits    = nbq_pkg::index_bits(Pixels),
  parameter int unsigned ResSlices   = ResultDepth * OutCycles,
  parameter int unsigned ResAddr     = nbq_pkg::index_bits(ResSlices)
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  logic                              clear_i,
  // operands: requests, and two cycles later what goes with them
  input  logic [Pixels-1:0]                 bank_re_i,
  input  logic [Pixels*$clog2(ActDepth*ActDigits)-1:0] bank_addr_i,
  input  logic [Pixels-1:0]                 lane_valid_i,
  input  logic [Pixels*BankBits-1:0]        lane_bank_i,
  input  nbq_pkg::op_t                      op_i,
  // with op_i, a copy a group: {clear, tap, last, up, weights}
  input  logic [Groups*(WgtWidth+4)-1:0]    array_i,
  // output stage, as in nbq_channels
  input  nbq_pkg::scale_t                   scale_i,
  input  logic [GroupSel-1:0]               sel_i,       // word within the pixel's group
  input  logic [BankBits-1:0]               pixel_i,
  input  logic [SliceBits-1:0]              slice_i,
  input  logic [OutLanes*AccBits-1:0]       bias_i,
  input  logic [OutLanes*7-1:0]             shift_i,
  input  logic                              res_take_i,
  input  logic [SelBits-1:0]                res_sel_i,
  input  logic [SliceBits-1:0]              res_slice_i,
  input  logic                              raw_we_i,
  input  logic [ResAddr-1:0]                raw_word_i,
  // activation writes: the output stage's, else the host's columns
  input  logic                              act_we_i,
  input  logic [ActColumns-1:0]             load_we_i,
  input  logic [BankBits-1:0]               act_bank_i,
  input  logic [$clog2(ActDepth*ActDigits)-1:0] act_word_i,
  input  logic [LoadColumns*32-1:0]         load_data_i,
  // result memory, a slice a word, latency 1
  input  logic                              result_re_i,
  input  logic [ResAddr-1:0]                result_raddr_i,
  output logic [OutLanes*AccBits-1:0]       result_rdata_o
);
  localparam int unsigned XBits       = ActBits + 1;
  localparam int unsigned GroupPixels = Pixels / Groups;
  localparam int unsigned EBits       = DigitBits + 1;  // of an element's operand
  localparam int unsigned GroupXWidth = GroupPixels * LanesIn * EBits;
  localparam int unsigned GroupLog2   = $clog2(GroupPixels);
  localparam int unsigned PickBits    = nbq_pkg::index_bits(Groups);
  localparam int unsigned RawSlice    = OutLanes * AccBits;
  localparam int unsigned RawColumns  = (RawSlice + 31) / 32;

  // ---- operands -------------------------------------------------------------------------------
  logic [Pixels-1:0]               lane_valid;
  logic [Pixels*ActWidth-1:0]      raw;
  logic [ActDigits*ActWidth-1:0]   act_digits;
  logic [ActWidth-1:0]             act;
  logic [ActColumns*32-1:0]        load;
  for (genvar i = 0; i < ActColumns; i++) begin : g_load
    assign load[32*i +: 32] = load_data_i[32*(i % LoadColumns) +: 32];
  end
  nbq_act_mem #(.Pixels(Pixels), .WordWidth(ActWidth), .Depth(ActDepth*ActDigits)) u_acts (
    .clk_i, .rst_ni, .re_i(bank_re_i), .addr_i(bank_addr_i), .valid_i(lane_valid_i),
    .bank_i(lane_bank_i), .valid_o(lane_valid), .data_o(raw),
    .we_i(act_we_i ? {ActColumns{1'b1}} : load_we_i), .wbank_i(act_bank_i),
    .waddr_i(act_word_i), .wdata_i(act_we_i ? act : load[ActWidth-1:0])
  );

  // Operands of the array, and whole activations for the maxima; an idle lane's are 0.
  logic [Pixels*LanesIn*EBits-1:0] digit;
  logic [Pixels*LanesIn*XBits-1:0] x;
  if (ActDigits == 1) begin : g_whole
    for (genvar i = 0; i < Pixels * LanesIn; i++) begin : g_lane
      assign x[i*XBits +: XBits] =
          {op_i.sgn & raw[i*ActBits + ActBits - 1], raw[i*ActBits +: ActBits]};
    end
    assign digit = x;
    assign act   = act_digits;
    logic unused_low;
    assign unused_low = op_i.low;
  end else begin : g_digits
    localparam int unsigned HighBits = ActBits - DigitBits;
    assign act = act_digits[act_word_i[0]*ActWidth +: ActWidth];
    for (genvar i = 0; i < Pixels * LanesIn; i++) begin : g_lane
      logic [DigitBits-1:0] here;
      logic                 sign;
      assign here = raw[i*DigitBits +: DigitBits];
      assign sign = op_i.sgn & !op_i.low & here[HighBits-1];
      assign digit[i*EBits +: HighBits]         = here[HighBits-1:0];
      assign digit[i*EBits+DigitBits +: 1] = sign;
      if (HighBits < DigitBits) begin : g_odd
        assign digit[i*EBits+HighBits +: 1] = op_i.low ? here[DigitBits-1] : sign;
      end
      // A high digit waits for its low one.
      logic [HighBits:0] high_q;
      always_ff @(posedge clk_i) begin
        if (op_i.max && !op_i.low) high_q <= {sign, here[HighBits-1:0]};
      end
      assign x[i*XBits +: XBits] = {high_q, here};
    end
  end
  logic unused_up;  // array_i has a copy
  assign unused_up = op_i.up;

  // ---- array and maxima -----------------------------------------------------------------------
  logic [Groups*RawWidth-1:0] group_word;
  logic [RawWidth-1:0]        acc;
  logic [LanesIn*XBits-1:0]   max;
  for (genvar g = 0; g < Groups; g++) begin : g_group
    logic                clear, tap, last, up;
    logic [WgtWidth-1:0] weights;
    assign {clear, tap, last, up, weights} = array_i[g*(WgtWidth+4) +: WgtWidth+4];
    nbq_array #(
      .PeKind(PeKind), .Target(Target), .LanesIn(LanesIn), .LanesOut(LanesOut),
      .Pixels(GroupPixels), .CodeBits(CodeBits), .MultBits(MultBits), .XBits(EBits),
      .AccBits(AccBits), .UpBits(nbq_pkg::up_bits(ActBits, ActDigits))
    ) u_array (
      .clk_i, .clear_i(clear), .valid_i(tap), .last_i(last), .up_i(up),
      .x_i(digit[g*GroupXWidth +: GroupXWidth]), .w_i(weights), .sel_i,
      .word_o(group_word[g*RawWidth +: RawWidth])
    );
  end
  nbq_mux #(.Words(Groups), .Width(RawWidth)) u_group (
    .sel_i(PickBits'(pixel_i >> GroupLog2)), .words_i(group_word), .word_o(acc)
  );
  if (MaxPool) begin : g_max
    nbq_max #(.LanesIn(LanesIn), .Pixels(Pixels), .XBits(XBits)) u_max (
      .clk_i, .rst_ni, .clear_i, .valid_i(op_i.max && (ActDigits == 1 || op_i.low)), .first_i(op_i.first), .last_i(op_i.acc_last),
      .lane_valid_i(lane_valid), .x_i(x), .sel_i(pixel_i), .word_o(max)
    );
  end else begin : g_no_max
    assign max = {(LanesIn*XBits){1'b0}};
    logic unused_max;
    assign unused_max = ^{rst_ni, clear_i, op_i.max, op_i.first, op_i.acc_last, lane_valid, x};
  end

  // ---- output ---------------------------------------------------------------------------------
  logic [RawSlice-1:0] raw_data;
  nbq_channels #(
    .LanesIn(LanesIn), .LanesOut(LanesOut), .Pixels(Pixels), .OutCycles(OutCycles),
    .MaxPool(MaxPool), .AlignBits(AlignBits), .LeftBits(LeftBits), .ActBits(ActBits),
    .ActDigits(ActDigits), .AccBits(AccBits)
  ) u_channels (
    .clk_i, .scale_i, .slice_i, .acc_i(acc), .max_i(max), .bias_i, .shift_i, .res_take_i,
    .res_sel_i, .res_slice_i, .res_valid_i(op_i.residual), .res_word_i(op_i.word),
    .res_low_i(op_i.low), .res_i(raw), .raw_o(raw_data), .act_o(act_digits)
  );
  if (ResSlices == 1) begin : g_one_result
    always_ff @(posedge clk_i) if (raw_we_i) result_rdata_o <= raw_data;
    logic unused_address;
    assign unused_address = ^{raw_word_i, result_re_i, result_raddr_i};
  end else begin : g_results
    nbq_ram #(.Width(RawSlice), .Depth(ResSlices)) u_results (
      .clk_i, .we_i({RawColumns{raw_we_i}}), .waddr_i(raw_word_i), .wdata_i(raw_data),
      .re_i(result_re_i), .raddr_i(result_raddr_i), .rdata_o(result_rdata_o)
    );
  end
endmodule
