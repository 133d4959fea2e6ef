#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "hw/engine_config.h"

namespace nbq::hw {

/// Parameters of a top module, by name.
using RtlParameters = std::vector<std::pair<std::string, int>>;
/// The top module: nbq_engine, or nbq_axi_top around it when there is an AXI bus.
inline const char* engine_top(const EngineConfig& config) {
  return config.axi_bits > 0 ? "nbq_axi_top" : "nbq_engine";
}
/// Those of either. Error kInvalidArgument: out of the range that the RTL has (names it).
Result<RtlParameters> engine_parameters(const EngineConfig& config);

/// Folder of the SystemVerilog sources: $NBQ_RTL_DIR, else the one of data_dir().
std::filesystem::path rtl_dir();
/// Sources in compilation order, as a list below rtl_dir() names them. Error kBadFile: it is not
/// there.
Result<std::vector<std::filesystem::path>> rtl_sources(const std::string& list = "files.f");
/// Where built models and synthesis results are kept: $NBQ_CACHE, else $XDG_CACHE_HOME/nbq, else
/// ~/.cache/nbq.
std::filesystem::path cache_dir();

/// Hash, as 16 hexadecimal digits, of the parameters, the files' text and `tool_version`.
Result<std::string> build_key(const RtlParameters& parameters,
                              const std::vector<std::filesystem::path>& files,
                              const std::string& tool_version);
/// First line that `argv` prints.
Result<std::string> version_of(const std::vector<std::string>& argv);
/// The last `lines` lines of a log.
std::string log_tail(const std::string& log, int lines);

/// A folder beside `path`, removed with its content at the end of the scope.
class ScratchDir {
 public:
  static Result<ScratchDir> beside(const std::filesystem::path& path);
  ~ScratchDir();
  ScratchDir(ScratchDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchDir& operator=(ScratchDir&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchDir(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// What Verilator makes a model of.
struct ModelRequest {
  std::string top;
  RtlParameters parameters;
  std::filesystem::path harness;  ///< C++ source with a C interface, below rtl_dir()
  std::vector<std::filesystem::path> more_sources;  ///< after rtl_sources(), below rtl_dir()
  std::vector<std::filesystem::path> headers = {};  ///< that the harness includes, below rtl_dir()
};

/// Path of the shared library with the Verilated top and its harness; builds it when the cache
/// has none. Two processes may build the same one at once: each builds aside, and renames.
/// Errors: kToolMissing (verilator, g++, make); kBadFile: the build failed (end of its log).
Result<std::filesystem::path> build_model(const ModelRequest& request);

}  // namespace nbq::hw
