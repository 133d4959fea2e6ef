#include "hw/board_flow.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/log.h"
#include "core/process.h"
#include "hw/board_image.h"
#include "hw/fpga_tools.h"
#include "hw/pll.h"
#include "hw/route_watch.h"
#include "hw/rtl_build.h"

namespace nbq::hw {
namespace fs = std::filesystem;
namespace {

bool there(const fs::path& path) {
  std::error_code ec;
  return fs::exists(path, ec);
}

void say(const BuildOptions& o, const std::string& what) {
  if (o.progress) o.progress(what);
}

/// Runs a tool in the build's folder and keeps what it prints.
Result<int> run_kept(std::vector<std::string> argv, const fs::path& dir, const std::string& log,
                     BoardBuild& build, const Listener& listener = {}) {
  log_debug("{}", fmt::join(argv, " "));
  NBQ_ASSIGN(const ProcessResult run, run_process(argv, dir, listener));
  NBQ_TRY(write_file(dir / log, std::string_view(run.output)));
  build.logs.push_back({dir / log, fmt::format("{:016x}", fnv1a(run.output))});
  return run.exit_code;
}

/// Sources of the board's top, the engine's included.
Result<std::vector<fs::path>> board_sources(const Board& board) {
  NBQ_ASSIGN(std::vector<fs::path> files, rtl_sources("files.f"));
  NBQ_ASSIGN(const std::vector<fs::path> link, rtl_sources("boards/files.f"));
  files.insert(files.end(), link.begin(), link.end());
  files.push_back(rtl_dir() / "boards" / (board.top + ".sv"));
  return files;
}

std::string yosys_script(const std::vector<fs::path>& files, const Board& board, int images) {
  std::string s = "read_verilog -sv -defer -I.";
  for (const fs::path& f : files) s += " " + f.string();
  s += "\n" + read_cells_command(board.family);
  s += fmt::format("hierarchy -check -top {}\n", board.top);
  s += synthesis_commands(board.family, board.top, images);
  s += fmt::format("tee -q -o stat.txt stat -top {}\n", board.top);
  // nextpnr takes one flat module, and write_json no cells with contents (yosys 0.70 breaks off).
  return s +
         "setattr -mod -unset keep_hierarchy *\nflatten\nopt_clean\nblackbox =A:whitebox\n"
         "write_json netlist.part\n";
}

/// Of everything that goes into a build: engine, sources, constraints, memory contents, tools.
Result<std::string> folder_name(const BoardPlan& plan, const Board& board) {
  NBQ_ASSIGN(const RtlParameters parameters, engine_parameters(plan.program.config));
  NBQ_ASSIGN(std::vector<fs::path> files, board_sources(board));
  files.push_back(board.constraints);
  std::string rest = yosys_script({}, board, plan.program.config.images) +
                     fmt::format("{} {} {} {} {}", board.input_mhz, board.engine_mhz, board.baud,
                                 board.led_active_low, fmt::join(board.flow_arguments, " "));
  for (const char* name : {"yosys", "nextpnr-ecp5"})
    if (const auto tool = find_fpga_tool(name); tool.ok()) {
      NBQ_ASSIGN(const std::string version, version_of({tool->string(), "--version"}));
      rest += version;
    }
  std::uint64_t contents = fnv1a(rest);
  for (const std::int16_t w : plan.program.weights)
    contents = (contents ^ static_cast<std::uint16_t>(w)) * 0x100000001b3ull;
  for (const Program::Param& p : plan.program.params)
    contents = (contents ^ static_cast<std::uint64_t>(p.bias * 128 + p.shift)) * 0x100000001b3ull;
  for (const Instruction& i : plan.program.instructions) {
    NBQ_ASSIGN(const auto words, encode(i));
    for (const std::uint32_t w : words) contents = (contents ^ w) * 0x100000001b3ull;
  }
  NBQ_ASSIGN(const std::string key, build_key(parameters, files, fmt::format("{:x}", contents)));
  return fmt::format("{}-{}-{}", board.name, pe_name(plan.program.config.pe), key);
}

Status synthesise_top(const Board& board, const BuildOptions& o, int images, BoardBuild& build) {
  NBQ_ASSIGN(const fs::path yosys, find_fpga_tool("yosys"));
  const fs::path& dir = build.dir;
  if (!there(dir / "netlist.json")) {
    say(o, "synthesising");
    NBQ_ASSIGN(const auto sources, board_sources(board));
    NBQ_ASSIGN(const auto names, copy_sources(sources, dir));
    NBQ_TRY(write_file(dir / "top.ys", yosys_script(names, board, images)));
    NBQ_ASSIGN(const int failed,
               run_kept({yosys.string(), "-s", "top.ys"}, dir, "yosys.log", build));
    if (failed != 0) {
      NBQ_ASSIGN(const std::string log, read_text_file(dir / "yosys.log"));
      return make_error(ErrorCode::kBadFile, "{}: yosys failed: {}", board.name, log_tail(log, 10));
    }
    NBQ_TRY(commit_file(dir / "netlist.part", dir / "netlist.json"));
  } else if (const auto log = read_text_file(dir / "yosys.log"); log.ok()) {
    build.logs.push_back({dir / "yosys.log", fmt::format("{:016x}", fnv1a(*log))});
  }
  NBQ_ASSIGN(const std::string report, read_text_file(dir / "stat.txt"));
  NBQ_ASSIGN(build.resources, read_statistics(report, board.top));
  return ok_status();
}

/// The slowest clock's frequency in nextpnr's report: the engine's, as the others do nearly
/// nothing.
std::optional<double> read_fmax(const fs::path& report) {
  const auto text = read_text_file(report);
  if (!text.ok()) return std::nullopt;
  const auto j = nlohmann::json::parse(*text, nullptr, false);
  std::optional<double> least;
  if (j.is_discarded() || !j.contains("fmax")) return least;
  for (const auto& [clock, v] : j["fmax"].items()) {
    const double mhz = v.value("achieved", 0.0);
    if (!least || mhz < *least) least = mhz;
  }
  return least;
}

/// The last line of a log that says ERROR.
std::string last_error(const std::string& log) {
  const std::size_t at = log.rfind("ERROR: ");
  if (at == std::string::npos) return "stopped without an error";
  return log.substr(at + 7, log.find('\n', at) - at - 7);
}

Result<SeedResult> route(const Board& board, const BuildOptions& o, int seed, BoardBuild& build) {
  const fs::path& dir = build.dir;
  NBQ_ASSIGN(const fs::path nextpnr, find_fpga_tool("nextpnr-ecp5"));
  const std::string name = fmt::format("seed{}", seed);
  SeedResult r{seed, read_fmax(dir / (name + ".json")), ""};
  if (r.fmax_mhz && there(dir / (name + ".config"))) {
    NBQ_ASSIGN(const std::string log, read_text_file(dir / (name + ".log")));
    build.logs.push_back({dir / (name + ".log"), fmt::format("{:016x}", fnv1a(log))});
    return r;
  }
  std::vector<std::string> argv = {nextpnr.string()};
  argv.insert(argv.end(), board.flow_arguments.begin(), board.flow_arguments.end());
  argv.insert(argv.end(),
              {"--json", "netlist.json", "--lpf", board.constraints.filename().string(), "--freq",
               fmt::format("{}", build.clock_mhz), "--seed", std::to_string(seed),
               "--timing-allow-fail", "--placer-heap-cell-placement-timeout", "0", "--report",
               name + ".json", "--textcfg", name + ".config"});
  RouteWatch watch(
      [&](const std::string& what) { say(o, fmt::format("seed {}, {}", seed, what)); });
  NBQ_ASSIGN(const int failed,
             run_kept(argv, dir, name + ".log", build,
                      [&](std::string_view piece) { return watch.heard(piece); }));
  r.fmax_mhz = failed == 0 ? read_fmax(dir / (name + ".json")) : std::nullopt;
  if (failed != 0 && watch.hopeless()) {
    r.reason = watch.reason();
  } else if (!r.fmax_mhz) {
    NBQ_ASSIGN(const std::string log, read_text_file(dir / (name + ".log")));
    r.reason = last_error(log);
  }
  return r;
}

Status route_all(const Board& board, const BuildOptions& o, BoardBuild& build) {
  NBQ_TRY(copy_sources({board.constraints}, build.dir));
  std::vector<std::pair<double, int>> routed;
  for (int seed = o.first_seed; seed < o.first_seed + o.seeds; ++seed) {
    NBQ_ASSIGN(const SeedResult r, route(board, o, seed, build));
    build.seeds.push_back(r);
    if (r.fmax_mhz) routed.emplace_back(*r.fmax_mhz, seed);
  }
  if (routed.empty())
    return make_error(ErrorCode::kUnsupported,
                      "{}: none of {} seeds could be placed and routed: {} ({} LUT, {} FF of {}, "
                      "{}); more --seeds may, or fewer lanes (--lanes-out); logs are in {}",
                      board.name, o.seeds, build.seeds[0].reason, build.resources.lut,
                      build.resources.ff, board.resources.lut, board.resources.ff,
                      build.dir.string());
  std::sort(routed.begin(), routed.end());
  const std::size_t n = routed.size();
  build.fmax_mhz = (routed[n / 2].first + routed[(n - 1) / 2].first) / 2;
  NBQ_ASSIGN(const fs::path ecppack, find_fpga_tool("ecppack"));
  const std::string bit = board.name + ".bit";
  NBQ_ASSIGN(const int failed,
             run_kept({ecppack.string(), "--compress", "--input",
                       fmt::format("seed{}.config", routed.back().second), "--bit", bit},
                      build.dir, "ecppack.log", build));
  if (failed != 0)
    return make_error(ErrorCode::kBadFile, "{}: ecppack failed, see {}", board.name,
                      (build.dir / "ecppack.log").string());
  build.bitstream = build.dir / bit;
  return ok_status();
}

}  // namespace

bool BoardBuild::meets_clock() const {
  return std::any_of(seeds.begin(), seeds.end(), [this](const SeedResult& s) {
    return s.fmax_mhz && *s.fmax_mhz >= clock_mhz;
  });
}

Result<BoardBuild> build_for_board(const BoardPlan& plan, const Board& board,
                                   const BuildOptions& options) {
  BoardBuild build;
  build.clock_mhz = board.engine_mhz;
  if (board.family == SynthTarget::kXcup) {
    NBQ_ASSIGN(const fs::path yosys, find_fpga_tool("yosys"));
    NBQ_ASSIGN(build.resources, synthesise(plan.program.config, board.family, yosys));
    return build;
  }
  NBQ_ASSIGN(const Ecp5Pll pll, ecp5_pll(board.input_mhz, board.engine_mhz));
  build.clock_mhz = pll.mhz;
  NBQ_ASSIGN(const std::string name, folder_name(plan, board));
  build.dir = options.dir / name;
  NBQ_TRY(write_board_image(plan, board, build.dir));
  NBQ_TRY(synthesise_top(board, options, plan.program.config.images, build));
  if (options.route) NBQ_TRY(route_all(board, options, build));
  return build;
}

}  // namespace nbq::hw
