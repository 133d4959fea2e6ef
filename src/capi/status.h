#pragma once
#include <nbq/nbq.h>

#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>

#include "core/result.h"

namespace nbq::capi {

/// Remembers the message for this thread's nbq_last_error(). Returns `status`.
int fail(nbq_status status, std::string_view message) noexcept;
int fail(const Error& error) noexcept;
const char* last_error() noexcept;

/// Runs what a C function does: its Status, or whatever it throws, becomes an nbq_status.
template <class F>
int guarded(F&& body) noexcept {
  try {
    const Status s = body();
    return s.ok() ? NBQ_OK : fail(s.error());
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {  // of a vector: more than there could be
  } catch (const std::exception& e) {
    return fail(NBQ_INTERNAL, e.what());
  } catch (...) {
    return fail(NBQ_INTERNAL, "unknown exception");
  }
  return fail(NBQ_OUT_OF_MEMORY,
              "not enough memory for the model; fewer contexts, fewer threads or a smaller "
              "max_batch need less");
}

}  // namespace nbq::capi
