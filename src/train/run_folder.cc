#include "train/run_folder.h"

#include <torch/version.h>

#include <fstream>

#include "core/file.h"
#include "core/version.h"
#include "train/device.h"

namespace nbq {
namespace {

/// As Linux tells it; empty elsewhere.
std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name"))
      if (const std::size_t colon = line.find(": "); colon != std::string::npos)
        return line.substr(colon + 2);
  return {};
}

/// What programs that were killed while they wrote have left (temporary_beside()).
void remove_temporaries(const std::filesystem::path& dir) {
  std::error_code ec;
  std::vector<std::filesystem::path> left;
  for (std::filesystem::directory_iterator it(dir, ec), end; !ec && it != end; it.increment(ec))
    if (it->path().filename().string().starts_with("checkpoint.pt.") &&
        it->path().extension() == ".tmp")
      left.push_back(it->path());
  for (const auto& path : left) std::filesystem::remove(path, ec);
}

}  // namespace

Result<RunFolder> RunFolder::open(const std::filesystem::path& dir, bool resume) {
  RunFolder folder;
  folder.dir_ = dir;
  std::error_code ec;
  std::filesystem::create_directories(dir, ec);
  if (ec)
    return make_error(ErrorCode::kIo, "{}: the run folder can't be made: {}", dir.string(),
                      ec.message());
  if (!resume) EventLog::remove(dir);
  remove_temporaries(dir);
  NBQ_ASSIGN(folder.log_, LogFile::open(dir / "log.txt", resume));
  NBQ_ASSIGN(folder.events_, EventLog::open(dir));
  return folder;
}

Status RunFolder::write(const Metrics& metrics) {
  NBQ_TRY(write_file(dir_ / "log.csv", metrics_csv(metrics)));
  NBQ_TRY(write_file(dir_ / "metrics.json", metrics_json(metrics)));
  return events_.add_epochs(metrics);
}

Status RunFolder::write_learnt_weights(const Metrics& metrics) {
  NBQ_TRY(events_.add_epochs(metrics));
  return events_.add_learnt_weights(metrics);
}

Origin origin_of(const Recipe& recipe, int threads) {
  Origin o;
  o.nbq = kVersionAndCommit;
  o.seed = recipe.seed;
  o.threads = threads;
  o.processor = compute_device().is_cpu() ? processor_name() : device_name();
  o.libraries = {{"libtorch", TORCH_VERSION},
                 {"compiler", __VERSION__},
                 {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                                     FMT_VERSION % 100)}};
  return o;
}

}  // namespace nbq
