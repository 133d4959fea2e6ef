#pragma once
#include <torch/torch.h>

#include <string>

#include "core/result.h"

// Private to src/train: where networks are computed.
namespace nbq {

/// Chooses the device of all networks that are made from now on in this process, like
/// at::set_num_threads(): "cpu", "cuda", "cuda:1".  Errors kInvalidArgument: no such name or
/// device; kUnsupported: this nbq, or its libtorch, was built without CUDA.
Status use_device(const std::string& name);
at::Device compute_device();
/// use_device("cuda") would succeed.
bool has_cuda();
/// "NVIDIA H100 80GB HBM3"; empty for the CPU.
std::string device_name();

/// Convolutions and products of a training pass in bfloat16 while it lives, on compute_device().
class Autocast {
 public:
  explicit Autocast(bool on);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

  /// One lives, in this thread.
  static bool active();

 private:
  bool on_;
};

/// No product is shortened to TF32 while it lives: evaluation is float32 on every device.
class FullPrecision {
 public:
  FullPrecision();
  ~FullPrecision();
  FullPrecision(const FullPrecision&) = delete;
  FullPrecision& operator=(const FullPrecision&) = delete;

 private:
  bool convolutions_, products_;
};

}  // namespace nbq
