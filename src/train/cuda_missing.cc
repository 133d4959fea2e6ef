// nbq without CUDA: use_device() refuses the GPU, so nothing of this is reached.
#include <cstdlib>

#include "core/result.h"
#include "train/cuda_kernels.h"

namespace nbq::cuda {
namespace {
[[noreturn]] void missing() {
  NBQ_CHECK(kBuilt && "no CUDA");
  std::abort();
}
}  // namespace

const bool kBuilt = false;

std::string device_name(int) { missing(); }
void requantise(Array, Array, MaskWord*, std::int64_t, const ActFormat&) { missing(); }
void mask_gradient(Array, const MaskWord*, Array, std::int64_t) { missing(); }
std::int64_t partial_sums(Map) { missing(); }
void norm_statistics(Array, Map, double*, double*, double*) { missing(); }
void norm_numbers(NormChannels, NormConstants, std::int64_t, NormNumbers) { missing(); }
void norm_apply(Array, Map, NormNumbers, const ActFormat*, Array, MaskWord*) { missing(); }
void norm_gradient_sums(Array, const MaskWord*, Array, Map, const float*, double*, double*) {
  missing();
}
void norm_slopes(const float*, const float*, const float*, const double*, const double*, double,
                 std::int64_t, NormSlopes) {
  missing();
}
void norm_gradient(Array, const MaskWord*, Array, Map, const float*, NormSlopes, Array) {
  missing();
}
void norm_affine(const float*, const float*, const float*, double, std::int64_t, float*, float*) {
  missing();
}
void norm_follow(const double*, const double*, const float*, double, bool, std::int64_t, float*,
                 float*) {
  missing();
}
void blend_nearest(const float*, const float*, const std::int32_t*, std::int64_t, std::int64_t, int,
                   int, float, float*) {
  missing();
}
void round_bias(const float*, const std::int32_t*, std::int64_t, std::int64_t, float*) {
  missing();
}

}  // namespace nbq::cuda
