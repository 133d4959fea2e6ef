#include "hw/rtl_build.h"

#include <unistd.h>

#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <sstream>

#include "core/data_dir.h"
#include "core/file.h"
#include "core/log.h"
#include "core/process.h"

namespace nbq::hw {
namespace fs = std::filesystem;
namespace {

bool power_of_two(int v) { return v > 0 && std::has_single_bit(static_cast<unsigned>(v)); }

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

Result<RtlParameters> engine_parameters(const EngineConfig& c) {
  const auto refuse = [](const char* name, int value, const char* must) {
    return make_error(ErrorCode::kInvalidArgument, "engine {} = {}: must be {}", name, value, must);
  };
  if (!power_of_two(c.lanes_in) || c.lanes_in < 2)
    return refuse("lanes_in", c.lanes_in, "a power of two, 2 at least");
  if (c.lanes_out < c.lanes_in || c.lanes_out % c.lanes_in != 0 || c.lanes_out / c.lanes_in > 15)
    return refuse("lanes_out", c.lanes_out, "1 to 15 times lanes_in");
  if (!power_of_two(c.pixels) || c.pixels > kMaxPixels)
    return refuse("pixels", c.pixels, "a power of two, 32 at most");
  if (c.code_bits < 2 || c.code_bits > 5) return refuse("code_bits", c.code_bits, "2 to 5");
  if (c.act_bits < 2 || c.act_bits > 16) return refuse("act_bits", c.act_bits, "2 to 16");
  if (c.act_digits < 1 || c.act_digits > 2) return refuse("act_digits", c.act_digits, "1 or 2");
  if (c.act_digits > 1 && c.pe != PeKind::kSvpe)
    return refuse("act_digits", c.act_digits, "1 for multipliers");
  if (c.act_digits > 1 && c.act_bits < 4)
    return refuse("act_digits", c.act_digits, "1 for less than 4 activation bits");
  if (c.act_digits > c.out_cycles)
    return refuse("out_cycles", c.out_cycles, "2 at least: a word has two digits to write");
  if (c.acc_bits < kMinAccBits || c.acc_bits > 48)
    return refuse("acc_bits", c.acc_bits, "21 to 48");
  if (c.images < 1 || c.images > kMaxImages) return refuse("images", c.images, "1 to 64");
  if (c.mult_bits < 2 || c.mult_bits > 16) return refuse("mult_bits", c.mult_bits, "2 to 16");
  if (c.pe == PeKind::kVpe2 && c.pixels < 2)
    return refuse("pixels", c.pixels, "2 or more: two pixels share a multiplier");
  if (c.pe == PeKind::kVpe2 && (c.mult_bits > 8 || c.act_bits > 8))
    return refuse("mult_bits", std::max(c.mult_bits, c.act_bits),
                  "8 at most, and act_bits too: two products share a multiplier");
  if (c.broadcast < 0 || c.broadcast > kMaxBroadcast)
    return refuse("broadcast", c.broadcast, "0 to 3");
  if (!power_of_two(c.out_cycles) || c.out_cycles > c.lanes_in)
    return refuse("out_cycles", c.out_cycles, "a power of two, lanes_in at most");
  if (c.align_bits < 0 || c.align_bits > 15) return refuse("align_bits", c.align_bits, "0 to 15");
  if (c.left_bits < 0 || c.left_bits > 15) return refuse("left_bits", c.left_bits, "0 to 15");
  const auto depth_ok = [](int d, int least) { return d >= least && d <= kMaxDepth; };
  const char* must = "2 to 2^20 (program: 32 at least)";
  if (!depth_ok(c.act_depth, 2)) return refuse("act_depth", c.act_depth, must);
  if (!depth_ok(c.weight_depth, 2)) return refuse("weight_depth", c.weight_depth, must);
  if (!depth_ok(c.param_depth, 2)) return refuse("param_depth", c.param_depth, must);
  if (!depth_ok(c.result_depth, 1)) return refuse("result_depth", c.result_depth, "1 to 2^20");
  if (!depth_ok(c.program_depth, 32)) return refuse("program_depth", c.program_depth, must);
  if (c.axi_bits != 0 && (!power_of_two(c.axi_bits) || c.axi_bits < 32 || c.axi_bits > 512))
    return refuse("axi_bits", c.axi_bits, "0, or a power of two from 32 to 512");
  return RtlParameters{{"AxiBits", c.axi_bits},
                       {"PeKind", static_cast<int>(c.pe)},
                       {"LanesIn", c.lanes_in},
                       {"LanesOut", c.lanes_out},
                       {"Pixels", c.pixels},
                       {"Images", c.images},
                       {"CodeBits", c.code_bits},
                       {"MultBits", c.mult_bits},
                       {"ActBits", c.act_bits},
                       {"ActDigits", c.act_digits},
                       {"AccBits", c.acc_bits},
                       {"Broadcast", c.broadcast},
                       {"OutCycles", c.out_cycles},
                       {"MaxPool", c.max_pool ? 1 : 0},
                       {"AlignBits", c.align_bits},
                       {"LeftBits", c.left_bits},
                       {"ActDepth", c.act_depth},
                       {"WeightDepth", c.weight_depth},
                       {"ParamDepth", c.param_depth},
                       {"ResultDepth", c.result_depth},
                       {"ProgramDepth", c.program_depth},
                       {"Target", static_cast<int>(c.target)}};
}

fs::path rtl_dir() {
  const std::string from_environment = environment("NBQ_RTL_DIR");
  return from_environment.empty() ? data_dir() / "rtl" : fs::path(from_environment);
}

Result<std::vector<fs::path>> rtl_sources(const std::string& list_name) {
  NBQ_ASSIGN(const std::string list, read_text_file(rtl_dir() / list_name));
  std::vector<fs::path> files;
  std::istringstream lines(list);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) files.push_back(rtl_dir() / line);
  return files;
}

fs::path cache_dir() {
  if (const std::string dir = environment("NBQ_CACHE"); !dir.empty()) return dir;
  if (const std::string dir = environment("XDG_CACHE_HOME"); !dir.empty())
    return fs::path(dir) / "nbq";
  const std::string home = environment("HOME");
  return home.empty() ? fs::temp_directory_path() / "nbq-cache" : fs::path(home) / ".cache" / "nbq";
}

Result<std::string> build_key(const RtlParameters& parameters, const std::vector<fs::path>& files,
                              const std::string& tool_version) {
  std::uint64_t hash = fnv1a(tool_version);
  for (const auto& [name, value] : parameters)
    hash = fnv1a(fmt::format("{}={};", name, value), hash);
  for (const fs::path& file : files) {
    NBQ_ASSIGN(const std::string text, read_text_file(file));
    hash = fnv1a(text, fnv1a(file.filename().string(), hash));
  }
  return fmt::format("{:016x}", hash);
}

Result<std::string> version_of(const std::vector<std::string>& argv) {
  NBQ_ASSIGN(const ProcessResult r, run_process(argv));
  return r.output.substr(0, r.output.find('\n'));
}

std::string log_tail(const std::string& log, int lines) {
  std::size_t at = log.size();
  while (lines > 0 && at > 0) {
    at = log.rfind('\n', at - 1);
    if (at == std::string::npos) return log;
    --lines;
  }
  return log.substr(at);
}

Result<ScratchDir> ScratchDir::beside(const fs::path& path) {
  static std::atomic<int> count{0};
  fs::path dir = path;
  dir += fmt::format(".{}.{}.tmp", ::getpid(), count++);
  std::error_code ec;
  fs::create_directories(dir, ec);
  if (ec) return make_error(ErrorCode::kIo, "{}: can't be made: {}", dir.string(), ec.message());
  return ScratchDir(std::move(dir));
}

ScratchDir::~ScratchDir() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<fs::path> build_model(const ModelRequest& request) {
  // One build at a time within the process: the threads would only share the same processors.
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);

