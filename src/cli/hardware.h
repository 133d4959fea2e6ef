#pragma once
#include "cli/cli.h"
#include "cli/evaluate.h"
#include "hw/engine.h"
#include "hw/sim.h"
#include "hw/timing.h"

namespace nbq::cli {

/// Options that say which engine: shared by check, sim and synth.
struct EngineOptions {
  hw::EngineConfig config;
  hw::MemoryLimits limits;
  std::string pe = "svpe";
  EngineOptions();
  void add_to(CLI::App& cmd, bool with_pe = true);
  hw::EngineConfig wanted(hw::PeKind kind) const;
  hw::PeKind kind() const;
};

/// Many images through engines, config.images at a time.
struct SimOutcome {
  std::vector<std::int64_t> logits;  ///< images x outputs
  hw::EngineRun run;                 ///< cycles of one run of config.images; no logits
  double seconds = 0;
};
/// By engines of one program, each on a thread of its own; `doing` names the progress.
Result<SimOutcome> run_images(std::vector<hw::Engine> engines,
                              const std::vector<std::uint8_t>& pixels, std::size_t images,
                              const char* doing);
/// By Verilated engines, `threads` at most; 0: one a core.
Result<SimOutcome> simulate(const hw::Program& program, const std::vector<std::uint8_t>& pixels,
                            std::size_t images, int threads,
                            const hw::AxiMemoryOptions& memory = {});

/// Fields of `config` for JSON.
nlohmann::ordered_json config_json(const hw::EngineConfig& config);

/// The layers of a program: `macs` of an image; of a run the cycles, those in which the array took
/// a tap, and the useful part of the lanes' work.
nlohmann::ordered_json layers_json(const hw::Program& program, const hw::Timing& timing);

/// Images for check and sim: of a dataset, or random pixels when `data` is empty.
struct TestImages {
  std::vector<std::uint8_t> pixels;
  std::vector<int> labels;  ///< empty for random pixels
  std::size_t count = 0;
};
Result<TestImages> test_images(const Graph& graph, const std::string& data, std::size_t images);

/// The reference's logits, images x outputs, a few images at a time to bound memory.
Result<std::vector<std::int64_t>> reference_logits(const RefExecutor& ref,
                                                   const TestImages& images);

/// Images whose logits differ.
std::size_t count_mismatches(std::span<const std::int64_t> a, std::span<const std::int64_t> b,
                             std::size_t outputs);

}  // namespace nbq::cli
