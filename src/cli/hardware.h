#pragma once
#include "cli/cli.h"
#include "cli/evaluate.h"
#include "hw/engine.h"

namespace nbq::cli {

/// Options that say which engine: shared by check, sim and synth.
struct EngineOptions {
  hw::EngineConfig config;
  std::string pe = "svpe";
  EngineOptions();
  void add_to(CLI::App& cmd, bool with_pe = true);
  hw::EngineConfig wanted(hw::PeKind kind) const;
  hw::PeKind kind() const;
};

/// Many images through Verilated engines, one a thread, config.images at a time.
struct SimOutcome {
  std::vector<std::int64_t> logits;  ///< images x outputs
  hw::EngineRun run;                 ///< cycles of one run of config.images; no logits
  double seconds = 0;
};
Result<SimOutcome> simulate(const hw::Program& program, const std::vector<std::uint8_t>& pixels,
                            std::size_t images, int threads);

/// Fields of `config` for JSON.
nlohmann::ordered_json config_json(const hw::EngineConfig& config);

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
