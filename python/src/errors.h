#pragma once
#include <nanobind/nanobind.h>

#include <exception>
#include <string>

#include "core/result.h"

namespace nbq::python {

/// An Error on its way to Python; may be thrown without the GIL.
class Failure : public std::exception {
 public:
  explicit Failure(Error error) : error_(std::move(error)) {}
  const char* what() const noexcept override { return error_.message.c_str(); }
  ErrorCode code() const { return error_.code; }

 private:
  Error error_;
};

/// The value, or a Failure.
template <class T>
T value_or_throw(Result<T> result) {
  if (!result.ok()) throw Failure(result.error());
  return std::move(result).value();
}

template <class... Args>
[[noreturn]] void bad_argument(fmt::format_string<Args...> format, Args&&... args) {
  throw Failure(make_error(ErrorCode::kInvalidArgument, format, std::forward<Args>(args)...));
}

/// nbq.Error, and how a Failure becomes an exception: kInvalidArgument ValueError, kIo OSError, any
/// other nbq.Error, all with the same message.
void bind_errors(nanobind::module_& m);

}  // namespace nbq::python
