#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "hw/engine_config.h"

namespace nbq::hw {

enum class SynthTarget {
  kXcup,  ///< AMD UltraScale+: yosys synth_xilinx -family xcup
  kEcp5,  ///< Lattice ECP5: yosys synth_ecp5 -nowidelut
};
inline const char* target_name(SynthTarget t) { return t == SynthTarget::kXcup ? "xcup" : "ecp5"; }

/// The elements' shape for a family.
inline ElementTarget element_target(SynthTarget t) {
  return t == SynthTarget::kXcup ? ElementTarget::kXcup : ElementTarget::kEcp5;
}

/// Cells after technology mapping, before placement (nothing is packed two to a LUT6).
struct Resources {
  int lut = 0;      ///< xcup: LUT1..LUT6, inverters and SRLs, 1 each; ecp5: LUT4, and 2 per CCU2C
  int ff = 0;       ///< flip-flops
  int dsp = 0;      ///< DSP48E2; MULT18X18D
  double bram = 0;  ///< RAMB36E2 (a RAMB18E2 is 0.5); DP16KD
  int lutram = 0;   ///< LUTs used as memory, not in `lut`; RAM64M8 is 8, TRELLIS_DPR16X4 is 6
  int carry = 0;    ///< CARRY4 and twice CARRY8; CCU2C
  bool operator==(const Resources&) const = default;
};
/// LUTs used as memory count as LUTs.
inline bool fits(const Resources& need, const Resources& have) {
  return need.lut + need.lutram <= have.lut && need.ff <= have.ff && need.dsp <= have.dsp &&
         need.bram <= have.bram;
}

/// Adds up cells by type. Types that take none of these resources (multiplexers, buffers) are
/// passed over. Error kUnsupported: a cell that yosys left unmapped.
Result<Resources> count_resources(const std::map<std::string, int>& cells);

/// Synthesises the engine with yosys (half a minute for 256 lanes) and counts what it takes.
/// Elements are those shaped for the target. They, output channels and images, where there are
/// several, are mapped once and counted as often as they occur; the rest is flattened. The result
/// is kept in the cache of rtl_build.h. `yosys`: the program, else the one on PATH. Errors:
/// kInvalidArgument (the configuration), kToolMissing (yosys), kBadFile (it failed; end of its
/// log).
Result<Resources> synthesise(EngineConfig config, SynthTarget target,
                             const std::optional<std::filesystem::path>& yosys = {});

/// yosys's command that reads the family's cells, which shaped elements instantiate.
std::string read_cells_command(SynthTarget target);
/// yosys's commands from an elaborated `top` to a netlist of the target's cells.
/// Elements, output channels and, where there are several, images stay modules.
std::string synthesis_commands(SynthTarget target, const std::string& top, int images);
/// Adds up what `stat -top` printed. Errors kBadFile: no cells; as count_resources().
Result<Resources> read_statistics(const std::string& report, const std::string& top);
/// Copies `files` into `dir`, for tools that see no other folder; returns their names there.
Result<std::vector<std::filesystem::path>> copy_sources(
    const std::vector<std::filesystem::path>& files, const std::filesystem::path& dir);

}  // namespace nbq::hw
