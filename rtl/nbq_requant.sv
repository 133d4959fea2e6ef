/// y = clamp(rshift(v, shift), lo, hi): shifts and adds only, latency 3, one value a cycle.
/// shift > 0: (v + 2^(shift-1)) >>> shift, round half up, computed as ((v >>> (shift-1)) + 1) >>> 1
/// so that nothing overflows and a shift beyond the width gives 0. shift <= 0 (-MaxLeft at least): the
/// same shifter takes v * 2^16 and shifts it right by 16 + shift, exactly; v may be saturated to
/// 18 bits before, because lo <= 0 <= hi and a left shift only moves a value away from 0. With a small
/// MaxLeft every v goes MaxLeft + 1 places up, without a choice, and comes back by MaxLeft + shift.
/// Bit-exact with requantize() in src/core/fixed_point.h.
module nbq_requant #(
  parameter int unsigned Width   = 0,  // bits of v, >= 21
  parameter int unsigned MaxLeft = 15
) (
  input  logic                    clk_i,
  input  logic signed [Width-1:0] v_i,
  input  logic signed [6:0]       shift_i,
  input  logic signed [17:0]      lo_i,  // constant while values are under way
  input  logic signed [17:0]      hi_i,
  output logic signed [17:0]      y_o
);
  localparam bit          Near = MaxLeft <= 3;
  localparam int unsigned Wide = Near ? Width + MaxLeft + 1 : Width > 34 ? Width : 34;

  if (Width < 21 || MaxLeft > 15) begin : g_check
    $error("nbq_requant: Width must be 21 at least and MaxLeft 15 at most");
  end

  // Stage 1: operand and shift, all but the last place.
  logic signed [Wide-1:0] in_q;
  logic [6:0]             amount_q;
  if (Near) begin : g_near
    always_ff @(posedge clk_i) begin
      in_q     <= {v_i, {(MaxLeft+1){1'b0}}};
      amount_q <= 7'(shift_i) + 7'(MaxLeft);
    end
  end else begin : g_far
    logic        right, fits_18;
    logic [17:0] v_18;
    assign right   = !shift_i[6] && shift_i[5:0] != 6'd0;
    assign fits_18 = v_i[Width-1:17] == {(Width-17){v_i[Width-1]}};
    assign v_18    = fits_18 ? v_i[17:0] : {v_i[Width-1], {17{!v_i[Width-1]}}};
    always_ff @(posedge clk_i) begin
      in_q     <= right ? Wide'(v_i) : Wide'($signed({v_18, 16'd0}));
      amount_q <= right ? {1'b0, shift_i[5:0] - 6'd1} : {3'd0, 4'd15 + shift_i[3:0]};
    end
  end

  // Stage 2: shift. 20 bits are enough from there on: what does not fit lies beyond lo or hi,
  // even halved.
  logic signed [Wide-1:0] t;
  logic                   fits_20;
  logic signed [19:0]     t_q;
  assign t       = in_q >>> amount_q;
  assign fits_20 = t[Wide-1:19] == {(Wide-19){t[Wide-1]}};
  always_ff @(posedge clk_i) begin
    t_q <= fits_20 ? t[19:0] : {t[Wide-1], {19{!t[Wide-1]}}};
  end

  // Stage 3: round and clamp.
  logic signed [19:0] r;
  assign r = (t_q >>> 1) + $signed({19'd0, t_q[0]});
  always_ff @(posedge clk_i) begin
    y_o <= r < 20'(lo_i) ? lo_i : r > 20'(hi_i) ? hi_i : r[17:0];
  end
endmodule
