#include "train/device.h"

#include <ATen/autocast_mode.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/version.h>

#include "train/cuda_kernels.h"

namespace nbq {
namespace {

at::Device chosen = at::kCPU;

// libtorch 2.4 gave the functions a device.
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
void set_autocast(bool on) {
  if (on) at::autocast::set_autocast_dtype(chosen.type(), at::kBFloat16);
  at::autocast::set_autocast_enabled(chosen.type(), on);
}
bool is_autocast() { return at::autocast::is_autocast_enabled(chosen.type()); }
#else
void set_autocast(bool on) {
  if (chosen.is_cuda()) {
    if (on) at::autocast::set_autocast_gpu_dtype(at::kBFloat16);
    at::autocast::set_enabled(on);
  } else {
    if (on) at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
    at::autocast::set_cpu_enabled(on);
  }
}
bool is_autocast() {
  return chosen.is_cuda() ? at::autocast::is_enabled() : at::autocast::is_cpu_enabled();
}
#endif

Result<at::Device> parse(const std::string& name) {
  try {
    const at::Device d(name);
    if (d.is_cpu() || d.is_cuda()) return d;
  } catch (const c10::Error&) {
  }
  return make_error(ErrorCode::kInvalidArgument,
                    "no device is named \"{}\"; there are cpu, cuda and cuda:0, cuda:1, ...", name);
}

}  // namespace

Status use_device(const std::string& name) {
  NBQ_ASSIGN(const at::Device d, parse(name));
  if (d.is_cuda()) {
    if (!cuda::kBuilt)
      return make_error(ErrorCode::kUnsupported,
                        "{}: this nbq was built without CUDA; configure it with -DNBQ_CUDA=ON and "
                        "a libtorch that has CUDA",
                        name);
    const auto count = static_cast<int>(torch::cuda::device_count());
    if (count == 0)
      return make_error(ErrorCode::kUnsupported,
                        "{}: libtorch finds no CUDA device; does nvidia-smi list one?", name);
    if (d.index() >= count)
      return make_error(ErrorCode::kInvalidArgument, "{}: there are {} CUDA devices, from cuda:0",
                        name, count);
    const at::Device with_index(d.type(), d.has_index() ? d.index() : at::DeviceIndex{0});
    c10::impl::getDeviceGuardImpl(d.type())->setDevice(with_index);
    // A resumed training is to give the same weights.
    at::globalContext().setDeterministicCuDNN(true);
    chosen = with_index;
  } else {
    chosen = d;
  }
  return ok_status();
}

bool has_cuda() { return cuda::kBuilt && torch::cuda::device_count() > 0; }

at::Device compute_device() { return chosen; }

std::string device_name() {
  return chosen.is_cuda() ? cuda::device_name(chosen.index()) : std::string();
}

Autocast::Autocast(bool on) : on_(on) {
  if (on_) set_autocast(true);
}

Autocast::~Autocast() {
  if (!on_) return;
  set_autocast(false);
  at::autocast::clear_cache();
}

bool Autocast::active() { return is_autocast(); }

FullPrecision::FullPrecision()
    : convolutions_(at::globalContext().allowTF32CuDNN()),
      products_(at::globalContext().allowTF32CuBLAS()) {
  if (!chosen.is_cuda()) return;
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
}

FullPrecision::~FullPrecision() {
  if (!chosen.is_cuda()) return;
  at::globalContext().setAllowTF32CuDNN(convolutions_);
  at::globalContext().setAllowTF32CuBLAS(products_);
}

}  // namespace nbq
