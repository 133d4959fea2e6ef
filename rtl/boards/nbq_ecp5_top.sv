`include "nbq_config.svh"  // made for one network and board: src/hw/board_image.cc

/// An ECP5 board: clock from the PLL, the engine, and a serial line to it. Program, weights and
/// parameters lie in block RAM from configuration on, so images can be sent at once.
module nbq_ecp5_top (
  input  logic       clk_i,
  input  logic       rst_ni,     // button
  input  logic       uart_rx_i,
  output logic       uart_tx_o,
  output logic [7:0] led_o       // alive, locked, busy, byte from / to the host
);
  // ---- clock and reset --------------------------------------------------------------------------
  logic       clk, locked, rst_n;
  logic [3:0] reset_q;
  (* FREQUENCY_PIN_CLKI = `NBQ_INPUT_MHZ *)
  (* FREQUENCY_PIN_CLKOP = `NBQ_ENGINE_MHZ *)
  (* ICP_CURRENT = "12" *) (* LPF_RESISTOR = "8" *)
  EHXPLLL #(
    .PLLRST_ENA("DISABLED"), .INTFB_WAKE("DISABLED"), .STDBY_ENABLE("DISABLED"),
    .DPHASE_SOURCE("DISABLED"), .OUTDIVIDER_MUXA("DIVA"), .OUTDIVIDER_MUXB("DIVB"),
    .OUTDIVIDER_MUXC("DIVC"), .OUTDIVIDER_MUXD("DIVD"), .CLKOP_ENABLE("ENABLED"),
    .CLKI_DIV(`NBQ_PLL_REFCLK), .CLKFB_DIV(`NBQ_PLL_FEEDBACK), .CLKOP_DIV(`NBQ_PLL_OUTPUT),
    .CLKOP_CPHASE(`NBQ_PLL_OUTPUT - 1), .CLKOP_FPHASE(0), .FEEDBK_PATH("CLKOP")
  ) u_pll (
    .RST(1'b0), .STDBY(1'b0), .CLKI(clk_i), .CLKOP(clk), .CLKFB(clk), .CLKINTFB(),
    .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b1), .PHASESTEP(1'b1), .PHASELOADREG(1'b1),
    .PLLWAKESYNC(1'b0), .ENCLKOP(1'b0), .LOCK(locked)
  );
  always_ff @(posedge clk or negedge locked) begin
    if (!locked) reset_q <= '0;
    else reset_q <= {reset_q[2:0], rst_ni};
  end
  assign rst_n = reset_q[3];

  // ---- engine -----------------------------------------------------------------------------------
  logic        valid, ready, write, rvalid, busy;
  logic [7:0]  addr;
  logic [31:0] wdata, rdata;
  nbq_serial_link #(
    .ClocksPerBit(`NBQ_CLOCKS_PER_BIT), .TimeoutCycles(`NBQ_SILENCE_CYCLES)
  ) u_link (
    .clk_i(clk), .rst_ni(rst_n), .rx_i(uart_rx_i), .tx_o(uart_tx_o),
    .host_valid_o(valid), .host_ready_i(ready), .host_write_o(write), .host_addr_o(addr),
    .host_wdata_o(wdata), .host_rvalid_i(rvalid), .host_rdata_i(rdata)
  );
  nbq_engine #(`NBQ_ENGINE_PARAMETERS) u_engine (
    .clk_i(clk), .rst_ni(rst_n), .host_valid_i(valid), .host_ready_o(ready), .host_write_i(write),
    .host_addr_i(addr), .host_wdata_i(wdata), .host_rvalid_o(rvalid), .host_rdata_o(rdata),
    .busy_o(busy)
  );

  // ---- lights -----------------------------------------------------------------------------------
  logic [25:0] alive_q;
  logic [7:0]  led;
  always_ff @(posedge clk) alive_q <= alive_q + 26'd1;
  assign led   = {3'b000, !uart_tx_o, !uart_rx_i, busy, locked, alive_q[25]};
  assign led_o = led ^ {8{`NBQ_LED_ACTIVE_LOW}};
endmodule
