#include "bindings.h"
#include "core/version.h"
#include "errors.h"

// The nbq package's own part in C++; python/nbq/ gives it its public face.
NB_MODULE(_core, m) {
  m.doc() = "The compiled part of nbq: graphs, quantizers and the CPU engine.";
  m.attr("__version__") = nbq::kVersion;
  nbq::python::bind_errors(m);
  nbq::python::bind_attrs(m);
  nbq::python::bind_graph(m);
  nbq::python::bind_quantizers(m);
  nbq::python::bind_engine(m);
}
