/// Delays a bundle by Cycles >= 0 clock cycles; clear_i empties it to 0 (for valid bits).
module nbq_delay #(
  parameter int unsigned Width  = 0,
  parameter int unsigned Cycles = 0
) (
  input  logic             clk_i,
  input  logic             clear_i,
  input  logic [Width-1:0] d_i,
  output logic [Width-1:0] q_o
);
  if (Width == 0) begin : g_check
    $error("nbq_delay: Width must be set");
  end
  for (genvar i = 0; i <= Cycles; i++) begin : g_stage
    logic [Width-1:0] q;
    if (i == 0) begin : g_in
      assign q = d_i;
    end else begin : g_reg
      always_ff @(posedge clk_i) begin
        if (clear_i) q <= '0;
        else q <= g_stage[i-1].q;
      end
    end
  end
  assign q_o = g_stage[Cycles].q;
  if (Cycles == 0) begin : g_wire
    logic unused_clk;
    assign unused_clk = clk_i ^ clear_i;
  end
endmodule
