#include "cli/hardware.h"

#include <mutex>
#include <random>
#include <thread>

#include "core/fixed_point.h"
#include "hw/layer_table.h"

namespace nbq::cli {

EngineOptions::EngineOptions() {
  config.lanes_in = 8;
  config.lanes_out = 8;
  config.pixels = 4;
  // Minima; the compiler raises them to what the network needs.
  config.code_bits = 2;
  config.act_bits = 8;
  config.acc_bits = hw::kMinAccBits;
  config.max_pool = false;
  config.align_bits = config.left_bits = 0;
  config.act_depth = config.weight_depth = 256;
  config.param_depth = config.result_depth = 16;
  config.program_depth = 64;
}

hw::PeKind EngineOptions::kind() const {
  for (const hw::PeKind k : {hw::PeKind::kVpe, hw::PeKind::kVpe2})
    if (pe == hw::pe_name(k)) return k;
  return hw::PeKind::kSvpe;
}

void EngineOptions::add_to(CLI::App& cmd, bool with_pe) {
  if (with_pe)
    cmd.add_option(
           "--pe", pe,
           "vector elements: svpe (shifts), vpe (multipliers) or vpe2 (8-bit multipliers, two "
           "pixels to a DSP block where the family can) [svpe]")
        ->check(CLI::IsMember({"svpe", "vpe", "vpe2"}));
  cmd.add_option("--lanes-in", config.lanes_in,
                 "input channels reduced at once, a power of two [8]")
      ->check(CLI::PositiveNumber);
  cmd.add_option("--lanes-out", config.lanes_out,
                 "output channels at once, a multiple of lanes-in [8]")
      ->check(CLI::PositiveNumber);
  cmd.add_option("--pixels", config.pixels, "output columns at once, a power of two [4]")
      ->check(CLI::PositiveNumber);
  cmd.add_option("--code-bits", config.code_bits,
                 "at least so many bits a weight code [the network's]")
      ->check(CLI::Range(2, 5));
  cmd.add_option("--images-at-once", config.images,
                 "copies of the array, each with its own image [1]")
      ->check(CLI::Range(1, hw::kMaxImages));
  cmd.add_option(
         "--broadcast", config.broadcast,
         "register stages on the way to the copies, for the clock rate [the board's, else 0]")
      ->check(CLI::Range(0, hw::kMaxBroadcast));
  cmd.add_option("--out-cycles", config.out_cycles,
                 "cycles of a word in the output stage: more make it smaller, a power of two, "
                 "at least --act-digits [that many]")
      ->check(CLI::PositiveNumber);
  cmd.add_flag("--max-pool", config.max_pool,
               "comparators for maximum pooling, though the network has none");
  cmd.add_option("--mult-bits", config.mult_bits, "weight bits of a multiplier (vpe) [16]")
      ->check(CLI::Range(2, 16));
  cmd.add_option(
         "--axi-bits", config.axi_bits,
         "an AXI bus of so many bits for images, logits and weights that do not fit [0: none]")
      ->check(CLI::IsMember({0, 32, 64, 128, 256, 512}));
  cmd.add_option("--weight-depth", limits.weight_depth,
                 "weight words that the engine has; more are streamed over AXI [as many as needed]")
      ->check(CLI::Range(2, hw::kMaxDepth));
  cmd.add_option("--act-depth", limits.act_depth,
                 "activation words a bank that the engine has [as many as needed]")
      ->check(CLI::Range(2, hw::kMaxDepth));
  cmd.add_option("--engine-act-bits", config.act_bits,
                 "at least so many activation bits [the network's]")
      ->check(CLI::Range(2, 16));
  cmd.add_option("--act-digits", config.act_digits,
                 "cycles in which an activation is read, written and enters a shift array: 2 halve "
                 "elements and wires of wide ones [1; the board's for more than 8 bits]")
      ->check(CLI::Range(1, 2));
  cmd.add_option("--acc-bits", config.acc_bits, "at least so many accumulator bits [the proof's]")
      ->check(CLI::Range(hw::kMinAccBits, kMaxAccBits));
}

hw::EngineConfig EngineOptions::wanted(hw::PeKind kind) const {
  hw::EngineConfig c = config;
  c.pe = kind;
  // The multipliers beside the shift elements that --act-digits is for.
  if (kind != hw::PeKind::kSvpe && this->kind() == hw::PeKind::kSvpe) c.act_digits = 1;
  c.out_cycles = std::max(c.out_cycles, c.act_digits);
  if (kind == hw::PeKind::kVpe2) c.mult_bits = std::min(c.mult_bits, 8);
  return c;
}

Result<SimOutcome> simulate(const hw::Program& program, const std::vector<std::uint8_t>& pixels,
                            std::size_t images, int threads, const hw::AxiMemoryOptions& memory) {
  const auto at_once = static_cast<std::size_t>(program.config.images);
  const std::size_t runs = (images + at_once - 1) / at_once;
  const std::size_t n =
      std::min<std::size_t>(runs, threads > 0 ? static_cast<std::size_t>(threads)
                                              : std::max(1u, std::thread::hardware_concurrency()));
  std::vector<hw::Engine> engines;
  for (std::size_t i = 0; i < n; ++i) {
    NBQ_ASSIGN(auto device, hw::open_sim(program.config, memory));
    NBQ_ASSIGN(hw::Engine engine, hw::Engine::open(std::move(device), program));
    engines.push_back(std::move(engine));
  }
  return run_images(std::move(engines), pixels, images, "simulating");
}

Result<SimOutcome> run_images(std::vector<hw::Engine> engines,
                              const std::vector<std::uint8_t>& pixels, std::size_t images,
                              const char* doing) {
  const hw::Program& program = engines.at(0).program();
  const std::size_t bytes = static_cast<std::size_t>(program.image.image.size());
  const auto outputs = static_cast<std::size_t>(program.result.shape.size());
  NBQ_CHECK(pixels.size() == bytes * images && images > 0);
  const auto at_once = static_cast<std::size_t>(program.config.images);
  const std::size_t runs = (images + at_once - 1) / at_once, n = engines.size();
  SimOutcome outcome;
  outcome.logits.resize(images * outputs);
  const double start = now_seconds();
  Progress progress(doing, images);
  std::size_t done = 0;
  std::mutex mutex;
  // Engine e takes runs e, e + n, ...
  NBQ_TRY(parallel_for(n, static_cast<int>(n), [&](std::size_t e) -> Status {
    for (std::size_t r = e; r < runs; r += n) {
      const std::size_t first = r * at_once, count = std::min(at_once, images - first);
      const std::size_t next = std::min(images, (r + n) * at_once);
      const std::size_t next_count = std::min(at_once, images - next);
      NBQ_ASSIGN(hw::EngineRun run,
                 engines[e].run(std::span(pixels).subspan(first * bytes, count * bytes),
                                std::span(pixels).subspan(next * bytes, next_count * bytes)));
      const std::lock_guard lock(mutex);
      std::copy(run.logits.begin(), run.logits.end(),
                outcome.logits.begin() + static_cast<std::ptrdiff_t>(first * outputs));
      run.logits.clear();
      // The first one: with stalls of an external memory runs differ.
      if (r == 0) outcome.run = std::move(run);
      progress.at(done += count);
    }
    return ok_status();
  }));
  outcome.seconds = now_seconds() - start;
  return outcome;
}

nlohmann::ordered_json config_json(const hw::EngineConfig& c) {
  return {{"pe", hw::pe_name(c.pe)},        {"lanes_in", c.lanes_in},
          {"lanes_out", c.lanes_out},       {"pixels", c.pixels},
          {"images_at_once", c.images},     {"lanes", c.lanes()},
          {"code_bits", c.code_bits},       {"weight_bits", c.weight_bits()},
          {"act_bits", c.act_bits},         {"act_digits", c.act_digits},
          {"acc_bits", c.acc_bits},         {"broadcast", c.broadcast},
          {"out_cycles", c.out_cycles},     {"align_bits", c.align_bits},
          {"left_bits", c.left_bits},       {"max_pool", c.max_pool},
          {"axi_bits", c.axi_bits},         {"act_depth", c.act_depth},
          {"weight_depth", c.weight_depth}, {"param_depth", c.param_depth},
          {"result_depth", c.result_depth}, {"program_depth", c.program_depth}};
}

nlohmann::ordered_json layers_json(const hw::Program& program, const hw::Timing& timing) {
  auto list = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < program.layers.size(); ++i) {
    const hw::LayerSpan& layer = program.layers[i];
    const hw::CycleCounts& cycles = timing.layers[i];
    list.push_back({{"name", layer.name},
                    {"macs", layer.macs},
                    {"cycles", cycles.total},
                    {"busy_cycles", cycles.busy},
                    {"utilisation", hw::lanes_used(program.config, layer.macs, cycles)}});
  }
  return list;
}

