/// Reads the next instruction into shadow registers while the current one runs. Past the end of
/// the program memory it offers `overrun` instead of an instruction.
module nbq_fetch #(
  parameter int unsigned ProgramDepth = 0  // 32-bit words, >= 32
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  input  logic                            start_i,  // begin at instruction 0
  input  logic                            clear_i,
  // program memory, latency 1
  output logic                            re_o,
  output logic [$clog2(ProgramDepth)-1:0] raddr_o,
  input  logic [31:0]                     rdata_i,
  // next instruction
  output logic                            valid_o,
  output logic                            overrun_o,
  output nbq_isa_pkg::instr_t             instr_o,
  output logic [nbq_pkg::PcBits-1:0]      pc_o,
  input  logic                            pop_i
);
  localparam int unsigned Words   = nbq_isa_pkg::InstrUsedWords;
  localparam int unsigned Count   = ProgramDepth / nbq_isa_pkg::InstrWords;  // instructions
  localparam int unsigned PcWidth = $clog2(Count + 1);
  localparam int unsigned AddrBits = $clog2(ProgramDepth);

  if (ProgramDepth < 32 || Count > (1 << nbq_pkg::PcBits)) begin : g_check
    $error("nbq_fetch: ProgramDepth must be 32 words at least and 2^20 at most");
  end

  logic                active_q;   // reading
  logic                taken_q;    // rdata_i is a word for the shadow
  logic                full_q;     // the shadow holds an instruction
  logic [3:0]          word_q;
  logic [PcWidth-1:0]  pc_q;
  logic [32*Words-1:0] shadow_q;
  logic                last_word;
  assign last_word = word_q == 4'(Words - 1);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      taken_q  <= 1'b0;
      full_q   <= 1'b0;
      word_q   <= '0;
      pc_q     <= '0;
    end else if (clear_i || start_i) begin
      active_q <= start_i;
      taken_q  <= 1'b0;
      full_q   <= 1'b0;
      word_q   <= '0;
      pc_q     <= '0;
    end else begin
      taken_q <= active_q && !overrun_o;
      if (active_q && !overrun_o) begin
        word_q <= word_q + 4'd1;
        if (last_word) active_q <= 1'b0;
      end
      if (taken_q && !active_q) full_q <= 1'b1;  // the last word arrives
      if (pop_i) begin
        full_q   <= 1'b0;
        active_q <= 1'b1;
        word_q   <= '0;
        pc_q     <= pc_q + PcWidth'(1);
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (taken_q) shadow_q <= {rdata_i, shadow_q[32*Words-1:32]};
  end

  assign re_o      = active_q;
  assign raddr_o   = AddrBits'({pc_q, word_q});
  assign overrun_o = active_q && pc_q == PcWidth'(Count);
  assign valid_o   = full_q || overrun_o;
  assign instr_o   = shadow_q;
  assign pc_o      = nbq_pkg::PcBits'(pc_q);
endmodule
