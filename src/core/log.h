#pragma once
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string_view>

#include "core/result.h"

namespace nbq {

/// To stderr, and to a LogFile while there is one. stderr's level from the environment variable
/// NBQ_LOG (trace, debug, info, warn, error, off; default info).
enum class LogLevel { kDebug, kInfo, kWarn, kError };
void log_message(LogLevel level, std::string_view text);

template <class... Args>
void log_debug(fmt::format_string<Args...> f, Args&&... args) {
  log_message(LogLevel::kDebug, fmt::format(f, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> f, Args&&... args) {
  log_message(LogLevel::kInfo, fmt::format(f, std::forward<Args>(args)...));
}
template <class... Args>
void log_warn(fmt::format_string<Args...> f, Args&&... args) {
  log_message(LogLevel::kWarn, fmt::format(f, std::forward<Args>(args)...));
}

/// While it lives, what is logged (from info on, whatever stderr shows) is also appended to a file,
/// each line with its time. One at a time; not while other threads log.
class LogFile {
 public:
  /// `append`: keep what the file holds. Errors kIo: it can't be written.
  static Result<std::unique_ptr<LogFile>> open(const std::filesystem::path& path, bool append);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  /// A line for the file alone.
  void note(std::string_view line);

 private:
  struct Sink;
  explicit LogFile(std::unique_ptr<Sink> sink);
  std::unique_ptr<Sink> sink_;
};

}  // namespace nbq
