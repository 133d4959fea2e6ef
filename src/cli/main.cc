#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cli/cli.h"
#include "cli/reference.h"
#include "core/version.h"

namespace nbq::cli {

void Context::fail(const Error& error) {
  exit = exit_code(error);
  if (json)
    std::printf("%s\n", nlohmann::ordered_json{{"error", error.message}, {"code", exit}}
                            .dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
                            .c_str());
  std::fprintf(stderr, "nbq: %s\n", error.message.c_str());
}

void Context::print(const nlohmann::ordered_json& object, const std::string& text) const {
  const std::string out =
      json ? object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n" : text;
  std::fwrite(out.data(), 1, out.size(), stdout);
}

namespace {

/// OpenMP's threads that spin while they wait lose most of their speed when other programs run.
/// libgomp reads its environment when it is loaded, before main(): so the program begins once more,
/// unless the user has chosen. The variable that is set is what ends the recursion.
void let_openmp_wait_passively(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  if (::setenv("OMP_WAIT_POLICY", "passive", 1) != 0) return;
  ::execv("/proc/self/exe", argv);  // where that fails it goes on as it was
}

bool computes_with_openmp(int argc, char** argv) {
  return argc > 1 &&
         (std::string_view(argv[1]) == "train" || std::string_view(argv[1]) == "sensitivity");
}

}  // namespace

}  // namespace nbq::cli

int main(int argc, char** argv) {
  using namespace nbq::cli;
  if (computes_with_openmp(argc, argv)) let_openmp_wait_passively(argv);
  std::signal(SIGXFSZ, SIG_IGN);  // a file over `ulimit -f` is an error like a full disk
  CLI::App app{"neural networks whose weights are n-bit powers of two, from training to gates"};
  app.set_version_flag("--version", nbq::kVersion);
  app.require_subcommand(1);
  app.footer(reference_footer());
  app.add_option_function<std::string>("--generate",
                                       [&app](const std::string& format) {
                                         // Ends the parsing with a text, as --version does.
                                         throw CLI::CallForVersion(reference(app, format), 0);
                                       })
      ->group("")  // hidden: packages and the manual are made with it
      ->check(CLI::IsMember(reference_formats()));
  Context context;
  add_train(app, context);
  add_compare(app, context);
  add_eval(app, context);
  add_export(app, context);
  add_info(app, context);
  add_run(app, context);
  add_check(app, context);
  add_sim(app, context);
  add_compile(app, context);
  add_synth(app, context);
  add_energy(app, context);
  add_explore(app, context);
  add_import(app, context);
  add_report(app, context);
  add_sensitivity(app, context);
  add_bench(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {  // --help, --version
      app.exit(e);
    } else {
      context.json = std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
      context.fail(nbq::make_error(nbq::ErrorCode::kInvalidArgument, "{} (see --help)", e.what()));
    }
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::fprintf(stderr, "nbq: stdout can't be written\n");
    return 3;
  }
  return context.exit;
}
