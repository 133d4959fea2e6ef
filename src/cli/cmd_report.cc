#include "cli/cli.h"
#include "report/report.h"

namespace nbq::cli {
namespace {

Status report_command(const report::ReportInputs& inputs, Context& context) {
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
                  "folder with run/metrics.json and the JSON of eval, check, sim, synth "
                  "(scripts/demo shows the names)")
      ->required();
  cmd->add_option("--clock-mhz", o->clock_mhz, "clock for images/s [the simulations']")
      ->check(CLI::NonNegativeNumber);
}

}  // namespace nbq::cli
