#pragma once
#include <cstdint>
#include <string>

#include "train/act_lanes.h"

// Private to src/train: what the CPU's kernels and loops over channels do (requant_kernel.h,
// norm_requant_kernel.h, weight_function.cc, live_norm.cc), on the GPU. Pointers are the current
// device's; work is queued on its default stream, libtorch's own. Without libtorch, so that the
// CUDA compiler sees little. Every function throws std::runtime_error where CUDA refuses.
namespace nbq::cuda {

/// This nbq has them (-DNBQ_CUDA=ON); else nothing here may be called.
extern const bool kBuilt;
std::string device_name(int index);

enum class Type { kFloat, kBfloat16, kDouble };
struct Array {
  void* data;
  Type type;
};

/// Elements [rows x channels], channels innermost.
struct Map {
  std::int64_t rows, channels;
  constexpr std::int64_t count() const { return rows * channels; }
};

// requant_kernel.h
void requantise(Array acc, Array out, MaskWord* mask, std::int64_t count, const ActFormat& format);
void mask_gradient(Array grad, const MaskWord* mask, Array out, std::int64_t count);

// norm_requant.cc

/// Numbers that partial sums take, of both sums together.
std::int64_t partial_sums(Map map);
/// Mean and biased variance of each channel. partial [partial_sums()], mean, var [channels]
void norm_statistics(Array z, Map map, double* partial, double* mean, double* var);
/// What norm_apply() multiplies with and adds, per channel:
///   inv_std = 1 / sqrt(var + eps scale^2), gain = gamma sign(scale) inv_std to_units,
///   offset = beta to_units + half and what of the mean float32 does not hold.
/// var is then multiplied by `unbias`.
struct NormNumbers {
  float *mean, *inv_std, *gain, *offset;
};
struct NormChannels {
  const double* mean;
  double* var;
  const float *gamma, *beta, *scale;  ///< scale  null: 1
};
struct NormConstants {
  double eps, to_units, half, unbias;
};
void norm_numbers(NormChannels of, NormConstants with, std::int64_t channels, NormNumbers to);
void norm_apply(Array z, Map map, NormNumbers numbers, const ActFormat* format, Array y,
                MaskWord* mask);
/// sums [2 x channels]: of g, and of g (z - mean).
void norm_gradient_sums(Array grad, const MaskWord* mask, Array z, Map map, const float* mean,
                        double* partial, double* sums);
struct NormSlopes {
  float *gain, *slope, *offset;  ///< of dz = gain g + slope (z - mean) + offset
  float *gamma, *beta;           ///< their gradients, of this process' sums
};
void norm_slopes(const float* gamma, const float* scale, const float* inv_std,
                 const double* all_sums, const double* own_sums, double count,
                 std::int64_t channels, NormSlopes to);
void norm_gradient(Array grad, const MaskWord* mask, Array z, Map map, const float* mean,
                   NormSlopes slopes, Array dz);

// live_norm.cc
void norm_affine(const float* gamma, const float* mean, const float* var, double eps,
                 std::int64_t channels, float* scale, float* offset);
/// Running statistics follow the batch's; see follow(). scale  null: 1, and every variance moves.
void norm_follow(const double* mean, const double* var, const float* scale, double momentum,
                 bool means_only, std::int64_t channels, float* running_mean, float* running_var);

// weight_function.cc

/// U = scale W (scale null: 1);  out = (1 - blend) U + blend * (nearest n-bit power of two to U at
/// its channel's exponent).  max_k  Po2Format::max_k().
void blend_nearest(const float* w, const float* scale, const std::int32_t* exps,
                   std::int64_t channels, std::int64_t per_channel, int bits, int max_k,
                   float blend, float* out);
/// exps  one, or one per channel.
void round_bias(const float* bias, const std::int32_t* exps, std::int64_t exp_count,
                std::int64_t channels, float* out);

}  // namespace nbq::cuda
