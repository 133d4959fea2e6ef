/// AXI4-Lite slave in front of the engine's host bus: register r of spec/isa.def at byte 4 * r of a
/// window of 4 KB; one access at a time. SLVERR answers an address without such a register, a
/// misaligned one and a write of less than 32 bits. Keeps register `irq` and the interrupt itself.
module nbq_axil (
  input  logic        clk_i,
  input  logic        rst_ni,
  // bus
  input  logic        awvalid_i,
  output logic        awready_o,
  input  logic [11:0] awaddr_i,
  input  logic        wvalid_i,
  output logic        wready_o,
  input  logic [31:0] wdata_i,
  input  logic [3:0]  wstrb_i,
  output logic        bvalid_o,
  input  logic        bready_i,
  output logic [1:0]  bresp_o,
  input  logic        arvalid_i,
  output logic        arready_o,
  input  logic [11:0] araddr_i,
  output logic        rvalid_o,
  input  logic        rready_i,
  output logic [31:0] rdata_o,
  output logic [1:0]  rresp_o,
  output logic        irq_o,
  // engine
  input  logic        busy_i,
  output logic        host_valid_o,
  input  logic        host_ready_i,
  output logic        host_write_o,
  output logic [7:0]  host_addr_o,
  output logic [31:0] host_wdata_o,
  input  logic        host_rvalid_i,
  input  logic [31:0] host_rdata_i
);
  localparam logic [1:0] RespOk = 2'b00, RespSlvErr = 2'b10;

  // ---- access ---------------------------------------------------------------------------------
  typedef enum logic [1:0] {StIdle, StOffer, StAnswer, StRespond} state_e;
  state_e      state_q;
  logic        write_q, error_q;
  logic [7:0]  index_q;
  logic [31:0] data_q;
  logic        take_write, take_read, is_irq, irq_write;
  logic [11:0] addr;
  logic [63:0] allowed;
  assign take_write = state_q == StIdle && awvalid_i && wvalid_i;
  assign take_read  = state_q == StIdle && arvalid_i && !take_write;
  assign addr       = take_write ? awaddr_i : araddr_i;
  assign allowed    = take_write ? nbq_isa_pkg::RegWritable : nbq_isa_pkg::RegReadable;
  assign is_irq     = addr[11:2] == 10'(nbq_isa_pkg::RegIrq);

  logic bad_access, responded;
  assign bad_access = addr[1:0] != '0 || addr[11:8] != '0 || !allowed[addr[7:2]] ||
                      (take_write && wstrb_i != '1);
  assign irq_write  = take_write && is_irq && !bad_access;
  assign responded  = write_q ? bready_i : rready_i;

  logic [1:0] irq_q;  // pending, enable
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      write_q <= 1'b0;
      error_q <= 1'b0;
    end else begin
      unique case (state_q)
        StIdle: begin
          write_q <= take_write;
          error_q <= bad_access;
          if (take_write || take_read) state_q <= bad_access || is_irq ? StRespond : StOffer;
        end
        StOffer:  if (host_ready_i) state_q <= write_q ? StRespond : StAnswer;
        StAnswer: if (host_rvalid_i) state_q <= StRespond;
        default:  if (responded) state_q <= StIdle;
      endcase
    end
  end
  always_ff @(posedge clk_i) begin
    if (state_q == StIdle) begin
      index_q <= {2'b00, addr[7:2]};
      data_q  <= take_write ? wdata_i : 32'(irq_q);
    end else if (state_q == StAnswer) begin
      data_q <= host_rdata_i;
    end
  end

  assign awready_o    = take_write;
  assign wready_o     = take_write;
  assign arready_o    = take_read;
  assign bvalid_o     = state_q == StRespond && write_q;
  assign rvalid_o     = state_q == StRespond && !write_q;
  assign bresp_o      = error_q ? RespSlvErr : RespOk;
  assign rresp_o      = bresp_o;
  assign rdata_o      = error_q ? '0 : data_q;
  assign host_valid_o = state_q == StOffer;
  assign host_write_o = write_q;
  assign host_addr_o  = index_q;
  assign host_wdata_o = data_q;

  // ---- interrupt ------------------------------------------------------------------------------
  logic busy_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      irq_q  <= '0;
    end else begin
      busy_q <= busy_i;
      if (irq_write) irq_q[0] <= wdata_i[0];
      if (busy_q && !busy_i) irq_q[1] <= 1'b1;
      else if (irq_write && wdata_i[1]) irq_q[1] <= 1'b0;
    end
  end
  assign irq_o = irq_q == 2'b11;
endmodule
