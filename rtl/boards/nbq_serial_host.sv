/// Register accesses in frames over a line that may lose or damage bytes; the host's end is
/// src/hw/serial.cc.
///
///   host:   5A seq op addr count payload... crc     op 0: write, 1: read, 2: hello
///   board:  A5 seq status count payload... crc      status 0: done, 1: damaged, 2: unknown op
///
/// A frame is `count` accesses (0: 256) of one register; the payload of a write, and of the answer
/// to a read, is `count` words of 4 bytes, low first. crc is CRC-16/CCITT-FALSE over all between
/// the first byte and itself, high byte first. A frame is checked before any of it happens. One
/// whose seq is that of the last one that was done is answered again and not done again, so that
/// the host may repeat what it got no answer to; `hello` forgets the last seq. Silence within a
/// frame drops it, so garbage is over after TimeoutCycles.
module nbq_serial_host #(
  parameter int unsigned TimeoutCycles = 0
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  // bytes
  input  logic        rx_valid_i,
  input  logic        rx_bad_i,
  input  logic [7:0]  rx_data_i,
  output logic        tx_valid_o,
  input  logic        tx_ready_i,
  output logic [7:0]  tx_data_o,
  // the engine's host bus
  output logic        host_valid_o,
  input  logic        host_ready_i,
  output logic        host_write_o,
  output logic [7:0]  host_addr_o,
  output logic [31:0] host_wdata_o,
  input  logic        host_rvalid_i,
  input  logic [31:0] host_rdata_i
);
  typedef enum logic [3:0] {
    StSync, StHead, StPayload, StCrc, StCheck, StFetch, StWord, StAccess, StAnswer, StReply, StWords, StEnd
  } state_e;
  localparam logic [7:0] OpWrite = 8'd0;
  localparam logic [7:0] OpRead  = 8'd1;
  localparam logic [7:0] OpHello = 8'd2;
  localparam int unsigned TimeBits = $clog2(TimeoutCycles + 1);

  state_e              state_q;
  logic [7:0]          seq_q, op_q, addr_q, count_q, last_seq_q;
  logic                last_valid_q;
  logic [1:0]          byte_q;   // of the head, a word or the checksum
  logic [7:0]          index_q;  // word
  logic [23:0]         word_q;   // the first bytes of a word coming in
  logic [1:0]          status_q;
  logic [TimeBits-1:0] silence_q;
  logic                last_word, receiving, silent, rx, send, sent, known, again;

  assign last_word = index_q + 8'd1 == count_q;  // a count of 0 is 256
  assign receiving = state_q == StHead || state_q == StPayload || state_q == StCrc;
  assign silent    = silence_q == TimeBits'(TimeoutCycles);
  assign rx        = rx_valid_i && !rx_bad_i;
  assign known     = op_q == OpWrite || op_q == OpRead || op_q == OpHello;
  assign again     = last_valid_q && last_seq_q == seq_q;

  // ---- checksum over what comes in, then over what goes out -------------------------------------
  logic [15:0] crc_q, crc_d;
  logic [7:0]  crc_byte;
  assign crc_byte = receiving ? rx_data_i : tx_data_o;
  always_comb begin
    crc_d = crc_q ^ {crc_byte, 8'h00};
    for (int i = 0; i < 8; i++) crc_d = {crc_d[14:0], 1'b0} ^ (crc_d[15] ? 16'h1021 : 16'h0000);
  end

  // ---- words: those to write below, those that were read above ----------------------------------
  logic        buf_we, buf_above;
  logic [31:0] buf_wdata, buf_rdata, buf_q;  // a block RAM is slow: its word is registered
  assign buf_above = op_q == OpRead;
  assign buf_we    = state_q == StAnswer ? host_rvalid_i
                                         : state_q == StPayload && rx && byte_q == 2'd3;
  assign buf_wdata = state_q == StAnswer ? host_rdata_i : {rx_data_i, word_q};
  nbq_ram #(.Width(32), .Depth(512)) u_words (
    .clk_i, .we_i(buf_we), .waddr_i({buf_above, index_q}), .wdata_i(buf_wdata),
    .re_i(1'b1), .raddr_i({buf_above, index_q}), .rdata_o(buf_rdata)
  );

  always_ff @(posedge clk_i) buf_q <= buf_rdata;

  // ---- out --------------------------------------------------------------------------------------
  assign host_valid_o = state_q == StAccess;
  assign host_write_o = op_q == OpWrite;
  assign host_addr_o  = addr_q;
  assign host_wdata_o = buf_q;
  assign send         = state_q == StReply || state_q == StWords || state_q == StEnd;
  assign tx_valid_o   = send;
  assign sent         = send && tx_ready_i;
  logic words_follow;
  assign words_follow = status_q == '0 && op_q == OpRead;
  always_comb begin
    unique case (state_q)
      StReply: begin
        unique case (byte_q)
          2'd0:    tx_data_o = 8'hA5;
          2'd1:    tx_data_o = seq_q;
          2'd2:    tx_data_o = 8'(status_q);
          default: tx_data_o = words_follow ? count_q : 8'd0;
        endcase
      end
      StWords: tx_data_o = buf_q[8*byte_q +: 8];
      default: tx_data_o = byte_q == 2'd0 ? crc_q[15:8] : crc_q[7:0];
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q      <= StSync;
      last_valid_q <= 1'b0;
      silence_q    <= '0;
      byte_q       <= '0;
      index_q      <= '0;
      status_q     <= '0;
      op_q         <= '0;
    end else begin
      if (!receiving || rx_valid_i) silence_q <= '0;
      else if (!silent) silence_q <= silence_q + TimeBits'(1);
      unique case (state_q)
        StSync: begin
          byte_q <= '0;
          if (rx && rx_data_i == 8'h5A) state_q <= StHead;
        end
        StHead: if (rx) begin
          byte_q  <= byte_q + 2'd1;
          index_q <= '0;
          if (byte_q == 2'd1) op_q <= rx_data_i;
          if (byte_q == 2'd3) state_q <= op_q == OpWrite ? StPayload : StCrc;
        end
        StPayload: if (rx) begin
          byte_q <= byte_q + 2'd1;
          if (byte_q == 2'd3) begin
            index_q <= index_q + 8'd1;
            if (last_word) state_q <= StCrc;
          end
        end
        StCrc: if (rx) begin
          byte_q <= byte_q + 2'd1;
          if (byte_q == 2'd1) state_q <= StCheck;
        end
        StCheck: begin
          index_q  <= '0;
          byte_q   <= '0;
          status_q <= crc_q != '0 ? 2'd1 : !known ? 2'd2 : 2'd0;
          if (crc_q != '0 || !known || op_q == OpHello || again) state_q <= StReply;
          else state_q <= StFetch;
          if (crc_q == '0 && known) last_valid_q <= op_q != OpHello;
        end
        StFetch: state_q <= StWord;  // the word at index_q arrives in two cycles
        StWord:  state_q <= StAccess;
        StAccess: if (host_ready_i) begin
          if (op_q == OpRead) begin
            state_q <= StAnswer;
          end else begin
            index_q <= last_word ? 8'd0 : index_q + 8'd1;
            state_q <= last_word ? StReply : StFetch;
          end
        end
        StAnswer: if (host_rvalid_i) begin
          index_q <= last_word ? 8'd0 : index_q + 8'd1;
          state_q <= last_word ? StReply : StFetch;
        end
        StReply: if (sent) begin
          byte_q <= byte_q + 2'd1;
          if (byte_q == 2'd3) state_q <= words_follow ? StWords : StEnd;
        end
        StWords: if (sent) begin
          byte_q <= byte_q + 2'd1;
          if (byte_q == 2'd3) begin
            index_q <= index_q + 8'd1;
            if (last_word) state_q <= StEnd;
          end
        end
        StEnd: if (sent) begin
          byte_q <= byte_q + 2'd1;
          if (byte_q == 2'd1) state_q <= StSync;
        end
        default: state_q <= StSync;
      endcase
      if (receiving && (silent || (rx_valid_i && rx_bad_i))) state_q <= StSync;
    end
  end

  always_ff @(posedge clk_i) begin
    if (state_q == StHead && rx) begin
      if (byte_q == 2'd0) seq_q <= rx_data_i;
      if (byte_q == 2'd2) addr_q <= rx_data_i;
      if (byte_q == 2'd3) count_q <= rx_data_i;
    end
    if (state_q == StPayload && rx) word_q <= {rx_data_i, word_q[23:8]};
    if (state_q == StCheck && crc_q == '0 && known) last_seq_q <= seq_q;
    if (state_q == StSync || (state_q == StReply && byte_q == 2'd0)) crc_q <= 16'hFFFF;
    else if (receiving && rx) crc_q <= crc_d;
    else if (sent && state_q != StEnd) crc_q <= crc_d;
  end
endmodule
