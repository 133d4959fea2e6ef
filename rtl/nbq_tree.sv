/// Pipelined sum of Operands signed values and of as many single +1s: the adders of the tree take
/// Operands - 1 of them as carries in, the last one leaves with the sum for the accumulator's.
/// So the +1s that complete one's complements cost one adder bit each.
/// A register after every Every levels and after the last: latency ceil(log2(Operands) / Every).
module nbq_tree #(
  parameter int unsigned Operands = 0,  // a power of two >= 2
  parameter int unsigned Width    = 0,  // bits of an operand, signed
  parameter int unsigned Every    = 2,
  parameter int unsigned SumBits  = Width + $clog2(Operands)
) (
  input  logic                      clk_i,
  input  logic [Operands*Width-1:0] terms_i,
  input  logic [Operands-1:0]       ones_i,
  output logic signed [SumBits-1:0] sum_o,
  output logic                      one_o
);
  localparam int unsigned Levels = $clog2(Operands);

  if (Operands < 2 || (Operands & (Operands - 1)) != 0 || Width == 0) begin : g_check
    $error("nbq_tree: Operands must be a power of two >= 2 and Width set");
  end
  // Level l has Operands >> l values of Width + l bits and as many +1s left to add.
  for (genvar l = 0; l <= Levels; l++) begin : g_level
    for (genvar i = 0; i < (Operands >> l); i++) begin : g_node
      logic signed [Width+l-1:0] v;
      logic                      one;
      if (l == 0) begin : g_leaf
        assign v   = terms_i[i*Width +: Width];
        assign one = ones_i[i];
      end else begin : g_add
        // The bit below the sum makes the carry in: 1 + one carries exactly when `one` is set.
        logic signed [Width+l:0] a, b, s;
        assign a = {g_level[l-1].g_node[2*i].v[Width+l-2],
                    g_level[l-1].g_node[2*i].v, 1'b1};
        assign b = {g_level[l-1].g_node[2*i+1].v[Width+l-2],
                    g_level[l-1].g_node[2*i+1].v, g_level[l-1].g_node[2*i].one};
        assign s = a + b;
        logic unused_low;
        assign unused_low = s[0];
        if (l % Every == 0 || l == Levels) begin : g_reg
          always_ff @(posedge clk_i) begin
            v   <= s[Width+l:1];
            one <= g_level[l-1].g_node[2*i+1].one;
          end
        end else begin : g_wire
          assign v   = s[Width+l:1];
          assign one = g_level[l-1].g_node[2*i+1].one;
        end
      end
    end
  end
  assign sum_o = g_level[Levels].g_node[0].v;
  assign one_o = g_level[Levels].g_node[0].one;
endmodule
