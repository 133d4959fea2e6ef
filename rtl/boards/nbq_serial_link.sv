/// A serial line to the engine's host bus.
module nbq_serial_link #(
  parameter int unsigned ClocksPerBit  = 0,
  parameter int unsigned TimeoutCycles = 0
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        rx_i,
  output logic        tx_o,
  output logic        host_valid_o,
  input  logic        host_ready_i,
  output logic        host_write_o,
  output logic [7:0]  host_addr_o,
  output logic [31:0] host_wdata_o,
  input  logic        host_rvalid_i,
  input  logic [31:0] host_rdata_i
);
  logic       rx_valid, rx_bad, tx_valid, tx_ready;
  logic [7:0] rx_data, tx_data;
  nbq_uart_rx #(.ClocksPerBit(ClocksPerBit)) u_rx (
    .clk_i, .rst_ni, .rx_i, .valid_o(rx_valid), .bad_o(rx_bad), .data_o(rx_data)
  );
  nbq_uart_tx #(.ClocksPerBit(ClocksPerBit)) u_tx (
    .clk_i, .rst_ni, .valid_i(tx_valid), .ready_o(tx_ready), .data_i(tx_data), .tx_o
  );
  nbq_serial_host #(.TimeoutCycles(TimeoutCycles)) u_host (
    .clk_i, .rst_ni,
    .rx_valid_i(rx_valid), .rx_bad_i(rx_bad), .rx_data_i(rx_data),
    .tx_valid_o(tx_valid), .tx_ready_i(tx_ready), .tx_data_o(tx_data),
    .host_valid_o, .host_ready_i, .host_write_o, .host_addr_o, .host_wdata_o, .host_rvalid_i,
    .host_rdata_i
  );
endmodule
