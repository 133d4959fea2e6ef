#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>
#include <nbq/nbq.h>

#include <memory>
#include <new>

#include "bindings.h"
#include "errors.h"

namespace nbq::python {

using namespace nb::literals;

namespace {

/// A call of the C API that failed, as the exception that its status stands for.
void check(int status) {
  const auto fail = [](ErrorCode code) { throw Failure(Error{code, nbq_last_error()}); };
  switch (status) {
    case NBQ_OK:
      return;
    case NBQ_BAD_ARGUMENT:
      fail(ErrorCode::kInvalidArgument);
      break;
    case NBQ_IO:
      fail(ErrorCode::kIo);
      break;
    case NBQ_OUT_OF_MEMORY:
      throw std::bad_alloc();
    case NBQ_OVERFLOW:
      fail(ErrorCode::kOverflow);
      break;
    case NBQ_UNSUPPORTED:
      fail(ErrorCode::kUnsupported);
      break;
    default:
      fail(ErrorCode::kBadFile);
  }
}

/// A planned network: the C API's model with its facts.
class Engine {
 public:
  Engine(const nb::bytes& model, int threads, int batch, int contexts,
         const std::optional<std::string>& isa) {
    nbq_options options;
    nbq_options_init(&options);
    options.threads = threads;
    options.max_batch = batch;
    options.contexts = contexts;
    options.isa = isa ? isa->c_str() : nullptr;
    const char* const bytes = model.c_str();
    const std::size_t size = model.size();
    const nb::gil_scoped_release release;
    nbq_model* made = nullptr;
    check(nbq_model_load_memory(bytes, size, &options, &made));
    model_.reset(made);
    info_.struct_size = sizeof info_;
    check(nbq_model_info(made, &info_));
  }

  // The sizes are checked by the C API: a wrong one is an error that names both.
  void run(const In<std::uint8_t>& pixels, int n,
           const nb::ndarray<std::int64_t, nb::c_contig, nb::device::cpu>& logits) const {
    const nb::gil_scoped_release release;
    check(
        nbq_model_run(model_.get(), pixels.data(), pixels.size(), n, logits.data(), logits.size()));
  }

  void run_float(const In<float>& pixels, int n,
                 const nb::ndarray<float, nb::c_contig, nb::device::cpu>& scores) const {
    const nb::gil_scoped_release release;
    check(nbq_model_run_float(model_.get(), pixels.data(), pixels.size(), n, scores.data(),
                              scores.size()));
  }

  const nbq_info& info() const { return info_; }

 private:
  struct Free {
    void operator()(nbq_model* m) const { nbq_model_free(m); }
  };
  std::unique_ptr<nbq_model, Free> model_;
  nbq_info info_{};
};

}  // namespace

void bind_engine(nb::module_& m) {
  nb::class_<Engine>(m, "Engine", "What nbq.Model runs; sizes are checked, shapes are Model's.")
      .def(nb::init<const nb::bytes&, int, int, int, const std::optional<std::string>&>(),
           "model"_a, "threads"_a, "batch"_a, "contexts"_a, "isa"_a.none())
      .def("run", &Engine::run, "pixels"_a.noconvert(), "n"_a, "logits"_a.noconvert())
      .def("run_float", &Engine::run_float, "pixels"_a.noconvert(), "n"_a, "scores"_a.noconvert())
      .def_prop_ro("image",
                   [](const Engine& e) {
                     return std::tuple{e.info().channels, e.info().height, e.info().width};
                   })
      .def_prop_ro("outputs", [](const Engine& e) { return e.info().outputs; })
      .def_prop_ro("logit_exp", [](const Engine& e) { return e.info().logit_exp; })
      .def_prop_ro("threads", [](const Engine& e) { return e.info().threads; })
      .def_prop_ro("isa", [](const Engine& e) { return std::string(e.info().isa); })
      .def_prop_ro("weight_bytes", [](const Engine& e) { return e.info().weight_bytes; })
      .def_prop_ro("arena_bytes", [](const Engine& e) { return e.info().arena_bytes; });
}

}  // namespace nbq::python
