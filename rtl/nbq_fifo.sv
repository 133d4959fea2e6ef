/// First in, first out: Depth words in registers. A word that is pushed can be popped the cycle after.
module nbq_fifo #(
  parameter int unsigned Width = 0,
  parameter int unsigned Depth = 0  // a power of two >= 2
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             valid_i,
  output logic             ready_o,
  input  logic [Width-1:0] data_i,
  output logic             valid_o,
  input  logic             ready_i,
  output logic [Width-1:0] data_o
);
  localparam int unsigned PtrBits = $clog2(Depth);

  if (Width == 0 || Depth < 2 || (Depth & (Depth - 1)) != 0) begin : g_check
    $error("nbq_fifo: Width must be set and Depth a power of two");
  end

  logic [Width-1:0] mem[0:Depth-1];
  logic [PtrBits:0] head_q, tail_q;  // one bit more than an index: full and empty differ
  assign valid_o = head_q != tail_q;
  assign ready_o = (head_q ^ tail_q) != (PtrBits+1)'(Depth);
  assign data_o  = mem[head_q[PtrBits-1:0]];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_q <= '0;
      tail_q <= '0;
    end else begin
      if (valid_i && ready_o) tail_q <= tail_q + (PtrBits+1)'(1);
      if (valid_o && ready_i) head_q <= head_q + (PtrBits+1)'(1);
    end
  end
  always_ff @(posedge clk_i) begin
    if (valid_i && ready_o) mem[tail_q[PtrBits-1:0]] <= data_i;
  end
endmodule
