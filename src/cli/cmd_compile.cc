#include "cli/board_options.h"
#include "hw/board_image.h"
#include "hw/layer_table.h"

namespace nbq::cli {
namespace {

struct CompileOptions {
  std::string model, output;
  BoardOptions board;
};

Status compile_command(const CompileOptions& o, Context& context) {
  NBQ_ASSIGN(const hw::Board board, o.board.find());
  NBQ_ASSIGN(const hw::BoardPlan plan, o.board.plan(o.model, board));
  nlohmann::ordered_json j{{"model", o.model}};
  j.update(plan_json(plan, board, true));
  std::string text = hw::layer_table(plan.program, plan.timing) + plan_text(plan, board);
  if (!o.output.empty()) {
    NBQ_TRY(hw::write_board_image(plan, board, o.output));
    j["output"] = o.output;
    text += fmt::format("written to {}\n", o.output);
  }
  context.print(j, text);
  return ok_status();
}

}  // namespace

void add_compile(CLI::App& app, Context& context) {
  auto o = std::make_shared<CompileOptions>();
  CLI::App* cmd = add_command(app, context, "compile",
                              "choose an engine for a board, and what it costs, before synthesis",
                              [o, &context] { return compile_command(*o, context); });
  cmd->add_option("model", o->model, "integer .nbq file")->required();
  o->board.add_to(*cmd, true);
  cmd->add_option("-o,--output", o->output,
                  "folder for program, weights, parameters and memory contents");
}

}  // namespace nbq::cli
