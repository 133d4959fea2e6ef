#include "cli/hardware.h"
#include "cli/model_info.h"
#include "core/log.h"
#include "model/nbq_file.h"
#include "report/report.h"

namespace nbq::cli {
namespace {

/// The network on sim's engine, as far as the compiler knows it.
Result<nlohmann::ordered_json> schedule(const std::filesystem::path& model) {
  NBQ_ASSIGN(const Graph graph, load_nbq(model));
  NBQ_ASSIGN(const hw::Program program,
             hw::compile(graph, EngineOptions().wanted(hw::PeKind::kSvpe)));
  nlohmann::ordered_json j = config_json(program.config);
  j["layers"] = layers_json(program, hw::predict(program));
  return j;
}

Status report_command(report::ReportInputs inputs, Context& context) {
  std::error_code ec;
  const auto model = inputs.dir / "model.nbq";
  if (std::filesystem::exists(model, ec)) {  // a run folder
    NBQ_ASSIGN(const auto info, model_info(model));
    inputs.stand_ins.info = info.dump();
    if (const auto s = schedule(model); s.ok())
      inputs.stand_ins.compiled = s->dump();
    else
      log_warn("the report has no cycles of the layers: {}", s.error().message);
  }
  NBQ_ASSIGN(const report::DemoReport r, report::make_report(inputs));
  NBQ_TRY(report::write_report(r, inputs.dir));
  context.print(nlohmann::ordered_json::parse(report::report_json(r)), report::text_table(r));
  return ok_status();
}

}  // namespace

void add_report(CLI::App& app, Context& context) {
  auto o = std::make_shared<report::ReportInputs>();
  CLI::App* cmd = add_command(app, context, "report",
                              "table, report.json and report.html from the figures in a folder",
                              [o, &context] { return report_command(*o, context); });
  cmd->add_option(
         "dir", o->dir,
         "run folder, or a folder with run/ and what the other commands print with --json: "
         "info.json, eval.json, check.json, sim_svpe.json, ... (docs/report.md)")
      ->required();
  cmd->add_option("--clock-mhz", o->clock_mhz, "clock for images/s [the simulations']")
      ->check(CLI::NonNegativeNumber);
}

}  // namespace nbq::cli
