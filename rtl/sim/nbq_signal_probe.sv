/// Shows a signal to the C++ side, cycle by cycle, under its hierarchical name: bound in twice over to
/// where the engine meets its memories, its arrays and the host, which `nbq energy --engine` leaves
/// out of its gates.
module nbq_signal_probe #(
  parameter int unsigned Width = 0
) (
  input logic             clk_i,
  input logic [Width-1:0] v_i
);
  localparam int unsigned Most = 16384;  // one type for every width; kMostSignalBits in src/hw/sim.h
  import "DPI-C" function int nbq_signal_open(input string path, input int width);
  import "DPI-C" function void nbq_signal(input int id, input bit [Most-1:0] v);
  if (Width > Most) begin : g_check
    $error("nbq_signal_probe: too wide");
  end
  int id;
  initial id = nbq_signal_open($sformatf("%m"), Width);
  always_ff @(posedge clk_i) nbq_signal(id, Most'(v_i));
endmodule

module nbq_ram_probe #(
  parameter int unsigned Width = 0, Columns = 0, AddrBits = 0
) (
  input logic                        clk_i,
  input logic [Columns-1:0]          we_i,
  input logic [AddrBits-1:0]         waddr_i,
  input logic [Width-1:0]            wdata_i,
  input logic [Columns-1:0]          re_i,
  input logic [Columns*AddrBits-1:0] raddr_i,
  input logic [Width-1:0]            rdata_o
);
  nbq_signal_probe #(.Width(Columns)) p_we_i (.clk_i, .v_i(we_i));
  nbq_signal_probe #(.Width(AddrBits)) p_waddr_i (.clk_i, .v_i(waddr_i));
  nbq_signal_probe #(.Width(Width)) p_wdata_i (.clk_i, .v_i(wdata_i));
  nbq_signal_probe #(.Width(Columns)) p_re_i (.clk_i, .v_i(re_i));
  nbq_signal_probe #(.Width(Columns*AddrBits)) p_raddr_i (.clk_i, .v_i(raddr_i));
  nbq_signal_probe #(.Width(Width)) p_rdata_o (.clk_i, .v_i(rdata_o));
endmodule
bind nbq_ram_piece nbq_ram_probe #(
  .Width(Width), .Columns(Columns), .AddrBits(AddrBits)
) u_probe (.clk_i, .we_i, .waddr_i, .wdata_i, .re_i, .raddr_i, .rdata_o);

module nbq_elements_probe #(
  parameter int unsigned XWidth = 0, WWidth = 0, DrainWidth = 0
) (
  input logic                  clk_i,
  input logic                  clear_i,
  input logic                  valid_i,
  input logic                  last_i,
  input logic                  up_i,
  input logic [XWidth-1:0]     x_i,
  input logic [WWidth-1:0]     w_i,
  input logic [DrainWidth-1:0] drain_o
);
  nbq_signal_probe #(.Width(1)) p_clear_i (.clk_i, .v_i(clear_i));
  nbq_signal_probe #(.Width(1)) p_valid_i (.clk_i, .v_i(valid_i));
  nbq_signal_probe #(.Width(1)) p_last_i (.clk_i, .v_i(last_i));
  nbq_signal_probe #(.Width(1)) p_up_i (.clk_i, .v_i(up_i));
  nbq_signal_probe #(.Width(XWidth)) p_x_i (.clk_i, .v_i(x_i));
  nbq_signal_probe #(.Width(WWidth)) p_w_i (.clk_i, .v_i(w_i));
  nbq_signal_probe #(.Width(DrainWidth)) p_drain_o (.clk_i, .v_i(drain_o));
endmodule
bind nbq_elements nbq_elements_probe #(
  .XWidth(Pixels * LanesIn * XBits), .WWidth(LanesOut * LanesIn * WBits),
  .DrainWidth(Pixels * LanesOut * AccBits)
) u_probe (.clk_i, .clear_i, .valid_i, .last_i, .up_i, .x_i, .w_i, .drain_o);

module nbq_host_probe (
  input logic        clk_i,
  input logic        rst_ni,
  input logic        host_valid_i,
  input logic        host_write_i,
  input logic [7:0]  host_addr_i,
  input logic [31:0] host_wdata_i,
  input logic        host_ready_o,
  input logic        host_rvalid_o,
  input logic [31:0] host_rdata_o,
  input logic        busy_o
);
  nbq_signal_probe #(.Width(1)) p_rst_ni (.clk_i, .v_i(rst_ni));
  nbq_signal_probe #(.Width(1)) p_host_valid_i (.clk_i, .v_i(host_valid_i));
  nbq_signal_probe #(.Width(1)) p_host_write_i (.clk_i, .v_i(host_write_i));
  nbq_signal_probe #(.Width(8)) p_host_addr_i (.clk_i, .v_i(host_addr_i));
  nbq_signal_probe #(.Width(32)) p_host_wdata_i (.clk_i, .v_i(host_wdata_i));
  nbq_signal_probe #(.Width(1)) p_host_ready_o (.clk_i, .v_i(host_ready_o));
  nbq_signal_probe #(.Width(1)) p_host_rvalid_o (.clk_i, .v_i(host_rvalid_o));
  nbq_signal_probe #(.Width(32)) p_host_rdata_o (.clk_i, .v_i(host_rdata_o));
  nbq_signal_probe #(.Width(1)) p_busy_o (.clk_i, .v_i(busy_o));
endmodule
bind nbq_engine nbq_host_probe u_probe (
  .clk_i, .rst_ni, .host_valid_i, .host_write_i, .host_addr_i, .host_wdata_i, .host_ready_o,
  .host_rvalid_o, .host_rdata_o, .busy_o
);
