#pragma once
#include <fmt/format.h>

#include <string>
#include <utility>
#include <variant>

namespace nbq {

/// What went wrong, in seven kinds; each maps to one exit code of the command line (exit_code()).
enum class ErrorCode {
  kInvalidArgument,  ///< the caller's request makes no sense (usage)
  kBadFile,          ///< a file, folder or model is damaged, missing or not acceptable
  kOverflow,         ///< an accumulator could exceed its width; names the layer and channel
  kUnsupported,      ///< sound, but nbq can't do it; names the element
  kToolMissing,      ///< an external program is absent; says how to install it
  kIo,               ///< reading or writing failed (disk full, no permission)
  kDiverged,         ///< training gave values that are no numbers; names the layer
  kPeerLost,         ///< another process of the same training ended or can't be reached
};

struct Error {
  ErrorCode code;
  std::string message;  ///< names the element and what to do
};

/// 0 fine, 1 a check failed, 2 usage, 3 bad file, 4 a tool is missing, 5 another process of the
/// training was lost.
int exit_code(const Error& error);

/// A value or an Error. std::expected is absent in GCC 12's C++20.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : v_(std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : v_(std::move(error)) {}  // NOLINT
  explicit operator bool() const { return v_.index() == 0; }
  bool ok() const { return v_.index() == 0; }
  T& value() & { return std::get<0>(v_); }
  const T& value() const& { return std::get<0>(v_); }
  T value() && { return std::get<0>(std::move(v_)); }  // by value: no reference into a temporary
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::get<0>(std::move(v_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const { return std::get<1>(v_); }

 private:
  std::variant<T, Error> v_;
};

/// Success without a value.
using Status = Result<std::monostate>;
inline Status ok_status() { return std::monostate{}; }

template <class... Args>
Error make_error(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, fmt::format(format, std::forward<Args>(args)...)};
}

[[noreturn]] void check_failed(const char* what, const char* file, int line);

}  // namespace nbq

/// For programmer errors only; bad input is a Result.
#define NBQ_CHECK(cond) ((cond) ? void(0) : ::nbq::check_failed(#cond, __FILE__, __LINE__))

#define NBQ_CONCAT_(a, b) a##b
#define NBQ_CONCAT(a, b) NBQ_CONCAT_(a, b)
/// NBQ_TRY(expr): returns the error of a Status.
#define NBQ_TRY(expr)                                                             \
  do {                                                                            \
    if (auto nbq_status_ = (expr); !nbq_status_.ok()) return nbq_status_.error(); \
  } while (false)
/// NBQ_ASSIGN(auto x, expr): x = value of expr, or returns its error.
#define NBQ_ASSIGN(lhs, expr) NBQ_ASSIGN_(lhs, expr, NBQ_CONCAT(nbq_result_, __LINE__))
#define NBQ_ASSIGN_(lhs, expr, tmp)  \
  auto tmp = (expr);                 \
  if (!tmp.ok()) return tmp.error(); \
  lhs = std::move(tmp).value()
