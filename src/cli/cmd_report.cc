#include "cli/cli.h"
#include "cli/model_info.h"
#include "report/report.h"

namespace nbq::cli {
namespace {

Status report_command(report::ReportInputs inputs, Context& context) {
  std::error_code ec;
  const auto model = inputs.dir / "model.nbq";
  if (std::filesystem::exists(model, ec)) {  // a run folder
    NBQ_ASSIGN(const auto info, model_info(model));
    inputs.info = info.dump();
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
  cmd->add_option("dir", o->dir,
                  "run folder, or a folder with run/ and the JSON of eval, check, info, sim, synth "
                  "(scripts/demo shows the names)")
      ->required();
  cmd->add_option("--clock-mhz", o->clock_mhz, "clock for images/s [the simulations']")
      ->check(CLI::NonNegativeNumber);
}

}  // namespace nbq::cli
