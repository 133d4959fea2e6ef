#include <unistd.h>

#include <chrono>
#include <cmath>
#include <fstream>

#include "core/file.h"
#include "train/event_file.h"

namespace nbq {
namespace {

namespace fs = std::filesystem;
constexpr const char* kPrefix = "events.out.tfevents.";

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::vector<fs::path> event_files(const fs::path& dir) {
  std::vector<fs::path> out;
  std::error_code ec;
  for (fs::directory_iterator it(dir, ec), end; !ec && it != end; it.increment(ec))
    if (it->path().filename().string().starts_with(kPrefix)) out.push_back(it->path());
  return out;
}

Event epoch_event(const EpochRow& r, std::int64_t step) {
  Event e{now(), step, {}, {}, {}};
  const auto add = [&](const char* tag, double value) {
    if (std::isfinite(value)) e.scalars.emplace_back(tag, value);
  };
  add("loss/train", r.loss);
  add("accuracy/train", r.train_accuracy);
  add("accuracy/validation", r.validation_accuracy);
  add("accuracy/test", r.test_accuracy);
  add("schedule/learning_rate", r.lr);
  if (r.kind == "quantised") add("schedule/alpha", r.alpha);
  add("speed/images_per_second", r.images_per_second);
  return e;
}

}  // namespace

Result<EventLog> EventLog::open(const fs::path& dir) {
  EventLog log;
  log.dir_ = dir;
  for (const fs::path& file : event_files(dir)) {
    NBQ_ASSIGN(const std::string bytes, read_text_file(file));
    for (const std::string& record : read_records(bytes))
      log.last_step_ = std::max(log.last_step_, event_step(record));
  }
  return log;
}

void EventLog::remove(const fs::path& dir) {
  std::error_code ignored;
  for (const fs::path& file : event_files(dir)) fs::remove(file, ignored);
}

Status EventLog::append(const std::vector<Event>& events) {
  if (events.empty()) return ok_status();
  std::string bytes;
  if (file_.empty()) {
    char host[256] = "localhost";
    if (::gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
      std::snprintf(host, sizeof host, "localhost");
    // TensorBoard reads the files in the order of their names: the time comes first. Sessions may
    // begin within a second of each other, so a number follows.
    const std::string name =
        fmt::format("{}{:010}.{}.{}", kPrefix, static_cast<std::int64_t>(now()), host, ::getpid());
    std::error_code ec;
    for (int i = 0; i == 0 || fs::exists(file_, ec); ++i)
      file_ = dir_ / fmt::format("{}.{}", name, i);
    bytes = frame_record(encode_event({now(), 0, "brain.Event:2", {}, {}}));
  }
  for (const Event& e : events) bytes += frame_record(encode_event(e));
  std::ofstream out(file_, std::ios::binary | std::ios::app);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out)
    return make_error(ErrorCode::kIo, "{}: can't be written (is the disk full?)", file_.string());
  return ok_status();
}

Status EventLog::add_epochs(const Metrics& m) {
  std::vector<Event> events;
  const auto epochs = static_cast<std::int64_t>(m.epochs.size());
  for (; last_step_ < epochs; ++last_step_) {
    const auto i = static_cast<std::size_t>(last_step_);
    const bool first_quantised =
        m.epochs[i].kind == "quantised" && (i == 0 || m.epochs[i - 1].kind != "quantised");
    if (first_quantised && !m.weights.empty()) {
      Event& e = events.emplace_back(Event{now(), last_step_, {}, {}, {}});
      for (const WeightHistograms& w : m.weights)
        e.histograms.emplace_back("weights/" + w.layer, w.before);
    }
    events.push_back(epoch_event(m.epochs[i], last_step_ + 1));
  }
  return append(events);
}

Status EventLog::add_learnt_weights(const Metrics& m) {
  Event e{now(), static_cast<std::int64_t>(m.epochs.size()), {}, {}, {}};
  for (const WeightHistograms& w : m.weights) {
    if (w.after.counts.empty()) continue;
    e.histograms.emplace_back("weights/" + w.layer, w.after);
    e.histograms.emplace_back("quantised_weights/" + w.layer, w.quantised);
  }
  return e.histograms.empty() ? ok_status() : append({e});
}

}  // namespace nbq
