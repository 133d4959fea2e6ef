#include "train/compare.h"

#include <algorithm>

#include "core/log.h"
#include "model/nbq_file.h"

namespace nbq {
namespace {

namespace fs = std::filesystem;

TrainRequest base_request(const CompareRequest& q, std::uint64_t seed, const std::string& folder) {
  TrainRequest t;
  t.recipe = q.recipe;
  t.recipe.seed = seed;
  t.recipe.compare = {};
  t.recipe.phases.clear();
  t.run_dir = q.out / fmt::format("seed{}", seed) / folder;
  std::error_code ignored;
  t.resume = q.resume && fs::exists(t.run_dir / "checkpoint.pt", ignored);
  t.threads = q.threads;
  t.device = q.device;
  t.quiet = q.quiet;
  t.handle_signals = q.handle_signals;
  t.stop = q.stop;
  return t;
}

/// The float phases, once for each seed; none: nothing to do.
TrainRequest shared_request(const CompareRequest& q, std::uint64_t seed) {
  TrainRequest t = base_request(q, seed, kSharedFolder);
  for (const PhaseSpec& p : q.recipe.phases)
    if (!p.quantised) t.recipe.phases.push_back(p);
  return t;
}

TrainRequest row_request(const CompareRequest& q, std::uint64_t seed, const CompareRow& row,
                         const std::string& init) {
  TrainRequest t = base_request(q, seed, row_folder(row));
  t.recipe.phases = row.phases;
  if (!init.empty()) t.recipe.init = init;
  return t;
}

double median(std::vector<double> v) {
  if (v.empty()) return 0;
  std::sort(v.begin(), v.end());
  const std::size_t n = v.size();
  return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

CompareRun run_of(const TrainRequest& t, const Result<TrainReport>& made) {
  CompareRun run;
  run.seed = t.recipe.seed;
  run.dir = t.run_dir;
  if (!made.ok()) {
    run.error = made.error().message;
    return run;
  }
  std::vector<double> rates;
  for (const EpochRow& e : made->metrics.epochs) rates.push_back(e.images_per_second);
  run.accuracy = made->metrics.epochs.back().test_accuracy;
  run.images_per_second = median(rates);
  run.seconds = made->metrics.seconds;
  return run;
}

Result<WeightSize> size_of(const CompareRow& row, const TrainReport& made) {
  const bool integer = is_integer_row(row);
  NBQ_ASSIGN(const MethodRow* method, find_method(integer ? "float" : row.name));
  NBQ_ASSIGN(const Graph graph, load_nbq(integer ? made.integer_model : made.float_model));
  return weight_size(graph, *method, row.bits, row.phases.front().first_last_float);
}

/// Trains a row with a seed. A row that diverges is noted and the others go on; other errors end
/// the comparison.
Status train_row(const CompareRequest& q, std::uint64_t seed, const std::string& init,
                 CompareResult& result, CompareReport& report) {
  const TrainRequest t = row_request(q, seed, result.row, init);
  const Result<TrainReport> made = train(t);
  if (!made.ok() && made.error().code != ErrorCode::kDiverged) return made.error();
  if (made.ok() && made->interrupted) {
    report.interrupted = true;
    report.message = fmt::format("{}, seed {}: {}", result.row.label, seed, made->message);
    return ok_status();
  }
  result.runs.push_back(run_of(t, made));
  if (!made.ok()) {
    log_warn("{}, seed {}: {}", result.row.label, seed, made.error().message);
    return ok_status();
  }
  if (!q.quiet)
    log_info("{}, seed {}: {:.2f} %", result.row.label, seed, result.runs.back().accuracy);
  NBQ_ASSIGN(result.size, size_of(result.row, *made));
  return ok_status();
}

Status train_seed(const CompareRequest& q, std::uint64_t seed, CompareReport& report) {
  std::string init;
  if (const TrainRequest shared = shared_request(q, seed); !shared.recipe.phases.empty()) {
    if (!q.quiet) log_info("seed {}: the float network that all rows begin with", seed);
    NBQ_ASSIGN(const TrainReport made, train(shared));
    if (made.interrupted) {
      report.interrupted = true;
      report.message = fmt::format("shared phases, seed {}: {}", seed, made.message);
      return ok_status();
    }
    init = made.float_model.string();
  }
  for (CompareResult& result : report.rows) {
    NBQ_TRY(train_row(q, seed, init, result, report));
    if (report.interrupted) break;
  }
  return ok_status();
}

}  // namespace

bool CompareReport::failed() const {
  for (const CompareResult& r : rows)
    for (const CompareRun& run : r.runs)
      if (!run.error.empty()) return true;
  return false;
}

Result<CompareReport> compare(const CompareRequest& request) {
  if (request.recipe.budget.bytes != 0)
    return make_error(
        ErrorCode::kInvalidArgument,
        "quant.budget_bytes: compared rows have bits of their own; leave the budget out");
  std::error_code ignored;
  if (!request.resume && std::filesystem::exists(request.out / "compare.json", ignored))
    return make_error(ErrorCode::kInvalidArgument,
                      "{} holds a comparison: resume it, or choose another folder",
                      request.out.string());
  CompareReport report;
  for (const CompareRow& row : request.rows) report.rows.push_back({row, {}, {}});
  for (const std::uint64_t seed : request.seeds) {
    NBQ_TRY(train_seed(request, seed, report));
    if (report.interrupted) break;
  }
  return report;
}

}  // namespace nbq
