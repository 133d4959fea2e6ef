/// A register that logic synthesis leaves alone: it keeps equal copies apart, so that each drives
/// its own part of a broadcast.
(* keep_hierarchy = "yes" *)
module nbq_copy #(
  parameter int unsigned Width = 0
) (
  input  logic             clk_i,
  input  logic [Width-1:0] d_i,
  output logic [Width-1:0] q_o
);
  if (Width == 0) begin : g_check
    $error("nbq_copy: Width must be set");
  end
  always_ff @(posedge clk_i) q_o <= d_i;
endmodule
