/// Serial line to bytes: 8 data bits, low first, no parity, one stop bit. A bit is read in its
/// middle; a start bit that is gone by then was noise, a missing stop bit marks the byte as bad.
module nbq_uart_rx #(
  parameter int unsigned ClocksPerBit = 0  // 8 at least: the edge is found to one clock
) (
  input  logic       clk_i,
  input  logic       rst_ni,
  input  logic       rx_i,     // from outside; synchronised here
  output logic       valid_o,  // for one cycle
  output logic       bad_o,    // with valid_o: no stop bit
  output logic [7:0] data_o
);
  if (ClocksPerBit < 8) begin : g_check
    $error("nbq_uart_rx: ClocksPerBit must be 8 at least");
  end
  localparam int unsigned CountBits = $clog2(ClocksPerBit);

  logic [2:0]           line_q;  // two to settle, one to compare with
  logic                 busy_q;
  logic [CountBits-1:0] count_q;
  logic [3:0]           bit_q;   // 0 start, 1..8 data, 9 stop
  logic [7:0]           data_q;
  logic                 line, fell, due;
  assign line   = line_q[1];
  assign fell   = line_q[2] && !line;
  assign due    = busy_q && count_q == '0;
  assign data_o = data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) line_q <= '1;
    else line_q <= {line_q[1:0], rx_i};
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      valid_o <= 1'b0;
      bad_o   <= 1'b0;
      count_q <= '0;
      bit_q   <= '0;
    end else begin
      valid_o <= due && bit_q == 4'd9;
      bad_o   <= due && bit_q == 4'd9 && !line;
      if (!busy_q) begin
        busy_q  <= fell;
        count_q <= CountBits'(ClocksPerBit / 2 - 1);
        bit_q   <= '0;
      end else if (due) begin
        busy_q  <= bit_q != 4'd9 && !(bit_q == 4'd0 && line);
        count_q <= CountBits'(ClocksPerBit - 1);
        bit_q   <= bit_q + 4'd1;
      end else begin
        count_q <= count_q - CountBits'(1);
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (due && bit_q != 4'd9) data_q <= {line, data_q[7:1]};
  end
endmodule
