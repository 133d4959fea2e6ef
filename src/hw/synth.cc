#include "hw/synth.h"

#include <sstream>
#include <string_view>

#include "core/file.h"
#include "core/log.h"
#include "core/process.h"
#include "hw/rtl_build.h"

namespace nbq::hw {
namespace fs = std::filesystem;
namespace {

struct CellCost {
  std::string_view prefix;  ///< of the cell's type; the first that fits counts
  int Resources::*count;
  int each;
};
constexpr CellCost kCosts[] = {
    {"LUT", &Resources::lut, 1},
    {"INV", &Resources::lut, 1},
    {"SRL", &Resources::lut, 1},
    {"CCU2C", &Resources::carry, 1},  // and two LUT4, added below
    {"CARRY4", &Resources::carry, 1},
    {"CARRY8", &Resources::carry, 2},
    {"FD", &Resources::ff, 1},
    {"TRELLIS_FF", &Resources::ff, 1},
    {"DSP48E2", &Resources::dsp, 1},
    {"MULT18X18D", &Resources::dsp, 1},
    {"RAM32M16", &Resources::lutram, 8},
    {"RAM64M8", &Resources::lutram, 8},
    {"RAM32M", &Resources::lutram, 4},
    {"RAM64M", &Resources::lutram, 4},
    {"RAM32X1", &Resources::lutram, 2},
    {"RAM64X1", &Resources::lutram, 2},
    {"RAM128X1", &Resources::lutram, 4},
    {"RAM256X1", &Resources::lutram, 8},
    {"RAM512X1", &Resources::lutram, 8},
    {"TRELLIS_DPR16X4", &Resources::lutram, 6},
};
constexpr std::string_view kFree[] = {"MUXF", "PFUMX", "L6MUX21", "BUFG", "IBUF", "OBUF"};

/// Cells by type in the last section of yosys's `stat`: the whole design's.
std::map<std::string, int> parse_cells(const std::string& report) {
  std::map<std::string, int> cells;
  const std::size_t start = report.rfind("Number of cells:");
  std::istringstream lines(start == std::string::npos ? "" : report.substr(start));
  std::string line;
  std::getline(lines, line);
  for (; std::getline(lines, line) && line.find_first_not_of(' ') != std::string::npos;) {
    std::istringstream words(line);
    std::string type;
    int count = 0;
    if (words >> type >> count) cells[type] += count;
  }
  return cells;
}

std::string script(const RtlParameters& parameters, const std::vector<fs::path>& files,
                   SynthTarget target) {
  std::string s = "read_verilog -sv -defer";
  for (const fs::path& f : files) s += fmt::format(" \"{}\"", f.string());
  s += "\nhierarchy -check -top nbq_engine";
  for (const auto& [name, value] : parameters) s += fmt::format(" -chparam {} {}", name, value);
  // The repeated cells stay modules of their own, so that each is mapped once.
  s += "\nsetattr -mod -set keep_hierarchy 1 *nbq_svpe* *nbq_vpe* *nbq_requant*";
  for (const auto& [name, value] : parameters)
    if (name == "Images" && value > 1) s += " *nbq_image*";
  s += '\n';
  // -nowidelut: yosys otherwise builds five- to seven-input functions of up to eight LUT4 for
  // speed, which makes an element a third larger and an output channel more than twice as large. Up
  // to the netlist; the checks and renamings that follow it take as long again.
  s += target == SynthTarget::kXcup
           ? "synth_xilinx -family xcup -flatten -noiopad -noclkbuf -top nbq_engine -run :check\n"
           : "synth_ecp5 -nowidelut -top nbq_engine -run :check\n";
  return s + "tee -o stat.txt stat -top nbq_engine\n";
}

}  // namespace

Result<Resources> count_resources(const std::map<std::string, int>& cells) {
  Resources r;
  for (const auto& [type, count] : cells) {
    bool known = false;
    for (std::string_view prefix : kFree) known = known || type.starts_with(prefix);
    if (type == "RAMB36E2" || type == "DP16KD" || type == "RAMB18E2") {
      r.bram += type == "RAMB18E2" ? 0.5 * count : count;
      known = true;
    }
    for (const CellCost& cost : kCosts) {
      if (known || !type.starts_with(cost.prefix)) continue;
      r.*cost.count += cost.each * count;
      known = true;
    }
    if (type == "CCU2C") r.lut += 2 * count;
    if (!known && !type.starts_with("$paramod") && !type.starts_with("nbq_"))
      return make_error(ErrorCode::kUnsupported, "synthesis left {} cells of type {}", count, type);
  }
  return r;
}

Result<Resources> synthesise(const EngineConfig& config, SynthTarget target) {
  NBQ_ASSIGN(const RtlParameters parameters, engine_parameters(config));
  NBQ_ASSIGN(const fs::path yosys, find_tool("yosys", "yosys"));
  NBQ_ASSIGN(const std::string version, version_of({yosys.string(), "-V"}));
  NBQ_ASSIGN(const std::vector<fs::path> files, rtl_sources());
  NBQ_ASSIGN(const std::string key, build_key(parameters, files, version + script({}, {}, target)));
  const fs::path kept = cache_dir() / "synth" / fmt::format("{}-{}.txt", target_name(target), key);

  std::error_code ec;
  if (!fs::exists(kept, ec)) {
    NBQ_ASSIGN(const ScratchDir scratch, ScratchDir::beside(kept));
    NBQ_TRY(write_file(scratch.path() / "engine.ys", script(parameters, files, target)));
    log_debug("synthesising {}", kept.string());
    NBQ_ASSIGN(const ProcessResult run,
               run_process({yosys.string(), "-q", "-s", "engine.ys"}, scratch.path()));
    if (run.exit_code != 0)
      return make_error(ErrorCode::kBadFile, "yosys failed: {}", log_tail(run.output, 10));
    NBQ_TRY(commit_file(scratch.path() / "stat.txt", kept));
  }
  NBQ_ASSIGN(const std::string report, read_text_file(kept));
  const std::map<std::string, int> cells = parse_cells(report);
  if (cells.empty())
    return make_error(ErrorCode::kBadFile, "{}: no cells; remove it", kept.string());
  return count_resources(cells);
}

}  // namespace nbq::hw
