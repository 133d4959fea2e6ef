#include "hw/synth.h"

#include <cctype>
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
constexpr std::string_view kFree[] = {"MUXF", "PFUMX", "L6MUX21", "BUFG",
                                      "IBUF", "OBUF",  "EHXPLLL", "$scopeinfo"};

using Cells = std::map<std::string, int>;

/// The modules' own cells in what `stat` printed. Versions differ in the order of type and count,
/// and none of the sums over the hierarchy that they print can be relied on (0.23's JSON is broken,
/// 0.70 counts a submodule's cells once), so that they are made here.
std::map<std::string, Cells> parse_modules(const std::string& report) {
  std::map<std::string, Cells> modules;
  Cells* module = nullptr;
  std::istringstream lines(report);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first, second, more;
    if (!(words >> first >> second)) continue;
    if (first == "===") {
      module = second == "design" ? nullptr : &modules[second];
      continue;
    }
    if (module == nullptr || words >> more) continue;
    const bool count_first = first.find_first_not_of("0123456789") == std::string::npos;
    const std::string& type = count_first ? second : first;
    const std::string& count = count_first ? first : second;
    const bool is_count = count.find_first_not_of("0123456789") == std::string::npos;
    const bool is_cell = type[0] == '$' || std::isupper(type[0]) != 0 || type.starts_with("nbq_");
    if (is_count && is_cell) (*module)[type] += std::stoi(count);
  }
  return modules;
}

/// Adds the cells of `name`, of what it consists of included.
void add_cells(const std::map<std::string, Cells>& modules, const std::string& name, int times,
               Cells& all) {
  for (const auto& [type, count] : modules.at(name))
    if (modules.contains(type))
      add_cells(modules, type, times * count, all);
    else
      all[type] += times * count;
}

std::string script(const RtlParameters& parameters, const std::vector<fs::path>& files,
                   SynthTarget target, const std::string& top) {
  std::string s = "read_verilog -sv -defer";
  for (const fs::path& f : files) s += fmt::format(" \"{}\"", f.string());
  s += "\n" + read_cells_command(target);
  s += "hierarchy -check -top " + top;
  int images = 1;
  for (const auto& [name, value] : parameters) {
    s += fmt::format(" -chparam {} {}", name, value);
    if (name == "Images") images = value;
  }
  return s + "\n" + synthesis_commands(target, top, images) +
         fmt::format("tee -q -o stat.txt stat -top {}\n", top);
}

}  // namespace

std::string read_cells_command(SynthTarget target) {
  return target == SynthTarget::kXcup
             ? "read_verilog -lib +/xilinx/cells_sim.v +/xilinx/cells_xtra.v\n"
             : "read_verilog -lib +/ecp5/cells_sim.v +/ecp5/cells_bb.v\n";
}

std::string synthesis_commands(SynthTarget target, const std::string& top, int images) {
  // The repeated cells stay modules of their own, so that each is mapped once.
  std::string s = "setattr -mod -set keep_hierarchy 1 *nbq_pe* *nbq_requant*";
  s += images > 1 ? " *nbq_image*\n" : "\n";
  // -nowidelut: yosys otherwise builds five- to seven-input functions of up to eight LUT4 for
  // speed, which makes an element a third larger and an output channel more than twice as large. Up
  // to the netlist; the checks and renamings that follow it take as long again.
  return s +
         (target == SynthTarget::kXcup
              ? "synth_xilinx -family xcup -flatten -noiopad -noclkbuf -top "
              : "synth_ecp5 -nowidelut -top ") +
         top + " -run :check\n";
}

Result<std::vector<fs::path>> copy_sources(const std::vector<fs::path>& files,
                                           const fs::path& dir) {
  std::vector<fs::path> names;
  for (const fs::path& f : files) {
    names.push_back(f.filename());
    std::error_code ec;
    fs::copy_file(f, dir / f.filename(), fs::copy_options::overwrite_existing, ec);
    if (ec) return make_error(ErrorCode::kIo, "{}: can't be copied: {}", f.string(), ec.message());
  }
  return names;
}

Result<Resources> read_statistics(const std::string& report, const std::string& top) {
  const auto modules = parse_modules(report);
  Cells cells;
  if (modules.contains(top)) add_cells(modules, top, 1, cells);
  if (cells.empty()) return make_error(ErrorCode::kBadFile, "yosys: no cells in its statistics");
  return count_resources(cells);
}

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

Result<Resources> synthesise(EngineConfig config, SynthTarget target,
                             const std::optional<fs::path>& with_yosys) {
  config.target = element_target(target);
  NBQ_ASSIGN(const RtlParameters parameters, engine_parameters(config));
  fs::path yosys = with_yosys.value_or("");
  if (!with_yosys) {
    NBQ_ASSIGN(yosys, find_tool("yosys", "yosys"));
  }
  NBQ_ASSIGN(const std::string version, version_of({yosys.string(), "-V"}));
  NBQ_ASSIGN(const std::vector<fs::path> files, rtl_sources());
  NBQ_ASSIGN(const std::string key,
             build_key(parameters, files, version + script({}, {}, target, engine_top(config))));
  const fs::path kept = cache_dir() / "synth" / fmt::format("{}-{}.txt", target_name(target), key);

  std::error_code ec;
  if (!fs::exists(kept, ec)) {
    NBQ_ASSIGN(const ScratchDir scratch, ScratchDir::beside(kept));
    NBQ_ASSIGN(const std::vector<fs::path> copies, copy_sources(files, scratch.path()));
    NBQ_TRY(write_file(scratch.path() / "engine.ys",
                       script(parameters, copies, target, engine_top(config))));
    log_debug("synthesising {}", kept.string());
    NBQ_ASSIGN(const ProcessResult run,
               run_process({yosys.string(), "-q", "-s", "engine.ys"}, scratch.path()));
    if (run.exit_code != 0)
      return make_error(ErrorCode::kBadFile, "yosys failed: {}", log_tail(run.output, 10));
    NBQ_TRY(commit_file(scratch.path() / "stat.txt", kept));
  }
  NBQ_ASSIGN(const std::string report, read_text_file(kept));
  auto resources = read_statistics(report, engine_top(config));
  if (!resources.ok() && resources.error().code == ErrorCode::kBadFile)
    return make_error(ErrorCode::kBadFile, "{}: no cells; remove it", kept.string());
  return resources;
}

}  // namespace nbq::hw
