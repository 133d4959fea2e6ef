#include "hw/energy/gates.h"

#include "core/file.h"
#include "core/log.h"
#include "core/process.h"

namespace nbq::hw {
namespace {

namespace fs = std::filesystem;
/// Verilog that turns yosys's $fa into the library's full adders: ABC can't find cells of two
/// outputs. Bits with a constant stay logic, which it simplifies.
std::string adder_map(const LibraryCell& fa) {
  const bool first_is_sum = fa.outputs[0].function.table == 0x96;
  const std::string& sum = fa.outputs[first_is_sum ? 0 : 1].name;
  const std::string& carry = fa.outputs[first_is_sum ? 1 : 0].name;
  return fmt::format(R"((* techmap_celltype = "$fa" *)
module nbq_fa_map (A, B, C, X, Y);
  parameter WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTMSK_C_ = 0;
  input [WIDTH-1:0] A, B, C;
  output [WIDTH-1:0] X, Y;
  genvar i;
  generate
    for (i = 0; i < WIDTH; i = i + 1) begin : g_bit
      if (_TECHMAP_CONSTMSK_A_[i] || _TECHMAP_CONSTMSK_B_[i] || _TECHMAP_CONSTMSK_C_[i]) begin
        assign Y[i] = A[i] ^ B[i] ^ C[i];
        assign X[i] = (A[i] & B[i]) | (C[i] & (A[i] | B[i]));
      end else begin
        {0} u_fa (.{1}(A[i]), .{2}(B[i]), .{3}(C[i]), .{4}(X[i]), .{5}(Y[i]));
      end
    end
  endgenerate
endmodule
)",
                     fa.name, fa.inputs[0], fa.inputs[1], fa.inputs[2], carry, sum);
}

std::string script(const GateRequest& r, const std::vector<fs::path>& files,
                   const CellLibrary& library) {
  std::string s = "read_liberty -lib -ignore_miss_func cells.lib\nread_verilog -sv -defer";
  for (const fs::path& f : files) s += fmt::format(" \"{}\"", f.string());
  s += fmt::format("\nhierarchy -check -top {}", r.top);
  for (const auto& [name, value] : r.parameters) s += fmt::format(" -chparam {} {}", name, value);
  s += fmt::format(
      "\n{3}synth -flatten -top {0} -run begin:coarse\n"
      "proc\nflatten\nopt_expr\nopt_clean\nwreduce\n"
      "techmap -map \"{1}\"\nopt\n"
      "synth -flatten -top {0} -run coarse:fine\nmaccmap\nopt\n{2}",
      r.top, (rtl_dir() / "techmap" / "nbq_mul_map.v").string(),
      library.full_adder.empty() ? "" : "techmap -map adders.v\nopt -full\n", r.prepare);
  s += fmt::format(
      "synth -flatten -top {} -run fine:\ndfflibmap -liberty cells.lib\n"
      "abc -liberty cells.lib -D {:.0f}{}\nsplitnets\nopt_clean -purge\n"
      "write_json gates.json\nwrite_verilog -noattr -noexpr -nohex -nodec gates.v\n",
      r.top, 1e6 / r.clock_mhz, library.buffer.empty() ? "" : " -constr drive.sdc");
  return s;
}

Status synthesise(const fs::path& yosys, const fs::path& dir, const std::string& commands,
                  const CellLibrary& library) {
  NBQ_TRY(write_file(dir / "cells.lib", library.text));
  NBQ_TRY(write_file(dir / "gates.ys", commands));
  NBQ_TRY(write_file(dir / "drive.sdc",
                     fmt::format("set_driving_cell {}\nset_load 0.01\n", library.buffer)));
  if (!library.full_adder.empty())
    NBQ_TRY(write_file(dir / "adders.v", adder_map(library.cells.at(library.full_adder))));
  NBQ_ASSIGN(const ProcessResult run, run_process({yosys.string(), "-q", "-s", "gates.ys"}, dir));
  if (run.exit_code != 0)
    return make_error(ErrorCode::kBadFile, "yosys failed: {}", log_tail(run.output, 10));
  return ok_status();
}

}  // namespace

Result<Gates> map_gates(const GateRequest& r, const CellLibrary& library) {
  NBQ_ASSIGN(const fs::path yosys, find_tool("yosys", "yosys"));
  NBQ_ASSIGN(const std::string version, version_of({yosys.string(), "-V"}));
  std::vector<fs::path> hashed = r.sources;
  hashed.push_back(rtl_dir() / "techmap" / "nbq_mul_map.v");
  std::string recipe = version + script(r, {}, library) + library.text;
  if (!library.full_adder.empty()) recipe += adder_map(library.cells.at(library.full_adder));
  NBQ_ASSIGN(const std::string key, build_key(r.parameters, hashed, recipe));
  const fs::path json = cache_dir() / "gates" / fmt::format("{}.json", key);
  const fs::path verilog = cache_dir() / "gates" / fmt::format("{}.v", key);

  std::error_code ec;
  if (!fs::exists(json, ec) || !fs::exists(verilog, ec)) {
    NBQ_ASSIGN(const ScratchDir scratch, ScratchDir::beside(json));
    log_debug("mapping {}", json.string());
    NBQ_TRY(synthesise(yosys, scratch.path(), script(r, r.sources, library), library));
    NBQ_TRY(commit_file(scratch.path() / "gates.v", verilog));
    NBQ_TRY(commit_file(scratch.path() / "gates.json", json));
  }
  Gates gates;
  NBQ_ASSIGN(const std::string text, read_text_file(json));
  NBQ_ASSIGN(gates.netlist, read_netlist(text, r.top, "clk_i", library));
  NBQ_ASSIGN(gates.verilog, read_text_file(verilog));
  return gates;
}

}  // namespace nbq::hw
