// For yosys's techmap: a signed product as one sum of rows, for `nbq energy`. Baugh and Wooley's rows
// need no sign extension; yosys's own mapping of a signed $mul extends every row to the full width,
// which would make the multiplier a weak baseline. The narrower operand gives the rows.
(* techmap_celltype = "$mul" *)
module nbq_mul_map (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input  [A_WIDTH-1:0] A;
  input  [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;

  localparam Rows = A_WIDTH < B_WIDTH ? A_WIDTH : B_WIDTH;
  localparam Columns = A_WIDTH < B_WIDTH ? B_WIDTH : A_WIDTH;
  localparam Width = Rows + Columns;
  wire _TECHMAP_FAIL_ = !A_SIGNED || !B_SIGNED || Rows < 2;

  wire [Rows-1:0]    r;
  wire [Columns-1:0] c;
  assign r = A_WIDTH < B_WIDTH ? A : B;
  assign c = A_WIDTH < B_WIDTH ? B : A;

  // Partial sums side by side: the chain of additions becomes one carry-save tree.
  wire [Width*(Rows+1)-1:0] sums;
  localparam [Width-1:0] One = 1;
  assign sums[Width-1:0] = (One << (Rows - 1)) + (One << (Columns - 1)) + (One << (Width - 1));
  genvar i;
  generate
    for (i = 0; i < Rows; i = i + 1) begin : g_row
      wire [Columns-1:0] product;
      wire [Width-1:0]   row;
      assign product = c & {Columns{r[i]}};
      // The bits with exactly one sign among their factors enter inverted.
      assign row = i == Rows - 1 ? {product[Columns-1], ~product[Columns-2:0]}
                                 : {~product[Columns-1], product[Columns-2:0]};
      assign sums[Width*(i+1) +: Width] = sums[Width*i +: Width] + (row << i);
    end
  endgenerate
  wire signed [Width-1:0] full;
  assign full = sums[Width*Rows +: Width];
  assign Y = full;
endmodule
