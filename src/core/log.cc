#include "core/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>

namespace nbq {
namespace {

spdlog::logger& logger() {
  static const auto made = [] {
    auto l = spdlog::stderr_color_mt("nbq");
    l->set_pattern("nbq %^%l%$: %v");
    const char* level = std::getenv("NBQ_LOG");
    l->sinks().front()->set_level(level != nullptr ? spdlog::level::from_str(level)
                                                   : spdlog::level::info);
    l->set_level(l->sinks().front()->level());
    l->flush_on(spdlog::level::info);
    return l;
  }();
  return *made;
}

}  // namespace

void log_message(LogLevel level, std::string_view text) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                   spdlog::level::warn, spdlog::level::err};
  logger().log(kLevels[static_cast<int>(level)], "{}", text);
}

struct LogFile::Sink {
  std::shared_ptr<spdlog::sinks::basic_file_sink_mt> file;
};

LogFile::LogFile(std::unique_ptr<Sink> sink) : sink_(std::move(sink)) {
  logger().sinks().push_back(sink_->file);
  logger().set_level(std::min(logger().level(), spdlog::level::info));
}

LogFile::~LogFile() {
  auto& sinks = logger().sinks();
  std::erase(sinks, sink_->file);
  logger().set_level(sinks.front()->level());
}

Result<std::unique_ptr<LogFile>> LogFile::open(const std::filesystem::path& path, bool append) {
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string(), !append);
    file->set_pattern("%Y-%m-%d %H:%M:%S %l: %v");
    file->set_level(spdlog::level::info);
    return std::unique_ptr<LogFile>(
        new LogFile(std::make_unique<Sink>(Sink{std::move(file)})));  // NOLINT: private constructor
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kIo, "{}: can't be written: {}", path.string(), e.what());
  }
}

void LogFile::note(std::string_view line) {
  spdlog::logger own("nbq", sink_->file);
  own.info("{}", line);
  own.flush();
}

}  // namespace nbq
