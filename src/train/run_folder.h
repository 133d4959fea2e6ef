#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/log.h"
#include "train/event_file.h"
#include "train/metrics.h"
#include "train/recipe.h"

// Private to src/train.
namespace nbq {

/// The files of a run folder that tell of a training: log.txt, log.csv, metrics.json and
/// TensorBoard's events. The networks and the checkpoint are the trainer's.
class RunFolder {
 public:
  /// Begins (`resume`: goes on with) the records in `dir`, which is made if it isn't there.
  /// Errors kIo, kBadFile.
  static Result<RunFolder> open(const std::filesystem::path& dir, bool resume);

  /// Brings log.csv, metrics.json and the events up to `metrics`. Call it after the checkpoint is
  /// written, so that a resumed training repeats no step. Errors kIo.
  Status write(const Metrics& metrics);
  /// At the end of a quantised phase, also before write(). Errors kIo.
  Status write_learnt_weights(const Metrics& metrics);
  /// A line for log.txt alone: the terminal is told by somebody else.
  void note(const std::string& line) { log_->note(line); }

 private:
  std::filesystem::path dir_;
  std::unique_ptr<LogFile> log_;
  EventLog events_;
};

/// This program, processor and its libraries.
Origin origin_of(const Recipe& recipe, int threads);

}  // namespace nbq
