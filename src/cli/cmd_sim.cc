#include "cli/board_options.h"
#include "hw/board_device.h"
#include "hw/layer_table.h"
#include "model/nbq_file.h"

namespace nbq::cli {
namespace {

struct SimOptions {
  std::string model, data, device;
  std::size_t images = 1;
  int threads = 0;
  hw::AxiMemoryOptions memory;
  BoardOptions board;
};

struct Target {
  hw::Program program;
  double clock_mhz = 200;  ///< without a board an assumption
};

/// The engine of the options, or the one that `nbq compile` chooses for the board.
Result<Target> choose(const SimOptions& o, const Graph& graph) {
  Target t;
  if (!o.board.board.empty()) {
    NBQ_ASSIGN(const hw::Board board, o.board.find());
    NBQ_ASSIGN(hw::BoardPlan plan, o.board.plan(o.model, board));
    t.program = std::move(plan.program);
    t.clock_mhz = plan.clock_mhz;
  } else {
    const EngineOptions& engine = o.board.engine;
    NBQ_ASSIGN(t.program, hw::compile(graph, engine.wanted(engine.kind()), engine.limits));
    if (o.board.clock_mhz > 0) t.clock_mhz = o.board.clock_mhz;
  }
  for (const char* option : {"--mem-latency", "--stall-percent"})
    if (o.board.command->count(option) > 0 && t.program.config.axi_bits == 0)
      return make_error(
          ErrorCode::kInvalidArgument, "{}: this engine has no external memory{}", option,
          o.board.board.empty() ? "; --axi-bits gives it a bus" : ", nor has the board");
  return t;
}

Result<SimOutcome> run(const SimOptions& o, const Target& target, const TestImages& t) {
  if (o.device.empty()) return simulate(target.program, t.pixels, t.count, o.threads, o.memory);
  NBQ_ASSIGN(const hw::Board board, o.board.find());
  NBQ_ASSIGN(auto device, hw::open_board(board, o.device, target.clock_mhz));
  NBQ_ASSIGN(hw::Engine engine, hw::Engine::open(std::move(device), target.program));
  std::vector<hw::Engine> engines;
  engines.push_back(std::move(engine));
  return run_images(std::move(engines), t.pixels, t.count, "on the board");
}

Status sim_command(const SimOptions& o, Context& context) {
  NBQ_ASSIGN(Graph graph, load_nbq(o.model));
  NBQ_ASSIGN(const RefExecutor ref, RefExecutor::create(std::move(graph)));
  NBQ_ASSIGN(const TestImages t, test_images(ref.graph(), o.data, o.images));
  NBQ_ASSIGN(const Target target, choose(o, ref.graph()));
  const hw::Program& program = target.program;
  NBQ_ASSIGN(const SimOutcome sim, run(o, target, t));
  NBQ_ASSIGN(const auto want, reference_logits(ref, t));
  const auto outputs = static_cast<std::size_t>(ref.outputs());
  const std::size_t mismatches = count_mismatches(want, sim.logits, outputs);
  const double used =
      hw::lanes_used(program.config, program.macs, {.total = sim.run.compute_cycles});
  const int at_once = program.config.images;
  const double per_second =
      target.clock_mhz * 1e6 * at_once / static_cast<double>(sim.run.compute_cycles);
  // The images of a run share its cycles; their parts are rounded.
  const auto per_image = [at_once](std::uint64_t cycles) {
    const auto n = static_cast<std::uint64_t>(at_once);
    return (cycles + n / 2) / n;
  };

  nlohmann::ordered_json j{{"model", o.model}};
  j.update(config_json(program.config));
  if (!o.device.empty()) j["device"] = o.device;
  j["clock_mhz"] = target.clock_mhz;
  j["images"] = t.count;
  j["mismatches"] = mismatches;
  j["cycles_per_run"] = sim.run.compute_cycles;
  const hw::Timing foretold = hw::predict(program, o.memory.latency);
  // Of a run that loads the next images, from a memory that never pauses.
  if (o.device.empty() && o.memory.stall_percent == 0)
    j["predicted_cycles_per_run"] = foretold.all.total;
  j["cycles_per_image"] = per_image(sim.run.compute_cycles);
  j["load_cycles_per_image"] = per_image(sim.run.load_cycles);
  j["busy_cycles_per_image"] = per_image(sim.run.busy_cycles);
  j["residual_cycles_per_image"] = per_image(sim.run.residual_cycles);
  j["drain_cycles_per_image"] = per_image(sim.run.drain_cycles);
  j["barrier_cycles_per_image"] = per_image(sim.run.barrier_cycles);
  j["fetch_cycles_per_image"] = per_image(sim.run.fetch_cycles);
  j["memory_cycles_per_image"] = per_image(sim.run.memory_cycles);
  j["macs"] = program.macs;
  j["streamed_weight_words"] = program.stream_words;
  j["instructions"] = program.instructions.size();
  j["utilisation"] = used;
  j["images_per_s"] = per_second;
  j["seconds"] = sim.seconds;
  if (!t.labels.empty()) {
    std::size_t correct = 0;
    for (std::size_t i = 0; i < t.count; ++i)
      correct += argmax(std::span(sim.logits).subspan(i * outputs, outputs)) == t.labels[i];
    j["accuracy"] = 100.0 * static_cast<double>(correct) / static_cast<double>(t.count);
  }
  j["layers"] = layers_json(program, foretold);
  context.print(
      j, fmt::format("{} array, {} lanes: {} cycles an image, {:.1f} % of the lanes busy, {:.0f} "
                     "images/s at {} MHz\n{} images, {} mismatches against the reference\n",
                     hw::pe_name(program.config.pe), program.config.lanes(),
                     per_image(sim.run.compute_cycles), 100 * used, per_second, target.clock_mhz,
                     t.count, mismatches));
  if (mismatches != 0) context.exit = 1;
  return ok_status();
}

}  // namespace

void add_sim(CLI::App& app, Context& context) {
  auto o = std::make_shared<SimOptions>();
  CLI::App* cmd = add_command(app, context, "sim",
                              "run images through the Verilated accelerator, or one on a board",
                              [o, &context] { return sim_command(*o, context); });
  cmd->add_option("model", o->model, "integer .nbq file")->required();
  cmd->add_option("--data", o->data, "test images: digits or a folder [random pixels]");
  cmd->add_option("--images", o->images, "how many [1]")->check(CLI::Range(1, kMaxImages));
  CLI::Option* threads =
      cmd->add_option("--threads", o->threads, "0: one a core")->check(CLI::NonNegativeNumber);
  CLI::Option* latency = cmd->add_option("--mem-latency", o->memory.latency,
                                         "cycles from an AXI address to its first beat [0]");
  CLI::Option* stalls =
      cmd->add_option("--stall-percent", o->memory.stall_percent,
                      "cycles in which an AXI valid or ready is withheld, at random [0]")
          ->check(CLI::Range(0, 95));
  o->board.add_to(*cmd, false);
  cmd->get_option("--clock-mhz")
      ->description("engine clock, for images/s: on a board the board's, else assumed [200]");
  cmd->get_option("--use")->needs(cmd->get_option("--board"));
  cmd->add_option("--device", o->device,
                  "the board itself, with what `nbq synth` made for the same options: "
                  "/dev/ttyUSB0, or /dev/uio0,/dev/udmabuf0")
      ->check([](const std::string& path) { return path.empty() ? "no path" : std::string(); })
      ->needs(cmd->get_option("--board"))
      ->excludes(threads)
      ->excludes(latency)
      ->excludes(stalls);
}

}  // namespace nbq::cli
