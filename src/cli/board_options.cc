#include "cli/board_options.h"

#include "core/data_dir.h"
#include "hw/layer_table.h"
#include "model/nbq_file.h"

namespace nbq::cli {

CLI::Option* add_board(CLI::App& cmd, std::string& board) {
  return cmd.add_option("--board", board, "a board's name, or its .toml file")
      ->type_name(fmt::format("{{{}}} or FILE", fmt::join(hw::board_names(), ",")));
}

void BoardOptions::add_to(CLI::App& cmd, bool needed) {
  add_board(cmd, board)->required(needed);
  cmd.add_option("--clock-mhz", clock_mhz, "engine clock on the board [the board's]")
      ->check(CLI::Range(1.0, 1000.0));
  cmd.add_option("--use", use,
                 "fraction of each of the board's resources that an engine may take [the board's]")
      ->check(CLI::Range(0.05, 1.0));
  engine.add_to(cmd);
  command = &cmd;
}

Result<hw::Board> BoardOptions::find() const {
  NBQ_ASSIGN(hw::Board b, hw::find_board(board));
  if (clock_mhz > 0) b.engine_mhz = clock_mhz;
  if (use > 0) b.use = use;
  return b;
}

Result<hw::BoardPlan> BoardOptions::plan(const std::string& model, const hw::Board& b) const {
  for (const char* fixed :
       {"--code-bits", "--acc-bits", "--axi-bits", "--weight-depth", "--act-depth", "--max-pool"})
    if (command->count(fixed) > 0)
      return make_error(ErrorCode::kInvalidArgument,
                        "{} does not go with --board: the network and the board settle it", fixed);
  NBQ_ASSIGN(const Graph graph, load_nbq(model));
  return hw::plan_for_board(graph, b, limits());
}

hw::PlanLimits BoardOptions::limits() const {
  const auto given = [this](const char* option, int value, int otherwise) {
    return command->count(option) > 0 ? value : otherwise;
  };
  const hw::EngineConfig& c = engine.config;
  hw::PlanLimits l;
  l.pe = engine.kind();
  l.lanes_in = given("--lanes-in", c.lanes_in, 0);
  l.lanes_out = given("--lanes-out", c.lanes_out, 0);
  l.pixels = given("--pixels", c.pixels, 0);
  l.images = given("--images-at-once", c.images, 0);
  l.act_bits = given("--engine-act-bits", c.act_bits, l.act_bits);
  l.act_digits = given("--act-digits", c.act_digits, 0);
  l.mult_bits = engine.wanted(l.pe).mult_bits;
  l.broadcast = given("--broadcast", c.broadcast, l.broadcast);
  l.out_cycles = given("--out-cycles", c.out_cycles, 0);
  return l;
}

nlohmann::ordered_json plan_json(const hw::BoardPlan& plan, const hw::Board& board, bool layers) {
  nlohmann::ordered_json j{{"board", board.name}, {"device", board.device}};
  const hw::Program& p = plan.program;
  j.update(config_json(p.config));
  const hw::Resources& r = plan.resources;
  j["clock_mhz"] = plan.clock_mhz;
  j["cycles"] = plan.cycles();
  j["images_per_s"] = plan.images_per_s();
  j["utilisation"] = hw::lanes_used(p.config, p.macs, plan.timing.all);
  j["macs"] = p.macs;
  j["weight_bytes_per_s"] = plan.weight_bytes_per_s();
  j["streamed_weight_words"] = p.stream_words;
  j["external_bytes_per_image"] = plan.external_bytes_per_image();
  j["estimate"] = {{"lut", r.lut + r.lutram}, {"ff", r.ff}, {"dsp", r.dsp}, {"bram", r.bram}};
  if (layers) j["layers"] = layers_json(p, plan.timing);
  return j;
}

std::string plan_text(const hw::BoardPlan& plan, const hw::Board& board) {
  const hw::EngineConfig& c = plan.program.config;
  const hw::Resources &r = plan.resources, &d = board.resources;
  const std::string external =
      c.axi_bits == 0 ? std::string()
                      : fmt::format("{}-bit bus: {:.3f} MB an image, {:.2f} GB/s; {}\n", c.axi_bits,
                                    plan.external_bytes_per_image() / 1e6,
                                    plan.external_bytes_per_image() * plan.images_per_s() / 1e9,
                                    plan.program.stream_words > 0 ? "weights stream"
                                                                  : "all weights on the chip");
  const auto part = [](double n, double all) { return all > 0 ? 100 * n / all : 0; };
  return fmt::format(
      "{}: {} array {}x{}x{}, {} images at once, {} lanes{}, {} MHz\n"
      "{} cycles a run, {:.0f} images/s, {:.1f} % of the lanes used, {:.2f} GB/s of weights\n{}"
      "estimate: {} LUT ({:.0f} %), {} FF ({:.0f} %), {} DSP ({:.0f} %), {} BRAM ({:.0f} %)\n",
      board.name, hw::pe_name(c.pe), c.lanes_in, c.lanes_out, c.pixels, c.images, c.lanes(),
      c.act_digits > 1 ? " that take activations in 2 digits" : "", plan.clock_mhz, plan.cycles(),
      plan.images_per_s(), 100 * hw::lanes_used(c, plan.program.macs, plan.timing.all),
      plan.weight_bytes_per_s() / 1e9, external, r.lut + r.lutram, part(r.lut + r.lutram, d.lut),
      r.ff, part(r.ff, d.ff), r.dsp, part(r.dsp, d.dsp), r.bram, part(r.bram, d.bram));
}

std::string shipped_model() { return (data_dir() / "zoo/resnet20-cifar10-w3a8.nbq").string(); }

}  // namespace nbq::cli
