/// nbq_serial_link behind the ports of cell_harness.cc. in_i: reset (low) at bit 0, serial line 1,
/// host bus ready 2, rvalid 3, rdata from 32. out_o: serial line 0, valid 1, write 2, address from
/// 8, data from 32.
module nbq_cell_link #(
  parameter int unsigned ClocksPerBit  = 0,
  parameter int unsigned TimeoutCycles = 0
) (
  input  logic         clk_i,
  input  logic [255:0] in_i,
  output logic [63:0]  out_o
);
  logic        tx, valid, write;
  logic [7:0]  addr;
  logic [31:0] wdata;
  nbq_serial_link #(.ClocksPerBit(ClocksPerBit), .TimeoutCycles(TimeoutCycles)) u_cell (
    .clk_i, .rst_ni(in_i[0]), .rx_i(in_i[1]), .tx_o(tx), .host_valid_o(valid),
    .host_ready_i(in_i[2]), .host_write_o(write), .host_addr_o(addr), .host_wdata_o(wdata),
    .host_rvalid_i(in_i[3]), .host_rdata_i(in_i[63:32])
  );
  assign out_o = {wdata, 16'h0, addr, 5'h0, write, valid, tx};
endmodule
