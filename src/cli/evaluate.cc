#include "cli/evaluate.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "core/log.h"

namespace nbq::cli {

int or_all_cores(int threads) {
  return threads > 0 ? threads
                     : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Progress::Progress(std::string what, std::size_t total)
    : what_(std::move(what)),
      total_(total),
      on_(isatty(2) != 0 && total > 0),
      start_(now_seconds()) {}

Progress::~Progress() {
  if (on_) std::fprintf(stderr, "\r\033[K");
}

void Progress::at(std::size_t done) {
  const double now = now_seconds();
  if (!on_ || now - last_ < 0.2 || done == 0) return;
  last_ = now;
  const double rate = static_cast<double>(done) / (now - start_);
  std::fprintf(stderr, "\r\033[K%s: %zu / %zu, %.1f images/s, %.0f s left", what_.c_str(), done,
               total_, rate, static_cast<double>(total_ - done) / rate);
}

StatusLine::StatusLine(std::string what)
    : what_(std::move(what)), on_(isatty(2) != 0), start_(now_seconds()) {}

StatusLine::~StatusLine() {
  if (on_) std::fprintf(stderr, "\r\033[K");
}

void StatusLine::say(const std::string& text) {
  const double now = now_seconds();
  if (!on_ || now - last_ < 0.2) return;
  last_ = now;
  std::fprintf(stderr, "\r\033[K%s: %s, %.0f min", what_.c_str(), text.c_str(),
               (now - start_) / 60);
  std::fflush(stderr);
}

Status parallel_for(std::size_t count, int threads,
                    const std::function<Status(std::size_t)>& body) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  Status failure = ok_status();
  const auto fail = [&](const Error& e) {
    const std::lock_guard lock(mutex);
    if (failure.ok()) failure = e;
    next = count;  // the others stop at their next turn
  };
  const auto work = [&] {
    try {
      for (std::size_t i; (i = next.fetch_add(1)) < count;)
        if (const Status s = body(i); !s.ok()) return fail(s.error());
    } catch (const std::exception& e) {
      fail(make_error(ErrorCode::kIo, "{}", e.what()));
    }
  };
  const auto wanted = static_cast<std::size_t>(or_all_cores(threads));
  {
    std::vector<std::jthread> pool;
    for (std::size_t i = 1; i < std::min(wanted, count); ++i) pool.emplace_back(work);
    work();
  }
  return failure;
}

Result<ImageSourcePtr> open_for_model(const std::string& path, const Graph& graph, Split split,
                                      int resize) {
  const Shape& image = graph.input().shape;
  DatasetSpec spec;
  spec.path = path;
  spec.split = split;
  spec.channels = image.c;
  spec.height = image.h;
  spec.width = image.w;
  spec.resize = resize;
  NBQ_ASSIGN(ImageSourcePtr source, open_dataset(spec));
  const auto outputs = static_cast<std::size_t>(graph.output().shape.size());
  if (source->class_names().size() != outputs)
    return make_error(ErrorCode::kInvalidArgument, "{}: has {} classes, the model {} outputs", path,
                      source->class_names().size(), outputs);
  const auto& names = source->class_names();
  if (graph.class_names.empty() || graph.class_names == names) return source;
  const std::string what = fmt::format("{}: its classes ({}) are not the model's ({})", path,
                                       fmt::join(names, ", "), fmt::join(graph.class_names, ", "));
  if (std::is_permutation(names.begin(), names.end(), graph.class_names.begin()))
    return make_error(ErrorCode::kInvalidArgument, "{}: another order", what);
  log_warn("{}; they are taken in this order", what);
  return source;
}

Result<std::vector<std::uint8_t>> load_images(const ImageSource& source, std::size_t first,
                                              std::size_t count) {
  const std::size_t bytes = source.shape().bytes();
  std::vector<std::uint8_t> pixels(count * bytes);
  for (std::size_t i = 0; i < count; ++i)
    NBQ_TRY(source.load(first + i, std::span(pixels).subspan(i * bytes, bytes)));
  return pixels;
}

namespace {

constexpr std::size_t kBatch = 16;  // a row of 16 images fills vectors and stays in the cache

}  // namespace

RunImages runner(const RefExecutor& ref) {
  return [&ref](std::span<const std::uint8_t> pixels, int n) { return ref.run(pixels, n); };
}

RunImages runner(const infer::Engine& engine) {
  return
      [&engine](std::span<const std::uint8_t> pixels, int n) -> Result<std::vector<std::int64_t>> {
        std::vector<std::int64_t> logits(static_cast<std::size_t>(engine.outputs()) *
                                         static_cast<std::size_t>(std::max(n, 0)));
        NBQ_TRY(engine.run(pixels, n, logits));
        return logits;
      };
}

Result<infer::Engine> engine_for_evaluation(const Graph& graph, int threads,
                                            const std::string& isa) {
  infer::EngineOptions o;
  o.batch = static_cast<int>(kBatch);
  o.contexts = or_all_cores(threads);
  o.isa = isa;
  return infer::Engine::create(graph, o);
}

Result<Evaluation> evaluate_integer(const RunImages& run, int output_count,
                                    const ImageSource& source, std::size_t limit, int threads) {
  const std::size_t total = limit == 0 ? source.size() : std::min(limit, source.size());
  const auto outputs = static_cast<std::size_t>(output_count);
  Evaluation e;
  e.images = total;
  const double start = now_seconds();
  Progress progress("evaluating", total);
  std::size_t done = 0;
  e.confusion.resize(outputs * outputs);
  std::mutex mutex;
  const auto run_batch = [&](std::size_t first) -> Status {
    const std::size_t count = std::min(kBatch, total - first);
    NBQ_ASSIGN(const auto pixels, load_images(source, first, count));
    NBQ_ASSIGN(const auto logits, run(pixels, static_cast<int>(count)));
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < count; ++i) {
      const auto label = static_cast<std::size_t>(source.label(first + i));
      const auto best =
          static_cast<std::size_t>(argmax(std::span(logits).subspan(i * outputs, outputs)));
      ++e.confusion[label * outputs + best];
      e.correct += best == label;
    }
    progress.at(done += count);
    return ok_status();
  };
  const auto batches = (total + kBatch - 1) / kBatch;
  const Status failure =
      parallel_for(batches, threads, [&](std::size_t b) { return run_batch(b * kBatch); });
  NBQ_TRY(failure);
  e.seconds = now_seconds() - start;
  return e;
}

}  // namespace nbq::cli
