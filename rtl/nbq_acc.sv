/// Output-stationary accumulator and the drain register that holds a finished sum. The last value of
/// a sum goes to the drain register only and leaves 0 behind, which saves a multiplexer before the
/// adder. The bit below the sum carries `one` in, as in nbq_tree.
module nbq_acc #(
  parameter int unsigned SumBits = 0,
  parameter int unsigned AccBits = 0,
  parameter int unsigned UpBits  = 0   // 0: up_i is never set
) (
  input  logic                      clk_i,
  input  logic signed [SumBits-1:0] sum_i,
  input  logic                      one_i,
  input  logic                      valid_i,
  input  logic                      last_i,
  input  logic                      up_i,  // the accumulator goes up before the sum is added
  input  logic                      restart_i,  // the accumulator becomes 0: after a last one
  output logic [AccBits-1:0]        drain_o
);
  logic [AccBits-1:0] acc_q, drain_q;
  logic [AccBits:0]   acc_d;
  logic [AccBits-1:0] base;
  assign base = UpBits != 0 && up_i ? acc_q << UpBits : acc_q;
  assign acc_d  = {base, 1'b1} + {AccBits'(sum_i), one_i};
  always_ff @(posedge clk_i) begin
    if (restart_i) acc_q <= '0;
    else if (valid_i) acc_q <= acc_d[AccBits:1];
    if (last_i) drain_q <= acc_d[AccBits:1];
  end
  assign drain_o = drain_q;
  logic unused_low;
  assign unused_low = acc_d[0];
endmodule
