#pragma once
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/result.h"

namespace nbq::cli {

/// More images than any --images wants.
inline constexpr int kMaxImages = 1 << 24;

/// What every command shares. A command sets `exit` and prints either text or one JSON object.
struct Context {
  bool json = false;
  int exit = 0;

  /// Prints the error (text on stderr; {"error", "code"} on stdout with --json) and sets the exit
  /// code.
  void fail(const Error& error);
  /// Prints the object with --json, the text otherwise.
  void print(const nlohmann::ordered_json& object, const std::string& text) const;
};

// One file a command: src/cli/cmd_<name>.cc; listed in main.cc.
void add_train(CLI::App& app, Context& context);
void add_compare(CLI::App& app, Context& context);
void add_eval(CLI::App& app, Context& context);
void add_export(CLI::App& app, Context& context);
void add_info(CLI::App& app, Context& context);
void add_run(CLI::App& app, Context& context);
void add_check(CLI::App& app, Context& context);
void add_sim(CLI::App& app, Context& context);
void add_synth(CLI::App& app, Context& context);
void add_compile(CLI::App& app, Context& context);
void add_energy(CLI::App& app, Context& context);
void add_explore(CLI::App& app, Context& context);
void add_import(CLI::App& app, Context& context);
void add_report(CLI::App& app, Context& context);
void add_sensitivity(CLI::App& app, Context& context);
void add_bench(CLI::App& app, Context& context);

/// A subcommand with --json, whose body returns a Status; errors become exit codes.
template <class F>
CLI::App* add_command(CLI::App& app, Context& context, const std::string& name,
                      const std::string& what, F body) {
  CLI::App* cmd = app.add_subcommand(name, what);
  cmd->add_flag("--json", context.json, "print one JSON object on stdout and nothing else there");
  cmd->callback([&context, body] {
    try {
      if (const Status s = body(); !s.ok()) context.fail(s.error());
    } catch (const std::exception& e) {  // out of memory, a library's own
      context.fail(make_error(ErrorCode::kIo, "{}", e.what()));
    }
  });
  return cmd;
}

/// --set of commands that read a recipe; load_recipe takes what it fills.
inline void add_set_option(CLI::App* cmd, std::vector<std::string>& set) {
  cmd->add_option("--set", set,
                  "key=value instead of the recipe's, any number of times: model.depth=110, "
                  "phase.2.lr=0.001")
      ->allow_extra_args(false);
}

}  // namespace nbq::cli
