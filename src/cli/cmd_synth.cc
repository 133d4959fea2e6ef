#include "cli/board_options.h"
#include "cli/evaluate.h"
#include "hw/board_flow.h"
#include "hw/rtl_build.h"
#include "model/nbq_file.h"

namespace nbq::cli {
namespace {

struct SynthOptions {
  std::string model = shipped_model(), target = "xcup", output;
  bool no_route = false;
  int seeds = 3, first_seed = 1;
  BoardOptions board;
};

nlohmann::ordered_json resources_json(const hw::Resources& r) {
  return {{"lut", r.lut},   {"ff", r.ff},         {"dsp", r.dsp},
          {"bram", r.bram}, {"lutram", r.lutram}, {"carry", r.carry}};
}

/// Counts of the bare engine for a family.
Status count_engine(const SynthOptions& o, Context& context) {
  const EngineOptions& engine = o.board.engine;
  NBQ_ASSIGN(const Graph graph, load_nbq(o.model));
  NBQ_ASSIGN(const hw::Program program,
             hw::compile(graph, engine.wanted(engine.kind()), engine.limits));
  const hw::SynthTarget target =
      o.target == "ecp5" ? hw::SynthTarget::kEcp5 : hw::SynthTarget::kXcup;
  NBQ_ASSIGN(const hw::Resources r, hw::synthesise(program.config, target));
  nlohmann::ordered_json j{{"model", o.model}, {"target", o.target}};
  j.update(config_json(program.config));
  j.update(resources_json(r));
  context.print(j,
                fmt::format("{} array, {} lanes on {}: {} LUT, {} FF, {} DSP, {} BRAM\n", engine.pe,
                            program.config.lanes(), o.target, r.lut, r.ff, r.dsp, r.bram));
  return ok_status();
}

nlohmann::ordered_json build_json(const hw::BoardBuild& b) {
  nlohmann::ordered_json j = resources_json(b.resources);
  j["fmax_mhz"] = b.fmax_mhz ? nlohmann::ordered_json(*b.fmax_mhz) : nullptr;
  j["clock_mhz"] = b.clock_mhz;
  j["seeds"] = nlohmann::ordered_json::array();
  for (const hw::SeedResult& s : b.seeds) {
    nlohmann::ordered_json row{{"seed", s.seed}};
    if (s.fmax_mhz)
      row["fmax_mhz"] = *s.fmax_mhz;
    else
      row["failed"] = s.reason;
    j["seeds"].push_back(row);
  }
  if (!b.bitstream.empty()) j["bitstream"] = b.bitstream.string();
  for (const hw::KeptLog& l : b.logs)
    j["logs"].push_back({{"path", l.path.string()}, {"fnv1a", l.hash}});
  return j;
}

std::string build_text(const hw::BoardBuild& b) {
  const hw::Resources& r = b.resources;
  std::string s = fmt::format("synthesised: {} LUT, {} FF, {} DSP, {} BRAM\n", r.lut + r.lutram,
                              r.ff, r.dsp, r.bram);
  for (const hw::SeedResult& seed : b.seeds)
    s += seed.fmax_mhz ? fmt::format("seed {}: {:.2f} MHz\n", seed.seed, *seed.fmax_mhz)
                       : fmt::format("seed {}: failed: {}\n", seed.seed, seed.reason);
  if (b.fmax_mhz)
    s += fmt::format("routed: median {:.2f} MHz; {} (clock {:.2f} MHz{})\n", *b.fmax_mhz,
                     b.bitstream.string(), b.clock_mhz,
                     b.meets_clock() ? "" : ", which NO seed reaches: give a lower --clock-mhz");
  return s;
}

/// Synthesis, place and route for a board.
Status build_board(const SynthOptions& o, Context& context) {
  NBQ_ASSIGN(const hw::Board board, o.board.find());
  NBQ_ASSIGN(const hw::BoardPlan plan, o.board.plan(o.model, board));
  hw::BuildOptions options;
  options.dir = o.output.empty() ? hw::cache_dir() / "boards" : std::filesystem::path(o.output);
  options.route = !o.no_route;
  options.seeds = o.seeds;
  options.first_seed = o.first_seed;
  NBQ_ASSIGN(const hw::BoardBuild build, [&] {
    StatusLine line(board.name);
    options.progress = [&line](const std::string& what) { line.say(what); };
    return hw::build_for_board(plan, board, options);
  }());
  nlohmann::ordered_json j{{"model", o.model}};
  j.update(plan_json(plan, board, false));
  j.update(build_json(build));
  context.print(j, plan_text(plan, board) + build_text(build));
  return ok_status();
}

Status synth_command(const SynthOptions& o, Context& context) {
  return o.board.board.empty() ? count_engine(o, context) : build_board(o, context);
}

}  // namespace

void add_synth(CLI::App& app, Context& context) {
  auto o = std::make_shared<SynthOptions>();
  CLI::App* cmd =
      add_command(app, context, "synth",
                  "the accelerator for a model: resources from yosys; on boards, a bitstream",
                  [o, &context] { return synth_command(*o, context); });
  cmd->add_option("model", o->model,
                  "integer .nbq file: fixes widths and memory depths [the zoo's 3-bit ResNet-20]");
  CLI::Option* target =
      cmd->add_option("--target", o->target, "without a board: xcup (UltraScale+) or ecp5 [xcup]")
          ->check(CLI::IsMember({"xcup", "ecp5"}));
  o->board.add_to(*cmd, false);
  CLI::Option* board = cmd->get_option("--board")->excludes(target);
  for (const char* of_board : {"--clock-mhz", "--use"}) cmd->get_option(of_board)->needs(board);
  cmd->add_flag("--no-route", o->no_route, "count resources only")->needs(board);
  cmd->add_option("--seeds", o->seeds, "placements to try; the median is reported [3]")
      ->check(CLI::Range(1, 100))
      ->needs(board);
  cmd->add_option("--first-seed", o->first_seed, "number of the first of them [1]")
      ->check(CLI::Range(1, 1 << 20))
      ->needs(board);
  cmd->add_option("-o,--output", o->output, "folder of the build [nbq's cache]")->needs(board);
}

}  // namespace nbq::cli
