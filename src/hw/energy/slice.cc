#include "hw/energy/slice.h"

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

std::string script(const SliceRequest& r, const std::vector<fs::path>& files,
                   const CellLibrary& library) {
  std::string s = "read_liberty -lib -ignore_miss_func cells.lib\nread_verilog -sv -defer";
  for (const fs::path& f : files) s += fmt::format(" \"{}\"", f.string());
  s += fmt::format("\nhierarchy -check -top {}", kSliceTop);
  for (const auto& [name, value] : slice_parameters(r))
    s += fmt::format(" -chparam {} {}", name, value);
  s += fmt::format(
      "\nsynth -flatten -top {0} -run begin:coarse\n"
      "proc\nflatten\nopt_expr\nopt_clean\nwreduce\n"
      "techmap -map \"{1}\"\nopt\n"
      "synth -flatten -top {0} -run coarse:fine\nmaccmap\nopt\n",
      kSliceTop, (rtl_dir() / "techmap" / "nbq_mul_map.v").string());
  if (!library.full_adder.empty()) s += "techmap -map adders.v\nopt -full\n";
  s += fmt::format(
      "synth -flatten -top {} -run fine:\ndfflibmap -liberty cells.lib\n"
      "abc -liberty cells.lib -D {:.0f}{}\nsplitnets\nopt_clean -purge\n"
      "write_json slice.json\nwrite_verilog -noattr -noexpr -nohex -nodec slice.v\n",
      kSliceTop, 1e6 / r.clock_mhz, library.buffer.empty() ? "" : " -constr drive.sdc");
  return s;
}

Status synthesise(const fs::path& yosys, const fs::path& dir, const std::string& commands,
                  const CellLibrary& library) {
  NBQ_TRY(write_file(dir / "cells.lib", library.text));
  NBQ_TRY(write_file(dir / "slice.ys", commands));
  NBQ_TRY(write_file(dir / "drive.sdc",
                     fmt::format("set_driving_cell {}\nset_load 0.01\n", library.buffer)));
  if (!library.full_adder.empty())
    NBQ_TRY(write_file(dir / "adders.v", adder_map(library.cells.at(library.full_adder))));
  NBQ_ASSIGN(const ProcessResult run, run_process({yosys.string(), "-q", "-s", "slice.ys"}, dir));
  if (run.exit_code != 0)
    return make_error(ErrorCode::kBadFile, "yosys failed: {}", log_tail(run.output, 10));
  return ok_status();
}

}  // namespace

RtlParameters slice_parameters(const SliceRequest& r) {
  return {{"PeKind", static_cast<int>(r.config.pe)},
          {"Target", static_cast<int>(r.config.target)},
          {"LanesIn", r.config.lanes_in},
          {"Outputs", r.outputs},
          {"CodeBits", r.config.code_bits},
          {"MultBits", r.config.mult_bits},
          {"XBits", r.config.operand_bits()},
          {"AccBits", r.config.acc_bits}};
}

Result<std::vector<fs::path>> slice_sources() {
  NBQ_ASSIGN(std::vector<fs::path> files, rtl_sources());
  files.push_back(rtl_dir() / "sim" / "nbq_array_slice.sv");
  return files;
}

Result<Slice> map_slice(const SliceRequest& r, const CellLibrary& library) {
  NBQ_ASSIGN(const fs::path yosys, find_tool("yosys", "yosys"));
  NBQ_ASSIGN(const std::string version, version_of({yosys.string(), "-V"}));
  NBQ_ASSIGN(const std::vector<fs::path> files, slice_sources());
  std::vector<fs::path> hashed = files;
  hashed.push_back(rtl_dir() / "techmap" / "nbq_mul_map.v");
  std::string recipe = version + script(r, {}, library) + library.text;
  if (!library.full_adder.empty()) recipe += adder_map(library.cells.at(library.full_adder));
  NBQ_ASSIGN(const std::string key, build_key(slice_parameters(r), hashed, recipe));
  const fs::path json = cache_dir() / "gates" / fmt::format("{}.json", key);
  const fs::path verilog = cache_dir() / "gates" / fmt::format("{}.v", key);

  std::error_code ec;
  if (!fs::exists(json, ec) || !fs::exists(verilog, ec)) {
    NBQ_ASSIGN(const ScratchDir scratch, ScratchDir::beside(json));
    log_debug("mapping {}", json.string());
    NBQ_TRY(synthesise(yosys, scratch.path(), script(r, files, library), library));
    NBQ_TRY(commit_file(scratch.path() / "slice.v", verilog));
    NBQ_TRY(commit_file(scratch.path() / "slice.json", json));
  }
  Slice slice;
  NBQ_ASSIGN(const std::string text, read_text_file(json));
  NBQ_ASSIGN(slice.netlist, read_netlist(text, kSliceTop, "clk_i", library));
  NBQ_ASSIGN(slice.verilog, read_text_file(verilog));
  return slice;
}

}  // namespace nbq::hw
