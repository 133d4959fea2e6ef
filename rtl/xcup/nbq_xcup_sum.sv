/// Accumulates Operands signed values and as many +1s a cycle with ternary adders, one lookup table
/// a bit and two operands: levels of them, each registered, until at most two values are left, which
/// the accumulator takes. Every adder takes two +1s, so that none is ever left over.
/// Latency nbq_pkg::ternary_levels(Operands) up to the accumulator.
module nbq_xcup_sum #(
  parameter int unsigned Operands = 0,
  parameter int unsigned Width    = 0,  // bits of an operand
  parameter int unsigned AccBits  = 0,
  parameter int unsigned UpBits   = 0   // 0: up_i is never set
) (
  input  logic                      clk_i,
  input  logic [Operands*Width-1:0] terms_i,
  input  logic [Operands-1:0]       ones_i,
  // aligned with the values at the accumulator
  input  logic                      valid_i,
  input  logic                      last_i,
  input  logic                      up_i,  // the accumulator goes up before the values are added
  input  logic                      restart_i,  // the accumulator becomes 0: after a last one
  output logic [AccBits-1:0]        drain_o
);
  localparam int unsigned Levels = nbq_pkg::ternary_levels(Operands);

  if (Operands == 0 || Width == 0 || AccBits == 0) begin : g_check
    $error("nbq_xcup_sum: a parameter is unset");
  end
  // Values that are left after `levels` levels.
  function automatic int unsigned left(int unsigned levels);
    left = Operands;
    for (int unsigned l = 0; l < levels; l++) left = left / 3 + left % 3;
  endfunction
  // Bits of a value after `levels` levels: it sums up at most 3^levels operands.
  function automatic int unsigned width(int unsigned levels);
    width = 1;
    for (int unsigned l = 0; l < levels; l++) width = width * 3;
    width = Width + $clog2(width < Operands ? width : Operands);
  endfunction

  for (genvar l = 0; l <= Levels; l++) begin : g_level
    localparam int unsigned Count = left(l);
    localparam int unsigned Bits  = width(l);
    logic [Count*Bits-1:0] v;
    logic [Count-1:0]      one;
    if (l == 0) begin : g_leaves
      assign v   = terms_i;
      assign one = ones_i;
    end else begin : g_adders
      localparam int unsigned Adders = left(l - 1) / 3;
      localparam int unsigned InBits = width(l - 1);
      for (genvar i = 0; i < Count; i++) begin : g_node
        logic signed [Bits-1:0] sum;
        logic                   kept;
        if (i < Adders) begin : g_add
          logic signed [InBits-1:0] a, b, c;
          assign {c, b, a} = g_level[l-1].v[3*i*InBits +: 3*InBits];
          nbq_xcup_add3 #(.Width(Bits)) u_add (
            .a_i(Bits'(a)), .b_i(Bits'(b)), .c_i(Bits'(c)), .neg_i(1'b0),
            .ones_i(g_level[l-1].one[3*i +: 2]), .sum_o(sum)
          );
          assign kept = g_level[l-1].one[3*i+2];
        end else begin : g_pass
          logic signed [InBits-1:0] a;
          assign a    = g_level[l-1].v[(i+2*Adders)*InBits +: InBits];
          assign sum  = Bits'(a);
          assign kept = g_level[l-1].one[i+2*Adders];
        end
        always_ff @(posedge clk_i) begin
          v[i*Bits +: Bits] <= sum;
          one[i]            <= kept;
        end
      end
    end
  end

  localparam int unsigned Count = left(Levels);
  localparam int unsigned Bits  = width(Levels);
  logic signed [Bits-1:0] a, b;
  logic [1:0]             ones;
  logic [AccBits-1:0]     base, acc_d, acc_q, drain_q;
  if (Count == 1) begin : g_one
    assign a    = g_level[Levels].v;
    assign b    = '0;
    assign ones = {1'b0, g_level[Levels].one};
  end else begin : g_two
    assign {b, a} = g_level[Levels].v;
    assign ones   = g_level[Levels].one;
  end
  assign base = UpBits != 0 && up_i ? acc_q << UpBits : acc_q;
  nbq_xcup_add3 #(.Width(AccBits)) u_acc (
    .a_i(base), .b_i(AccBits'(a)), .c_i(AccBits'(b)), .neg_i(1'b0), .ones_i(ones), .sum_o(acc_d)
  );
  always_ff @(posedge clk_i) begin
    if (restart_i) acc_q <= '0;
    else if (valid_i) acc_q <= acc_d;
    if (last_i) drain_q <= acc_d;
  end
  assign drain_o = drain_q;
endmodule
