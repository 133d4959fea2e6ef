/// Bytes to a serial line: 8 data bits, low first, no parity, one stop bit.
module nbq_uart_tx #(
  parameter int unsigned ClocksPerBit = 0
) (
  input  logic       clk_i,
  input  logic       rst_ni,
  input  logic       valid_i,
  output logic       ready_o,
  input  logic [7:0] data_i,
  output logic       tx_o
);
  localparam int unsigned CountBits = $clog2(ClocksPerBit);

  logic                 busy_q;
  logic [CountBits-1:0] count_q;
  logic [3:0]           bits_q;  // bits that are still to come
  logic [8:0]           data_q;  // the stop bit above the data
  logic                 due;
  assign due     = count_q == '0;
  assign ready_o = !busy_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      count_q <= '0;
      bits_q  <= '0;
      tx_o    <= 1'b1;
    end else if (!busy_q) begin
      busy_q  <= valid_i;
      tx_o    <= !valid_i;
      count_q <= CountBits'(ClocksPerBit - 1);
      bits_q  <= 4'd9;
    end else if (due) begin
      busy_q  <= bits_q != '0;
      tx_o    <= bits_q == '0 || data_q[0];
      count_q <= CountBits'(ClocksPerBit - 1);
      bits_q  <= bits_q - 4'd1;
    end else begin
      count_q <= count_q - CountBits'(1);
    end
  end
  always_ff @(posedge clk_i) begin
    if (!busy_q) data_q <= {1'b1, data_i};
    else if (due) data_q <= {1'b1, data_q[8:1]};
  end
endmodule
