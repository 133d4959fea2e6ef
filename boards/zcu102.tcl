# Vivado: a block design of the processing system and the engine for a ZCU102, to a bitstream.
#   vivado -mode batch -source boards/zcu102.tcl -tclargs IMAGE RTL BUILD
# IMAGE: what `nbq compile MODEL --board zcu102 -o IMAGE` wrote; RTL: the folder rtl; BUILD: a new folder.
# Address map: registers at 0xA0000000 (4 KB, AXI4-Lite), the engine's master sees the whole DDR through S_AXI_HP0.
# Not run by any test: Vivado is not free software. scripts/lint_rtl elaborates the top with other parameters.
lassign $argv image rtl build
if {$build eq ""} { error "usage: -tclargs IMAGE RTL BUILD" }
set in [open [file join $image config.json]]
set config [read $in]
close $in
if {![regexp {"device": "([^"]+)"} $config all part] || ![regexp {"clock_mhz": ([0-9.]+)} $config all mhz]} {
  error "config.json: no device or clock"
}
create_project nbq $build -part $part
set_property board_part [lindex [lsort [get_board_parts *:zcu102:*]] end] [current_project]

set list [open [file join $rtl files.f]]
foreach name [split [string trim [read $list]] "\n"] { add_files [file join $rtl $name] }
close $list
add_files [file join $image nbq_config.svh]
set_property include_dirs [list $image] [current_fileset]

# A block design refers to Verilog modules only: the engine's top in a shell of that language.
set axi [open [file join $image nbq_config.svh]]
if {![regexp {\.AxiBits\((\d+)\)} [read $axi] all bits]} { error "nbq_config.svh: no AxiBits" }
close $axi
set slave {input:12:awaddr input:1:awvalid output:1:awready input:32:wdata input:4:wstrb input:1:wvalid
  output:1:wready output:2:bresp output:1:bvalid input:1:bready input:12:araddr input:1:arvalid
  output:1:arready output:32:rdata output:2:rresp output:1:rvalid input:1:rready}
set master [list output:40:araddr output:8:arlen output:3:arsize output:2:arburst output:1:arvalid \
  input:1:arready input:$bits:rdata input:2:rresp input:1:rlast input:1:rvalid output:1:rready \
  output:40:awaddr output:8:awlen output:3:awsize output:2:awburst output:1:awvalid input:1:awready \
  output:$bits:wdata output:[expr {$bits / 8}]:wstrb output:1:wlast output:1:wvalid input:1:wready \
  input:2:bresp input:1:bvalid output:1:bready]
set ports [list "  (* X_INTERFACE_PARAMETER = \"ASSOCIATED_BUSIF s_axi:m_axi, ASSOCIATED_RESET rst_ni\" *) input clk_i" \
  "  input rst_ni" "  output irq_o"]
set links {.clk_i(clk_i) .rst_ni(rst_ni) .irq_o(irq_o) .busy_o()}
foreach {prefix pins} [list s_axi $slave m_axi $master] {
  foreach pin $pins {
    lassign [split $pin :] direction width name
    lappend ports "  $direction \[[expr {$width - 1}]:0\] ${prefix}_$name"
    lappend links ".${prefix}_${name}(${prefix}_$name)"
  }
}
set shell [file join $build nbq_shell.v]
set out [open $shell w]
puts $out "`include \"nbq_config.svh\"\nmodule nbq_shell (\n[join $ports ",\n"]\n);"
puts $out "nbq_axi_top #(`NBQ_ENGINE_PARAMETERS) u_top (\n[join $links ",\n"]\n);\nendmodule"
close $out
add_files $shell

create_bd_design nbq
set ps [create_bd_cell -type ip -vlnv xilinx.com:ip:zynq_ultra_ps_e ps]
apply_bd_automation -rule xilinx.com:bd_rule:zynq_ultra_ps_e -config {apply_board_preset 1} $ps
set_property -dict [list CONFIG.PSU__USE__M_AXI_GP0 1 CONFIG.PSU__USE__M_AXI_GP1 0 \
  CONFIG.PSU__USE__S_AXI_GP2 1 CONFIG.PSU__SAXIGP2__DATA_WIDTH $bits CONFIG.PSU__USE__IRQ0 1 \
  CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ $mhz] $ps
create_bd_cell -type module -reference nbq_shell engine
foreach {from to} {ps/M_AXI_HPM0_FPD engine/s_axi engine/m_axi ps/S_AXI_HP0_FPD} {
  apply_bd_automation -rule xilinx.com:bd_rule:axi4 -config [list Master /$from Slave /$to Clk_xbar Auto \
    Clk_master Auto Clk_slave Auto intc_ip Auto] [get_bd_intf_pins $to]
}
connect_bd_net [get_bd_pins engine/irq_o] [get_bd_pins ps/pl_ps_irq0]
assign_bd_address
set_property offset 0xA0000000 [get_bd_addr_segs ps/Data/SEG_engine_reg0]
set_property range 4K [get_bd_addr_segs ps/Data/SEG_engine_reg0]
validate_bd_design
save_bd_design
make_wrapper -top -import [get_files nbq.bd]
set_property top nbq_wrapper [current_fileset]
launch_runs impl_1 -to_step write_bitstream -jobs 4
wait_on_run impl_1
open_run impl_1
report_utilization -file [file join $build utilisation.txt]
report_timing_summary -file [file join $build timing.txt]
