/// The images of a run, in lockstep: each nbq_image gets the same control and weights, through
/// Broadcast register stages: 1 a stage for all, 2 and one an image, 3 and one a pair of pixel
/// columns. Everything that goes in passes the same stages, writes, addresses and the clear
/// included, and nothing comes back but results. So an image is the same one some cycles later, and
/// nobody outside has to know: no cycle is lost between tiles, layers or at a barrier.
module nbq_images #(
  parameter int unsigned Images      = 0,
  parameter int unsigned Broadcast   = 0,
  parameter int unsigned PeKind      = 0,
  parameter int unsigned Target      = 0,
  parameter int unsigned LanesIn     = 0,
  parameter int unsigned LanesOut    = 0,
  parameter int unsigned Pixels      = 0,
  parameter int unsigned OutCycles   = 1,
  parameter bit          MaxPool     = 1'b1,
  parameter int unsigned AlignBits   = 15,
  parameter int unsigned LeftBits    = 15,
  parameter int unsigned CodeBits    = 0,
  parameter int unsigned MultBits    = 0,
  parameter int unsigned ActBits     = 0,
  parameter int unsigned ActDigits   = 1,
  parameter int unsigned AccBits     = 0,
  parameter int unsigned ActDepth    = 0,
  parameter int unsigned ResultDepth = 0,
  parameter int unsigned WgtWidth    = 0,
  parameter int unsigned ActColumns  = 0,
  parameter int unsigned LoadColumns = 0,  // that can be loaded at once
  parameter int unsigned Words       = Pixels * LanesOut / LanesIn,
  parameter int unsigned SelBits     = nbq_pkg::index_bits(Words),
  parameter int unsigned BankBits    = nbq_pkg::index_bits(Pixels),
  parameter int unsigned OutLanes    = LanesIn / OutCycles,
  parameter int unsigned SliceBits   = nbq_pkg::index_bits(OutCycles),
  parameter int unsigned ImageBits   = nbq_pkg::index_bits(Images),
  parameter int unsigned RawSlice    = OutLanes * AccBits,
  parameter int unsigned ResSlices   = ResultDepth * OutCycles,
  parameter int unsigned ResAddr     = nbq_pkg::index_bits(ResSlices)
) (
  input  logic                               clk_i,
  input  logic                               rst_ni,
  input  logic                               clear_i,
  // all as nbq_image has it
  input  logic [Pixels-1:0]                  bank_re_i,
  input  logic [Pixels*$clog2(ActDepth*ActDigits)-1:0] bank_addr_i,
  input  logic [Pixels-1:0]                  lane_valid_i,
  input  logic [Pixels*BankBits-1:0]         lane_bank_i,
  input  nbq_pkg::op_t                       op_i,
  input  logic [WgtWidth-1:0]                weights_i,
  input  nbq_pkg::scale_t                    scale_i,
  input  logic [SelBits-1:0]                 sel_i,
  input  logic [BankBits-1:0]                pixel_i,
  input  logic [3:0]                         word_i,
  input  logic [SliceBits-1:0]               slice_i,
  input  logic [OutLanes*AccBits-1:0]        bias_i,
  input  logic [OutLanes*7-1:0]              shift_i,
  input  logic                               res_take_i,
  input  logic [SelBits-1:0]                 res_sel_i,
  input  logic [SliceBits-1:0]               res_slice_i,
  input  logic                               raw_we_i,
  input  logic [ResAddr-1:0]                 raw_word_i,
  input  logic                               act_we_i,
  input  logic [BankBits-1:0]                act_bank_i,
  input  logic [$clog2(ActDepth*ActDigits)-1:0] act_word_i,
  // columns of one image's activations, from the host or external memory
  input  logic [ImageBits-1:0]               load_image_i,
  input  logic [ActColumns-1:0]              load_we_i,
  input  logic [LoadColumns*32-1:0]          load_data_i,
  // result memories; latency 2 + Broadcast
  input  logic                               result_re_i,
  input  logic [ImageBits-1:0]               result_image_i,
  input  logic [ResAddr-1:0]                 result_raddr_i,
  output logic [RawSlice-1:0]                result_rdata_o
);
  localparam int unsigned ActAddr    = $clog2(ActDepth * ActDigits);
  localparam int unsigned Groups     = Broadcast == 3 && Pixels > 2 ? Pixels / 2 : 1;
  localparam int unsigned GroupWords = Words / Groups;
  localparam int unsigned GroupSel   = nbq_pkg::index_bits(GroupWords);

  if (Images == 0 || Broadcast > 3) begin : g_check
    $error("nbq_images: Images must be set and Broadcast be 3 at most");
  end

  // The drained word within its group of pixel columns.
  logic [GroupSel-1:0] group_sel;
  logic                unused_sel;
  assign unused_sel = ^{sel_i, word_i};
  if (Groups == 1) begin : g_whole
    assign group_sel = sel_i;
  end else begin : g_pair
    assign group_sel = GroupSel'(word_i) + (pixel_i[0] ? GroupSel'(LanesOut / LanesIn) : '0);
  end

  // What every image gets, and what its array gets.
  localparam int unsigned OpBits    = nbq_pkg::OpBits;
  localparam int unsigned ScaleBits = nbq_pkg::ScaleBits;
  localparam int unsigned CtlWidth  = 1 + Pixels * (2 + ActAddr + BankBits) + OpBits + ScaleBits +
      GroupSel + BankBits + OutLanes * (AccBits + 7) + 1 + SelBits + 2 * SliceBits + 1 + ResAddr +
      1 + BankBits + ActAddr + ImageBits + ActColumns + LoadColumns * 32 + 1 + ResAddr;
  localparam int unsigned ArrWidth  = 4 + WgtWidth;
  logic [CtlWidth-1:0]          ctl, ctl_all;
  logic [ArrWidth-1:0]          arr, arr_all;
  logic [Images*RawSlice-1:0]   results;
  assign ctl = {clear_i, bank_re_i, bank_addr_i, lane_valid_i, lane_bank_i, op_i, scale_i,
                group_sel, pixel_i, slice_i, bias_i, shift_i, res_take_i, res_sel_i, res_slice_i,
                raw_we_i, raw_word_i,
                act_we_i, act_bank_i, act_word_i, load_image_i, load_we_i, load_data_i,
                result_re_i, result_raddr_i};
  assign arr = {clear_i, op_i.tap, op_i.acc_last, op_i.up, weights_i};

  if (Broadcast >= 1) begin : g_all
    nbq_copy #(.Width(CtlWidth + ArrWidth)) u_all (
      .clk_i, .d_i({ctl, arr}), .q_o({ctl_all, arr_all})
    );
  end else begin : g_none
    assign {ctl_all, arr_all} = {ctl, arr};
  end

  for (genvar i = 0; i < Images; i++) begin : g_image
    logic [CtlWidth-1:0]        ctl_image, ctl_here;
    logic [ArrWidth-1:0]        arr_image;
    logic [Groups*ArrWidth-1:0] arr_here;
    if (Broadcast >= 2) begin : g_image_copy
      nbq_copy #(.Width(CtlWidth + ArrWidth)) u_image (
        .clk_i, .d_i({ctl_all, arr_all}), .q_o({ctl_image, arr_image})
      );
    end else begin : g_image_same
      assign {ctl_image, arr_image} = {ctl_all, arr_all};
    end
    if (Broadcast >= 3) begin : g_group_copy
      nbq_copy #(.Width(CtlWidth)) u_ctl (.clk_i, .d_i(ctl_image), .q_o(ctl_here));
      for (genvar g = 0; g < Groups; g++) begin : g_group
        nbq_copy #(.Width(ArrWidth)) u_arr (
          .clk_i, .d_i(arr_image), .q_o(arr_here[g*ArrWidth +: ArrWidth])
        );
      end
    end else begin : g_group_same
      assign ctl_here = ctl_image;
      assign arr_here = arr_image;
    end

    logic                       clear, raw_we, act_we, res_take, result_re;
    logic [Pixels-1:0]          bank_re, lane_valid;
    logic [Pixels*ActAddr-1:0]  bank_addr;
    logic [Pixels*BankBits-1:0] lane_bank;
    nbq_pkg::op_t               op;
    nbq_pkg::scale_t            scale;
    logic [GroupSel-1:0]        sel;
    logic [BankBits-1:0]        pixel, act_bank;
    logic [SliceBits-1:0]       slice, res_slice;
    logic [OutLanes*AccBits-1:0] bias;
    logic [OutLanes*7-1:0]      shift;
    logic [SelBits-1:0]         res_sel;
    logic [ResAddr-1:0]         raw_word, result_raddr;
    logic [ActAddr-1:0]         act_word;
    logic [ImageBits-1:0]       load_image;
    logic [ActColumns-1:0]      load_we;
    logic [LoadColumns*32-1:0]  load_data;
    assign {clear, bank_re, bank_addr, lane_valid, lane_bank, op, scale,
            sel, pixel, slice, bias, shift, res_take, res_sel, res_slice, raw_we, raw_word,
            act_we, act_bank, act_word, load_image, load_we, load_data,
            result_re, result_raddr} = ctl_here;
    nbq_image #(
      .PeKind(PeKind), .Target(Target), .LanesIn(LanesIn), .LanesOut(LanesOut), .Pixels(Pixels),
      .CodeBits(CodeBits), .MultBits(MultBits), .ActBits(ActBits), .ActDigits(ActDigits),
      .AccBits(AccBits), .ActDepth(ActDepth), .ResultDepth(ResultDepth), .Groups(Groups), .OutCycles(OutCycles),
      .MaxPool(MaxPool), .AlignBits(AlignBits), .LeftBits(LeftBits),
      .WgtWidth(WgtWidth), .LoadColumns(LoadColumns)
    ) u_image (
      .clk_i, .rst_ni, .clear_i(clear),
      .bank_re_i(bank_re), .bank_addr_i(bank_addr), .lane_valid_i(lane_valid),
      .lane_bank_i(lane_bank), .op_i(op), .array_i(arr_here), .scale_i(scale), .sel_i(sel),
      .pixel_i(pixel), .slice_i(slice), .bias_i(bias), .shift_i(shift), .res_take_i(res_take),
      .res_sel_i(res_sel),
      .res_slice_i(res_slice), .raw_we_i(raw_we),
      .raw_word_i(raw_word), .act_we_i(act_we),
      .load_we_i(load_image == ImageBits'(i) ? load_we : {ActColumns{1'b0}}),
      .act_bank_i(act_bank), .act_word_i(act_word), .load_data_i(load_data),
      .result_re_i(result_re), .result_raddr_i(result_raddr),
      .result_rdata_o(results[i*RawSlice +: RawSlice])
    );
  end

  logic [RawSlice-1:0] result;
  nbq_mux #(.Words(Images), .Width(RawSlice)) u_result (
    .sel_i(result_image_i), .words_i(results), .word_o(result)
  );
  always_ff @(posedge clk_i) result_rdata_o <= result;
endmodule
