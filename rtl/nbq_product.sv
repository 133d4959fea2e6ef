/// Product of a shift lane, a cycle later if Registered: x << (k-1), inverted for a negative code and
/// then 1 too low, which one_o makes up for; 0 for k = 0. "Minus zero" counts as 0 (-1 and one_o).
module nbq_product #(
  parameter int unsigned XBits    = 0,  // operand bits, signed
  parameter int unsigned CodeBits = 0,  // 2..5; the high bit is the sign, the rest k
  parameter bit          Registered = 1'b1,
  parameter int unsigned ProdBits = XBits + (1 << (CodeBits - 1)) - 2
) (
  input  logic                       clk_i,
  input  logic signed [XBits-1:0]    x_i,
  input  logic [CodeBits-1:0]        w_i,
  output logic signed [ProdBits-1:0] prod_o,
  output logic                       one_o
);
  localparam int unsigned MaxK = (1 << (CodeBits - 1)) - 1;

  if (XBits == 0 || CodeBits < 2 || CodeBits > 5) begin : g_check
    $error("nbq_product: XBits must be set and CodeBits be 2..5");
  end
  logic signed [ProdBits-1:0] x_ext, shifted;
  logic [CodeBits-2:0]        k;
  logic                       neg;
  assign x_ext    = ProdBits'(x_i);
  assign {neg, k} = w_i;
  always_comb begin
    shifted = '0;
    for (int unsigned i = 1; i <= MaxK; i++) begin
      if (32'(k) == i) shifted = x_ext << (i - 1);
    end
  end
  if (Registered) begin : g_register
    always_ff @(posedge clk_i) begin
      prod_o <= shifted ^ {ProdBits{neg}};
      one_o  <= neg;
    end
  end else begin : g_wire
    logic unused_clk;
    assign unused_clk = clk_i;
    assign prod_o = shifted ^ {ProdBits{neg}};
    assign one_o  = neg;
  end
endmodule
