#include "hw/sim.h"

#include <dlfcn.h>

#include "hw/rtl_build.h"

namespace nbq::hw {
namespace {

/// The C interface of rtl/sim/engine_harness.cc.
struct EngineLibrary {
  void* (*create)();
  void (*destroy)(void*);
  void (*write)(void*, std::uint32_t, std::uint32_t);
  std::uint32_t (*read)(void*, std::uint32_t);
  void (*wait)(void*, std::uint64_t);
  std::uint64_t (*clock)(void*);
  void (*set_probe)(void*, void (*)(void*, int, int, const std::uint32_t*, const std::uint32_t*),
                    void*);
};

void tap(void* probe, int valid, int last, const std::uint32_t* x, const std::uint32_t* w) {
  static_cast<ArrayProbe*>(probe)->tap(valid != 0, last != 0, x, w);
}

class SimDevice final : public Device {
 public:
  SimDevice(const EngineLibrary& library, ArrayProbe* probe)
      : library_(library), engine_(library.create()) {
    if (probe != nullptr) library_.set_probe(engine_, tap, probe);
  }
  ~SimDevice() override { library_.destroy(engine_); }
  SimDevice(const SimDevice&) = delete;
  SimDevice& operator=(const SimDevice&) = delete;

  void write(std::uint32_t reg, std::uint32_t value) override {
    library_.write(engine_, reg, value);
  }
  std::uint32_t read(std::uint32_t reg) override { return library_.read(engine_, reg); }
  void wait(std::uint64_t cycles) override { library_.wait(engine_, cycles); }
  std::uint64_t clock() const override { return library_.clock(engine_); }

 private:
  EngineLibrary library_;
  void* engine_;
};

}  // namespace

Result<std::unique_ptr<Device>> open_sim(const EngineConfig& config, ArrayProbe* probe) {
  NBQ_ASSIGN(const RtlParameters parameters, engine_parameters(config));
  std::vector<std::filesystem::path> more;
  if (probe != nullptr) more.push_back("sim/nbq_array_probe.sv");
  NBQ_ASSIGN(const std::filesystem::path path,
             build_model({"nbq_engine", parameters, "sim/engine_harness.cc", more}));
  // Never closed: a model's threads-local data would outlive it, and the cache makes it the same
  // library for every device of one configuration.
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    return make_error(ErrorCode::kBadFile, "{}: {}", path.string(), ::dlerror());
  EngineLibrary library{};
  bool complete = true;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(handle, name));
    complete = complete && function != nullptr;
  };
  find(library.create, "nbq_engine_create");
  find(library.destroy, "nbq_engine_destroy");
  find(library.write, "nbq_engine_write");
  find(library.read, "nbq_engine_read");
  find(library.wait, "nbq_engine_wait");
  find(library.clock, "nbq_engine_clock");
  find(library.set_probe, "nbq_engine_set_probe");
  if (!complete)
    return make_error(ErrorCode::kBadFile, "{}: not an engine model; remove it", path.string());
  return std::unique_ptr<Device>(new SimDevice(library, probe));
}

}  // namespace nbq::hw