Result<TestImages> test_images(const Graph& graph, const std::string& data, std::size_t images) {
  TestImages t;
  if (data.empty()) {
    std::mt19937 rng(1);
    t.count = images;
    t.pixels.resize(images * static_cast<std::size_t>(graph.input().shape.size()));
    for (auto& p : t.pixels) p = static_cast<std::uint8_t>(rng());
    return t;
  }
  NBQ_ASSIGN(const ImageSourcePtr source, open_for_model(data, graph));
  t.count = std::min(images, source->size());
  NBQ_ASSIGN(t.pixels, load_images(*source, 0, t.count));
  for (std::size_t i = 0; i < t.count; ++i) t.labels.push_back(source->label(i));
  return t;
}

Result<std::vector<std::int64_t>> reference_logits(const RefExecutor& ref, const TestImages& t) {
  constexpr std::size_t kBatch = 16;
  const std::size_t bytes = t.pixels.size() / t.count;
  std::vector<std::int64_t> all;
  for (std::size_t i = 0; i < t.count; i += kBatch) {
    const std::size_t n = std::min(kBatch, t.count - i);
    NBQ_ASSIGN(const auto some,
               ref.run(std::span(t.pixels).subspan(i * bytes, n * bytes), static_cast<int>(n)));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::size_t count_mismatches(std::span<const std::int64_t> a, std::span<const std::int64_t> b,
                             std::size_t outputs) {
  NBQ_CHECK(a.size() == b.size() && outputs > 0);
  std::size_t count = 0;
  for (std::size_t i = 0; i + outputs <= a.size(); i += outputs)
    count += !std::equal(a.begin() + static_cast<std::ptrdiff_t>(i),
                         a.begin() + static_cast<std::ptrdiff_t>(i + outputs),
                         b.begin() + static_cast<std::ptrdiff_t>(i));
  return count;
}

}  // namespace nbq::cli
