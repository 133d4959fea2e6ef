#include "cli/hardware.h"
#include "hw/synth.h"
#include "model/nbq_file.h"

namespace nbq::cli {
namespace {

struct SynthOptions {
  std::string model, target = "xcup";
  EngineOptions engine;
};

Status synth_command(const SynthOptions& o, Context& context) {
  NBQ_ASSIGN(const Graph graph, load_nbq(o.model));
  NBQ_ASSIGN(const hw::Program program,
             hw::compile(graph, o.engine.wanted(o.engine.kind()), o.engine.limits));
  const hw::SynthTarget target =
      o.target == "ecp5" ? hw::SynthTarget::kEcp5 : hw::SynthTarget::kXcup;
  NBQ_ASSIGN(const hw::Resources r, hw::synthesise(program.config, target));
  nlohmann::ordered_json j{{"model", o.model}, {"target", o.target}};
  j.update(config_json(program.config));
  j["lut"] = r.lut;
  j["ff"] = r.ff;
  j["dsp"] = r.dsp;
  j["bram"] = r.bram;
  j["lutram"] = r.lutram;
  j["carry"] = r.carry;
  context.print(
      j, fmt::format("{} array, {} lanes on {}: {} LUT, {} FF, {} DSP, {} BRAM\n", o.engine.pe,
                     program.config.lanes(), o.target, r.lut, r.ff, r.dsp, r.bram));
  return ok_status();
}

}  // namespace

void add_synth(CLI::App& app, Context& context) {
  auto o = std::make_shared<SynthOptions>();
  CLI::App* cmd =
      add_command(app, context, "synth", "resources of the accelerator for a model, from yosys",
                  [o, &context] { return synth_command(*o, context); });
  cmd->add_option("model", o->model, "integer .nbq file: fixes widths and memory depths")
      ->required();
  cmd->add_option("--target", o->target, "xcup (UltraScale+) or ecp5 [xcup]")
      ->check(CLI::IsMember({"xcup", "ecp5"}));
  o->engine.add_to(*cmd);
}

}  // namespace nbq::cli
