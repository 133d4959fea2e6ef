#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "infer/engine.h"
#include "ops/ref_executor.h"

namespace nbq::cli {

/// `threads`, or one a core where it is 0.
int or_all_cores(int threads);

/// body(0) .. body(count - 1), `threads` at a time (0: one a core). The first error, or exception,
/// ends it.
Status parallel_for(std::size_t count, int threads, const std::function<Status(std::size_t)>& body);

/// The test images (or the training ones) a command is pointed at, in the size that the model
/// takes; resize as DatasetSpec's. Errors kInvalidArgument: another number of classes than the
/// model's outputs, or the same names in another order; other names are a warning.
Result<ImageSourcePtr> open_for_model(const std::string& path, const Graph& graph,
                                      Split split = Split::kTest, int resize = 0);

struct Evaluation {
  std::size_t images = 0, correct = 0;
  double seconds = 0;
  /// Outputs x outputs, row-major: images of the row's class that were given the column's.
  std::vector<std::int64_t> confusion;
  double accuracy() const {
    return images == 0 ? 0 : 100.0 * static_cast<double>(correct) / static_cast<double>(images);
  }
};

/// Logits of n images, n x outputs; called from several threads.
using RunImages =
    std::function<Result<std::vector<std::int64_t>>(std::span<const std::uint8_t>, int)>;
RunImages runner(const RefExecutor& ref);
RunImages runner(const infer::Engine& engine);

/// Runs the first `limit` images (0: all), `threads` batches at a time (0: one a core).
Result<Evaluation> evaluate_integer(const RunImages& run, int outputs, const ImageSource& source,
                                    std::size_t limit, int threads);

/// The CPU engine for evaluate_integer(): `threads` calls at a time, each on one thread.
Result<infer::Engine> engine_for_evaluation(const Graph& graph, int threads,
                                            const std::string& isa);

/// Images [first, first + count) as bytes, N x C x H x W.
Result<std::vector<std::uint8_t>> load_images(const ImageSource& source, std::size_t first,
                                              std::size_t count);

/// Progress line on stderr when that is a terminal.
class Progress {
 public:
  Progress(std::string what, std::size_t total);
  ~Progress();
  void at(std::size_t done);

 private:
  std::string what_;
  std::size_t total_;
  bool on_;
  double start_, last_ = 0;
};

/// The same, for work that can't say how much is left: what goes on, and since when.
class StatusLine {
 public:
  explicit StatusLine(std::string what);
  ~StatusLine();
  void say(const std::string& text);

 private:
  std::string what_;
  bool on_;
  double start_, last_ = 0;
};

/// Seconds since some fixed point, monotonic.
double now_seconds();

}  // namespace nbq::cli
