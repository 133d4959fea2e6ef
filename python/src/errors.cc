#include "errors.h"

namespace nbq::python {
namespace {

PyObject* nbq_error = nullptr;  // lives as long as the module, which is never unloaded

PyObject* type_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return PyExc_ValueError;
    case ErrorCode::kIo:
      return PyExc_OSError;
    case ErrorCode::kBadFile:
    case ErrorCode::kOverflow:
    case ErrorCode::kUnsupported:
    case ErrorCode::kToolMissing:
    case ErrorCode::kDiverged:
    case ErrorCode::kPeerLost:
      return nbq_error;
  }
  return nbq_error;
}

void translate(const std::exception_ptr& p, void*) {
  try {
    std::rethrow_exception(p);
  } catch (const Failure& f) {
    PyErr_SetString(type_of(f.code()), f.what());
  }
}

}  // namespace

void bind_errors(nanobind::module_& m) {
  nbq_error = PyErr_NewExceptionWithDoc(
      "nbq.Error",
      "A model that is damaged, missing, overflows its accumulators or is not supported.\n\n"
      "The message names the element (file, layer, channel) and what to do. Arguments that make "
      "no\n"
      "sense are ValueError, failures of reading and writing OSError.",
      PyExc_RuntimeError, nullptr);
  if (nbq_error == nullptr) nanobind::raise_python_error();
  m.attr("Error") = nanobind::handle(nbq_error);
  nanobind::register_exception_translator(translate);
}

}  // namespace nbq::python
