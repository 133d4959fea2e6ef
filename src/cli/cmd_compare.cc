#include <algorithm>

#include "cli/cli.h"
#include "report/compare.h"
#include "train/compare.h"

namespace nbq::cli {
namespace {

struct CompareOptions {
  std::string recipe, out, data, init;
  std::vector<std::string> methods, set;
  std::vector<std::uint64_t> seeds;
  bool resume = false;
  int threads = 0;
  std::string device = "cpu";
  double epochs_scale = 1;
};

Result<CompareRequest> request_of(const CompareOptions& o) {
  if (!(o.epochs_scale > 0 && o.epochs_scale <= 1000))
    return make_error(ErrorCode::kInvalidArgument, "--epochs-scale must be in (0, 1000], it is {}",
                      o.epochs_scale);
  CompareRequest q;
  NBQ_ASSIGN(q.recipe, load_recipe(o.recipe, o.set));
  Recipe& r = q.recipe;
  if (!o.data.empty()) r.data.source = o.data;
  if (!o.init.empty()) {  // instead of the float phases
    r.init = o.init;
    std::erase_if(r.phases, [](const PhaseSpec& p) { return !p.quantised; });
  }
  if (o.epochs_scale != 1) r = scale_epochs(r, o.epochs_scale);
  NBQ_ASSIGN(q.rows, choose_rows(r, o.methods));
  q.seeds = !o.seeds.empty()           ? o.seeds
            : !r.compare.seeds.empty() ? r.compare.seeds
                                       : std::vector<std::uint64_t>{r.seed};
  std::vector<std::uint64_t> sorted = q.seeds;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return make_error(ErrorCode::kInvalidArgument, "a seed is given twice: {}",
                      fmt::join(q.seeds, ", "));
  q.out = o.out.empty() ? "runs/compare-" + r.name : o.out;
  q.resume = o.resume;
  q.threads = o.threads;
  q.device = o.device;
  return q;
}

report::Comparison comparison_of(const CompareRequest& q, const CompareReport& made) {
  report::Comparison c{q.recipe.name, made.interrupted, q.seeds, {}};
  for (const CompareResult& r : made.rows) {
    const bool integer = is_integer_row(r.row);
    const auto method = find_method(r.row.name);
    report::ComparedRow& row = c.rows.emplace_back();
    row.label = r.row.label;
    row.name = r.row.name;
    row.paper = integer ? "arXiv:2004.02396" : std::string((*method)->paper);
    row.bits = r.row.bits;
    row.activations =
        integer ? fmt::format("{}-bit integers", q.recipe.quant.act_bits) : std::string("float32");
    row.weights = r.size.weights;
    row.weight_bytes = r.size.bytes;
    for (const CompareRun& run : r.runs)
      row.runs.push_back({run.seed, run.error.empty() ? run.accuracy : report::kAbsent,
                          run.images_per_second, run.seconds, run.dir.string(), run.error});
  }
  return c;
}

Status compare_command(const CompareOptions& o, Context& context) {
  NBQ_ASSIGN(const CompareRequest request, request_of(o));
  NBQ_ASSIGN(const CompareReport made, compare(request));
  const report::Comparison c = comparison_of(request, made);
  NBQ_TRY(report::write_comparison(c, request.out.string()));
  nlohmann::ordered_json j = nlohmann::ordered_json::parse(report::compare_json(c));
  j["out"] = request.out.string();
  std::string text = report::compare_md(c);
  if (made.interrupted) {
    j["message"] = made.message;
    text += "\n" + made.message + "\n";
    context.exit = 130;
  } else if (made.failed()) {
    context.exit = 1;
  }
  context.print(j, text);
  return ok_status();
}

}  // namespace

void add_compare(CLI::App& app, Context& context) {
  auto o = std::make_shared<CompareOptions>();
  CLI::App* cmd = add_command(app, context, "compare",
                              "train nbq's and published weight quantisers side by side",
                              [o, &context] { return compare_command(*o, context); });
  cmd->add_option("recipe", o->recipe, "TOML recipe with a quantised phase, see zoo/compare-*.toml")
      ->required();
  cmd->add_option("--methods", o->methods,
                  "rows, as twn or dorefa:2, or labels of the recipe's [[compare.method]] [all]; "
                  "float is always there")
      ->delimiter(',');
  cmd->add_option("--seeds", o->seeds, "each row learns once with each [the recipe's]")
      ->delimiter(',');
  cmd->add_option("--out", o->out, "folder of the runs and of compare.* [runs/compare-<name>]");
  cmd->add_option("--data", o->data, "digits, CIFAR batches, or a folder of class folders");
  cmd->add_option("--init", o->init, "float .nbq to start from, instead of the float phases");
  add_set_option(cmd, o->set);
  cmd->add_flag("--resume", o->resume, "skip the finished runs in the folder, go on with the rest");
  cmd->add_option("--epochs-scale", o->epochs_scale,
                  "every phase's epochs times this (0.1: a short try)");
  cmd->add_option("--threads", o->threads, "0: one a core")->check(CLI::NonNegativeNumber);
  cmd->add_option("--device", o->device, "cpu, cuda, cuda:1 [cpu]");
}

}  // namespace nbq::cli
