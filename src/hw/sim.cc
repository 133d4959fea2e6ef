#include "hw/sim.h"

#include <dlfcn.h>

#include "hw/rtl_build.h"

namespace nbq::hw {
namespace {

constexpr const char* kArrayProbe = "sim/nbq_array_probe.sv";
constexpr const char* kSignalProbe = "sim/nbq_signal_probe.sv";

/// The C interface of rtl/sim/engine_harness.cc, and what axi_harness.cc adds.
struct EngineLibrary {
  void* (*create)();
  void (*destroy)(void*);
  void (*write)(void*, std::uint32_t, std::uint32_t);
  std::uint32_t (*read)(void*, std::uint32_t);
  void (*wait)(void*, std::uint64_t);
  std::uint64_t (*clock)(void*);
  void (*set_probe)(void*, void (*)(void*, int, int, const std::uint32_t*, const std::uint32_t*),
                    void*);
  void (*set_signals)(void*, void (*)(void*, int, const char*, int),
                      void (*)(void*, int, const std::uint32_t*), void*);
  std::uint8_t* (*memory)(void*, std::uint64_t);
  void (*configure)(void*, const AxiMemoryOptions*);
  const char* (*violation)(void*);
  std::uint32_t (*access)(void*, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t*);
  void (*reset)(void*);
  std::uint32_t (*irq)(void*);
};

void tap(void* probe, int valid, int last, const std::uint32_t* x, const std::uint32_t* w) {
  static_cast<ArrayProbe*>(probe)->tap(valid != 0, last != 0, x, w);
}

void open_signal(void* probe, int id, const char* path, int width) {
  static_cast<SignalProbe*>(probe)->open(id, path, width);
}
void signal_value(void* probe, int id, const std::uint32_t* bits) {
  static_cast<SignalProbe*>(probe)->value(id, bits);
}

/// Base: Device, or AxiSimDevice.
template <class Base>
class SimDevice : public Base {
 public:
  SimDevice(const EngineLibrary& library, ArrayProbe* probe)
      : library_(library), engine_(library.create()) {
    if (probe != nullptr) library_.set_probe(engine_, tap, probe);
  }
  SimDevice(const EngineLibrary& library, SignalProbe& probe) : SimDevice(library, nullptr) {
    library_.set_signals(engine_, open_signal, signal_value, &probe);
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

 protected:
  EngineLibrary library_;
  void* engine_;
};

class AxiSim final : public SimDevice<AxiSimDevice> {
 public:
  using SimDevice::SimDevice;
  Result<DeviceMemory> memory(std::size_t bytes) override {
    return DeviceMemory{{library_.memory(engine_, bytes), bytes}, 0};
  }
  void configure(const AxiMemoryOptions& memory) override { library_.configure(engine_, &memory); }
  std::string violation() const override { return library_.violation(engine_); }
  std::uint32_t access(bool is_write, std::uint32_t address, std::uint32_t strobe,
                       std::uint32_t& value) override {
    return library_.access(engine_, is_write ? 1 : 0, address, strobe, &value);
  }
  void reset() override { library_.reset(engine_); }
  bool irq() const override { return library_.irq(engine_) != 0; }
};

/// probe: a source file of rtl/sim, or nothing.
Result<EngineLibrary> open_library(const EngineConfig& config, const char* probe) {
  NBQ_ASSIGN(const RtlParameters parameters, engine_parameters(config));
  const bool axi = config.axi_bits > 0;
  ModelRequest request{
      engine_top(config), parameters, axi ? "sim/axi_harness.cc" : "sim/engine_harness.cc", {}};
  if (axi) request.headers = {"sim/axi_memory.h"};
  if (probe != nullptr) request.more_sources = {probe};
  NBQ_ASSIGN(const std::filesystem::path path, build_model(request));
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
  if (axi) {
    find(library.memory, "nbq_engine_memory");
    find(library.configure, "nbq_engine_configure");
    find(library.violation, "nbq_engine_violation");
    find(library.access, "nbq_engine_access");
    find(library.reset, "nbq_engine_reset");
    find(library.irq, "nbq_engine_irq");
  } else {
    find(library.set_probe, "nbq_engine_set_probe");
    find(library.set_signals, "nbq_engine_set_signals");
  }
  if (!complete)
    return make_error(ErrorCode::kBadFile, "{}: not an engine model; remove it", path.string());
  return library;
}

}  // namespace

Result<std::unique_ptr<AxiSimDevice>> open_axi_sim(const EngineConfig& config,
                                                   const AxiMemoryOptions& memory) {
  NBQ_CHECK(config.axi_bits > 0);
  NBQ_ASSIGN(const EngineLibrary library, open_library(config, nullptr));
  std::unique_ptr<AxiSimDevice> device = std::make_unique<AxiSim>(library, nullptr);
  device->configure(memory);
  return device;
}

Result<std::unique_ptr<Device>> open_sim(const EngineConfig& config,
                                         const AxiMemoryOptions& memory) {
  if (config.axi_bits == 0) return open_sim(config);
  NBQ_ASSIGN(std::unique_ptr<AxiSimDevice> device, open_axi_sim(config, memory));
  return std::unique_ptr<Device>(std::move(device));
}

Result<std::unique_ptr<Device>> open_sim(const EngineConfig& config, SignalProbe& probe) {
  NBQ_CHECK(config.axi_bits == 0);
  NBQ_ASSIGN(const EngineLibrary library, open_library(config, kSignalProbe));
  return std::unique_ptr<Device>(new SimDevice<Device>(library, probe));
}

Result<std::unique_ptr<Device>> open_sim(const EngineConfig& config, ArrayProbe* probe) {
  NBQ_CHECK(config.axi_bits == 0 || probe == nullptr);
  if (config.axi_bits > 0) return open_sim(config, AxiMemoryOptions{});
  NBQ_ASSIGN(const EngineLibrary library,
             open_library(config, probe == nullptr ? nullptr : kArrayProbe));
  return std::unique_ptr<Device>(new SimDevice<Device>(library, probe));
}

}  // namespace nbq::hw