  NBQ_ASSIGN(const fs::path verilator, find_tool("verilator", "verilator"));
  NBQ_ASSIGN(const fs::path compiler, find_tool("g++", "g++"));
  NBQ_ASSIGN(const fs::path make, find_tool("make", "make"));
  NBQ_ASSIGN(const std::string version, version_of({verilator.string(), "--version"}));
  NBQ_ASSIGN(const std::string compiler_version, version_of({compiler.string(), "--version"}));
  NBQ_ASSIGN(std::vector<fs::path> files, rtl_sources());
  for (const char* models : {"sim/cells_xcup.sv", "sim/cells_ecp5.sv"})
    files.push_back(rtl_dir() / models);  // of the primitives that shaped elements name
  for (const fs::path& more : request.more_sources) files.push_back(rtl_dir() / more);

  // Chosen by measurement on engines of 512 lanes: splitting lets two processors compile at once.
  std::vector<std::string> argv = {verilator.string(),
                                   "--cc",
                                   "--exe",
                                   "--build",
                                   "-j",
                                   "2",
                                   "--prefix",
                                   "Vnbq",
                                   "--top-module",
                                   request.top,
                                   "-O3",
                                   "--x-assign",
                                   "fast",
                                   "--x-initial",
                                   "fast",
                                   "--noassert",
                                   "-Wno-fatal",
                                   "-Wno-lint",
                                   "--output-split",
                                   "20000",
                                   "--output-split-cfuncs",
                                   "2000",
                                   "-CFLAGS",
                                   "-fPIC",
                                   "-LDFLAGS",
                                   "-shared",
                                   "-MAKEFLAGS",
                                   "OPT_FAST=-O2",
                                   "-MAKEFLAGS",
                                   "OPT_SLOW=-O0",
                                   "-MAKEFLAGS",
                                   "OPT_GLOBAL=-O2"};
  std::string flags;
  for (std::size_t i = 1; i < argv.size(); ++i) flags += argv[i] + ' ';

  std::vector<fs::path> hashed = files;
  hashed.push_back(rtl_dir() / request.harness);
  for (const fs::path& header : request.headers) hashed.push_back(rtl_dir() / header);
  NBQ_ASSIGN(const std::string key,
             build_key(request.parameters, hashed, version + compiler_version + flags));
  const fs::path library = cache_dir() / "sim" / fmt::format("{}-{}.so", request.top, key);
  std::error_code ec;
  if (fs::exists(library, ec)) return library;

  NBQ_ASSIGN(const ScratchDir scratch, ScratchDir::beside(library));
  if (find_tool("ccache", "ccache").ok()) {
    argv.push_back("-MAKEFLAGS");
    argv.push_back("OBJCACHE=ccache");
  }
  argv.insert(argv.end(), {"-Mdir", scratch.path().string(), "-o", "model.so"});
  for (const auto& [name, value] : request.parameters)
    argv.push_back(fmt::format("-G{}={}", name, value));
  for (const fs::path& file : files) argv.push_back(file.string());
  argv.push_back((rtl_dir() / request.harness).string());
  log_debug("building {}", library.string());
  NBQ_ASSIGN(const ProcessResult built, run_process(argv));
  if (built.exit_code != 0)
    return make_error(ErrorCode::kBadFile, "verilating {} failed: {}", request.top,
                      log_tail(built.output, 15));
  NBQ_TRY(commit_file(scratch.path() / "model.so", library));
  return library;
}

}  // namespace nbq::hw
