#pragma once
#include <fmt/format.h>

#include <string_view>

namespace nbq {

/// One sink, stderr; level from the environment variable NBQ_LOG
/// (trace, debug, info, warn, error, off; default info).
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

}  // namespace nbq
