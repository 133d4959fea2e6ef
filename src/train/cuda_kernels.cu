#include "train/cuda_kernels.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <stdexcept>

namespace nbq::cuda {
namespace {

constexpr int kBlock = 256;

void check(cudaError_t status) {
  if (status != cudaSuccess)
    throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(status));
}

unsigned blocks(std::int64_t threads, int block = kBlock) {
  return static_cast<unsigned>((threads + block - 1) / block);
}

/// Calls f with typed pointers to float or bfloat16 elements.
template <class F>
void with_type(Array a, F&& f) {
  if (a.type == Type::kBfloat16)
    f(static_cast<Bf16*>(a.data));
  else
    f(static_cast<float*>(a.data));
}
template <class F>
void with_types(Array a, Array b, F&& f) {
  with_type(a, [&](auto* p) { with_type(b, [&](auto* q) { f(p, q); }); });
}

__device__ std::int64_t thread_index() {
  return std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
}

/// A thread's kLanes elements, from `first` on, `count` in all. Whole ones are read 16 bytes at a
/// time: first is a multiple of kLanes, and libtorch's memory begins on 256 bytes.
template <class T>
struct Lanes {
  static constexpr int kVectors = kLanes * static_cast<int>(sizeof(T)) / 16;
  union {
    uint4 vectors[kVectors];
    T values[kLanes];
  };
  __device__ Lanes() {}
  __device__ Lanes(const T* from, std::int64_t first, int count) {
    if (count == kLanes) {
      for (int v = 0; v < kVectors; ++v)
        vectors[v] = reinterpret_cast<const uint4*>(from + first)[v];
    } else {
      for (int l = 0; l < count; ++l) values[l] = from[first + l];
    }
  }
  __device__ void write(T* to, std::int64_t first, int count) const {
    if (count == kLanes) {
      for (int v = 0; v < kVectors; ++v) reinterpret_cast<uint4*>(to + first)[v] = vectors[v];
    } else {
      for (int l = 0; l < count; ++l) to[first + l] = values[l];
    }
  }
};

/// What a thread of an elementwise kernel has to do.
struct Part {
  std::int64_t word, first;
  int lanes;
  __device__ explicit Part(std::int64_t count) : word(thread_index()), first(word * kLanes) {
    const std::int64_t left = count - first;
    lanes = left >= kLanes ? kLanes : left > 0 ? static_cast<int>(left) : 0;
  }
};

template <class In, class Real, class Out>
__global__ void requantise_kernel(const In* in, Out* out, MaskWord* mask, std::int64_t count,
                                  Rounding<Real> r, Real per_unit) {
  const Part p(count);
  if (p.lanes == 0) return;
  const Lanes<In> x(in, p.first, p.lanes);
  Lanes<Out> y;
  std::uint32_t word = 0;
#pragma unroll
  for (int l = 0; l < kLanes; ++l) {
    if (l >= p.lanes) break;
    const Real t = static_cast<Real>(load(x.values, l)) * per_unit + Real{0.5};
    word |= r.inside(t, 1u << l);
    store_exact(y.values, l, r.value(t));
  }
  y.write(out, p.first, p.lanes);
  if (mask != nullptr) mask[p.word] = static_cast<MaskWord>(word);
}

template <class In, class Out>
__global__ void mask_kernel(const In* grad, const MaskWord* mask, Out* out, std::int64_t count) {
  const Part p(count);
  if (p.lanes == 0) return;
  const Lanes<In> g(grad, p.first, p.lanes);
  Lanes<Out> y;
  const MaskWord word = mask[p.word];
#pragma unroll
  for (int l = 0; l < kLanes; ++l) {
    if (l >= p.lanes) break;
    store_rounded(y.values, l, (word >> l & 1) != 0 ? load(g.values, l) : 0.0f);
  }
  y.write(out, p.first, p.lanes);
}

// Sums over rows: a block takes `width` channels and every gridDim.y-th group of rows.

struct SumShape {
  int width;       ///< channels of a block
  unsigned parts;  ///< blocks that share a channel
  unsigned groups;  ///< blocks beside each other
};

SumShape sum_shape(Map m) {
  constexpr std::int64_t kBlocks = 1024;  // keeps all multiprocessors of the largest GPU busy
  int width = 1;
  while (width < 32 && width < m.channels) width *= 2;
  const std::int64_t groups = (m.channels + width - 1) / width;
  const std::int64_t rows = kBlock / width;
  const std::int64_t most = std::max<std::int64_t>(1, (m.rows + rows - 1) / rows);
  const std::int64_t parts = std::clamp<std::int64_t>(kBlocks / groups, 1, most);
  return {width, static_cast<unsigned>(parts), static_cast<unsigned>(groups)};
}

/// Adds up what the block's threads of each channel have, and writes partial[part][2][channels].
__device__ void write_sums(float a, float b, int width, std::int64_t channel, Map m,
                           double* partial) {
  __shared__ double sums[2][kBlock];
  const int at = static_cast<int>(threadIdx.x);
  sums[0][at] = static_cast<double>(a);
  sums[1][at] = static_cast<double>(b);
  for (int half = kBlock / 2; half >= width; half /= 2) {
    __syncthreads();
    if (at < half) {
      sums[0][at] += sums[0][at + half];
      sums[1][at] += sums[1][at + half];
    }
  }
  if (at >= width || channel >= m.channels) return;
  double* const to = partial + std::int64_t{blockIdx.y} * 2 * m.channels;
  to[channel] = sums[0][at];
  to[m.channels + channel] = sums[1][at];
}

template <class In>
__global__ void sums_kernel(const In* z, Map m, int width, double* partial) {
  const std::int64_t channel = std::int64_t{blockIdx.x} * width + threadIdx.x % width;
  const std::int64_t rows = kBlock / width;
  float sum = 0, square = 0;
  if (channel < m.channels) {
    const float pivot = load(z, channel);
    for (std::int64_t r = blockIdx.y * rows + threadIdx.x / width; r < m.rows;
         r += gridDim.y * rows) {
      const float d = load(z, r * m.channels + channel) - pivot;
      sum += d;
      square += d * d;
    }
  }
  write_sums(sum, square, width, channel, m, partial);
}

template <class Out, class In>
__global__ void gradient_sums_kernel(const Out* grad, const MaskWord* mask, const In* z, Map m,
                                     const float* mean, int width, double* partial) {
  const std::int64_t channel = std::int64_t{blockIdx.x} * width + threadIdx.x % width;
  const std::int64_t rows = kBlock / width;
  float sum = 0, product = 0;
  if (channel < m.channels) {
    const float centre = mean[channel];
    for (std::int64_t r = blockIdx.y * rows + threadIdx.x / width; r < m.rows;
         r += gridDim.y * rows) {
      const std::int64_t i = r * m.channels + channel;
      const bool passes = mask == nullptr || (mask[i / kLanes] >> (i % kLanes) & 1) != 0;
      const float g = passes ? load(grad, i) : 0.0f;
      sum += g;
      product += g * (load(z, i) - centre);
    }
  }
  write_sums(sum, product, width, channel, m, partial);
}

/// The parts of channel blockIdx.x, in an order of their own: [0] and [1] to thread 0.
struct Sums {
  double a, b;
};
__device__ Sums add_parts(const double* partial, unsigned parts, std::int64_t channels) {
  __shared__ double sums[2][kBlock];
  const unsigned at = threadIdx.x;
  const std::int64_t channel = blockIdx.x;
  double a = 0, b = 0;
  for (unsigned p = at; p < parts; p += kBlock) {
    const double* const from = partial + std::int64_t{p} * 2 * channels;
    a += from[channel];
    b += from[channels + channel];
  }
  sums[0][at] = a;
  sums[1][at] = b;
  for (unsigned half = kBlock / 2; half > 0; half /= 2) {
    __syncthreads();
    if (at < half) {
      sums[0][at] += sums[0][at + half];
      sums[1][at] += sums[1][at + half];
    }
  }
  return {sums[0][0], sums[1][0]};
}

template <class In>
__global__ void statistics_kernel(const In* z, const double* partial, unsigned parts, Map m,
                                  double* mean, double* var) {
  const Sums s = add_parts(partial, parts, m.channels);
  if (threadIdx.x != 0) return;
  const std::int64_t c = blockIdx.x;
  const double count = static_cast<double>(m.rows);
  const double from_pivot = s.a / count;
  mean[c] = static_cast<double>(load(z, c)) + from_pivot;
  const double v = s.b / count - from_pivot * from_pivot;
  var[c] = isnan(s.b) ? s.b : fmax(v, 0.0);  // fmax() would hide it
}

__global__ void gather_kernel(const double* partial, unsigned parts, std::int64_t channels,
                              double* sums) {
  const Sums s = add_parts(partial, parts, channels);
  if (threadIdx.x != 0) return;
  sums[blockIdx.x] = s.a;
  sums[channels + blockIdx.x] = s.b;
}

__device__ double sign_of(const float* scale, std::int64_t c) {
  if (scale == nullptr) return 1;
  return scale[c] > 0 ? 1 : scale[c] < 0 ? -1 : 0;
}

__global__ void numbers_kernel(NormChannels of, NormConstants with, std::int64_t channels,
                               NormNumbers to) {
  const std::int64_t c = thread_index();
  if (c >= channels) return;
  const double s = of.scale == nullptr ? 1 : static_cast<double>(of.scale[c]);
  const double v = of.var[c] + with.eps * s * s;
  const double inv_std = v == 0 ? 0 : 1 / sqrt(v);
  const double gain =
      static_cast<double>(of.gamma[c]) * sign_of(of.scale, c) * inv_std * with.to_units;
  const float m = static_cast<float>(of.mean[c]);
  to.mean[c] = m;
  to.inv_std[c] = static_cast<float>(inv_std);
  to.gain[c] = static_cast<float>(gain);
  to.offset[c] = static_cast<float>(static_cast<double>(of.beta[c]) * with.to_units -
                                    (of.mean[c] - static_cast<double>(m)) * gain + with.half);
  of.var[c] *= with.unbias;
}

/// `rounds`: to the format that r holds, with a mask; else u itself.
template <bool rounds, class In, class Out>
__global__ void apply_kernel(const In* in, Map m, NormNumbers n, Rounding<float> r, Out* out,
                             MaskWord* mask) {
  const Part p(m.count());
  if (p.lanes == 0) return;
  const Lanes<In> z(in, p.first, p.lanes);
  Lanes<Out> y;
  std::uint32_t word = 0;
  auto c = static_cast<std::int32_t>(p.first % m.channels);
#pragma unroll
  for (int l = 0; l < kLanes; ++l) {
    if (l >= p.lanes) break;
    const float t = (load(z.values, l) - n.mean[c]) * n.gain[c] + n.offset[c];
    if constexpr (rounds) {
      word |= r.inside(t, 1u << l);
      store_exact(y.values, l, r.value(t));
    } else {
      store_rounded(y.values, l, t);
    }
    if (++c == m.channels) c = 0;
  }
  y.write(out, p.first, p.lanes);
  if (rounds && mask != nullptr) mask[p.word] = static_cast<MaskWord>(word);
}

__global__ void slopes_kernel(const float* gamma, const float* scale, const float* inv_std,
                              const double* all, const double* own, double count,
                              std::int64_t channels, NormSlopes to) {
  const std::int64_t c = thread_index();
  if (c >= channels) return;
  const double inv = static_cast<double>(inv_std[c]), sign = sign_of(scale, c);
  const double gain = static_cast<double>(gamma[c]) * sign * inv;
  to.gain[c] = static_cast<float>(gain);
  to.slope[c] = static_cast<float>(-gain * inv * inv * all[channels + c] / count);
  to.offset[c] = static_cast<float>(-gain * all[c] / count);
  to.gamma[c] = static_cast<float>(own[channels + c] * sign * inv);
  to.beta[c] = static_cast<float>(own[c]);
}

template <class Out, class In>
__global__ void gradient_kernel(const Out* grad, const MaskWord* mask, const In* in, Map m,
                                const float* mean, NormSlopes n, In* dz) {
  const Part p(m.count());
  if (p.lanes == 0) return;
  const Lanes<Out> g(grad, p.first, p.lanes);
  const Lanes<In> z(in, p.first, p.lanes);
  Lanes<In> d;
  const MaskWord word = mask == nullptr ? MaskWord{0xffff} : mask[p.word];
  auto c = static_cast<std::int32_t>(p.first % m.channels);
#pragma unroll
  for (int l = 0; l < kLanes; ++l) {
    if (l >= p.lanes) break;
    const float passed = (word >> l & 1) != 0 ? load(g.values, l) : 0.0f;
    store_rounded(d.values, l,
                  n.gain[c] * passed + n.slope[c] * (load(z.values, l) - mean[c]) + n.offset[c]);
    if (++c == m.channels) c = 0;
  }
  d.write(dz, p.first, p.lanes);
}

__global__ void affine_kernel(const float* gamma, const float* mean, const float* var, double eps,
                              std::int64_t channels, float* scale, float* offset) {
  const std::int64_t c = thread_index();
  if (c >= channels) return;
  const double s = static_cast<double>(gamma[c]) / sqrt(static_cast<double>(var[c]) + eps);
  scale[c] = static_cast<float>(s);
  offset[c] = static_cast<float>(-static_cast<double>(mean[c]) * s);
}

__device__ void move(float& kept, double now, double momentum) {
  kept = static_cast<float>(kept + momentum * (now - static_cast<double>(kept)));
}

__global__ void follow_kernel(const double* mean, const double* var, const float* scale,
                              double momentum, bool means_only, std::int64_t channels,
                              float* running_mean, float* running_var) {
  const std::int64_t c = thread_index();
  if (c >= channels) return;
  const double s = scale == nullptr ? 1 : static_cast<double>(scale[c]);
  if (!(fabs(s) > 1e-12)) return;
  move(running_mean[c], mean[c] / s, momentum);
  if (!means_only) move(running_var[c], var[c] / (s * s), momentum);
}

/// nearest_code()'s value times 2^s.
__device__ float nearest_value(float w, int s, int bits, int max_k) {
  int k = 1;
  if (bits != 1) {
    const std::uint32_t raw = __float_as_uint(fabsf(w));
    const int field = static_cast<int>(raw >> 23);
    const int top = field != 0 ? field - 127 : w != 0 ? ilogbf(w) : -100000;
    const int e = top - s;
    if (e < -1) return 0;
    const bool upper =
        field != 0 ? (raw & 0x400000u) != 0 : ldexpf(fabsf(w), -ilogbf(w)) >= 1.5f;
    k = min(max(e + (upper ? 2 : 1), 1), max_k);
  }
  return copysignf(ldexpf(1.0f, k - 1 + s), w);
}

__global__ void blend_kernel(const float* w, const float* scale, const std::int32_t* exps,
                             std::int64_t count, std::int64_t per, int bits, int max_k, float blend,
                             float* out) {
  const std::int64_t i = thread_index();
  if (i >= count) return;
  const std::int64_t c = i / per;
  const float u = scale == nullptr ? w[i] : w[i] * scale[c];
  const float q = nearest_value(u, exps[c], bits, max_k);
  out[i] = blend == 1 ? q : __fadd_rn(__fmul_rn(1.0f - blend, u), __fmul_rn(blend, q));
}

__global__ void bias_kernel(const float* bias, const std::int32_t* exps, std::int64_t exp_count,
                            std::int64_t channels, float* out) {
  const std::int64_t c = thread_index();
  if (c >= channels) return;
  const int e = exps[exp_count == 1 ? 0 : c];
  out[c] = static_cast<float>(ldexp(floor(ldexp(static_cast<double>(bias[c]), -e) + 0.5), e));
}

}  // namespace

const bool kBuilt = true;

std::string device_name(int index) {
  cudaDeviceProp p;
  check(cudaGetDeviceProperties(&p, index));
  return p.name;
}

void requantise(Array acc, Array out, MaskWord* mask, std::int64_t count, const ActFormat& f) {
  if (count == 0) return;
  const unsigned grid = blocks(mask_words(count));
  with_type(out, [&](auto* to) {
    if (acc.type == Type::kDouble)
      requantise_kernel<<<grid, kBlock>>>(static_cast<const double*>(acc.data), to, mask, count,
                                          Rounding<double>(f), std::ldexp(1.0, -f.exp));
    else
      with_type(acc, [&](auto* in) {
        using In = std::remove_pointer_t<decltype(in)>;
        requantise_kernel<<<grid, kBlock>>>(static_cast<const In*>(in), to, mask, count,
                                            Rounding<float>(f), std::ldexp(1.0f, -f.exp));
      });
  });
  check(cudaGetLastError());
}

void mask_gradient(Array grad, const MaskWord* mask, Array out, std::int64_t count) {
  if (count == 0) return;
  with_types(grad, out, [&](auto* g, auto* to) {
    using In = std::remove_pointer_t<decltype(g)>;
    mask_kernel<<<blocks(mask_words(count)), kBlock>>>(static_cast<const In*>(g), mask, to, count);
  });
  check(cudaGetLastError());
}

std::int64_t partial_sums(Map m) { return std::int64_t{sum_shape(m).parts} * 2 * m.channels; }

void norm_statistics(Array z, Map m, double* partial, double* mean, double* var) {
  const SumShape s = sum_shape(m);
  with_type(z, [&](auto* data) {
    using In = std::remove_pointer_t<decltype(data)>;
    const In* const from = data;
    sums_kernel<<<dim3(s.groups, s.parts), kBlock>>>(from, m, s.width, partial);
    statistics_kernel<<<static_cast<unsigned>(m.channels), kBlock>>>(from, partial, s.parts, m,
                                                                     mean, var);
  });
  check(cudaGetLastError());
}

void norm_numbers(NormChannels of, NormConstants with, std::int64_t channels, NormNumbers to) {
  numbers_kernel<<<blocks(channels), kBlock>>>(of, with, channels, to);
  check(cudaGetLastError());
}

void norm_apply(Array z, Map m, NormNumbers n, const ActFormat* format, Array y, MaskWord* mask) {
  const unsigned grid = blocks(mask_words(m.count()));
  const Rounding<float> r(format == nullptr ? ActFormat{} : *format);
  with_types(z, y, [&](auto* in, auto* to) {
    using In = std::remove_pointer_t<decltype(in)>;
    const In* const from = in;
    if (format == nullptr)
      apply_kernel<false><<<grid, kBlock>>>(from, m, n, r, to, mask);
    else
      apply_kernel<true><<<grid, kBlock>>>(from, m, n, r, to, mask);
  });
  check(cudaGetLastError());
}

void norm_gradient_sums(Array grad, const MaskWord* mask, Array z, Map m, const float* mean,
                        double* partial, double* sums) {
  const SumShape s = sum_shape(m);
  with_types(grad, z, [&](auto* g, auto* data) {
    using Out = std::remove_pointer_t<decltype(g)>;
    using In = std::remove_pointer_t<decltype(data)>;
    gradient_sums_kernel<<<dim3(s.groups, s.parts), kBlock>>>(
        static_cast<const Out*>(g), mask, static_cast<const In*>(data), m, mean, s.width, partial);
  });
  gather_kernel<<<static_cast<unsigned>(m.channels), kBlock>>>(partial, s.parts, m.channels, sums);
  check(cudaGetLastError());
}

void norm_slopes(const float* gamma, const float* scale, const float* inv_std, const double* all,
                 const double* own, double count, std::int64_t channels, NormSlopes to) {
  slopes_kernel<<<blocks(channels), kBlock>>>(gamma, scale, inv_std, all, own, count, channels, to);
  check(cudaGetLastError());
}

void norm_gradient(Array grad, const MaskWord* mask, Array z, Map m, const float* mean,
                   NormSlopes n, Array dz) {
  const unsigned grid = blocks(mask_words(m.count()));
  with_types(grad, z, [&](auto* g, auto* data) {
    using Out = std::remove_pointer_t<decltype(g)>;
    using In = std::remove_pointer_t<decltype(data)>;
    gradient_kernel<<<grid, kBlock>>>(static_cast<const Out*>(g), mask,
                                      static_cast<const In*>(data), m, mean, n,
                                      static_cast<In*>(dz.data));
  });
  check(cudaGetLastError());
}

void norm_affine(const float* gamma, const float* mean, const float* var, double eps,
                 std::int64_t channels, float* scale, float* offset) {
  affine_kernel<<<blocks(channels), kBlock>>>(gamma, mean, var, eps, channels, scale, offset);
  check(cudaGetLastError());
}

void norm_follow(const double* mean, const double* var, const float* scale, double momentum,
                 bool means_only, std::int64_t channels, float* running_mean, float* running_var) {
  follow_kernel<<<blocks(channels), kBlock>>>(mean, var, scale, momentum, means_only, channels,
                                              running_mean, running_var);
  check(cudaGetLastError());
}

void blend_nearest(const float* w, const float* scale, const std::int32_t* exps,
                   std::int64_t channels, std::int64_t per, int bits, int max_k,
                   float blend, float* out) {
  const std::int64_t count = channels * per;
  if (count == 0) return;
  blend_kernel<<<blocks(count), kBlock>>>(w, scale, exps, count, per, bits,
                                          max_k, blend, out);
  check(cudaGetLastError());
}

void round_bias(const float* bias, const std::int32_t* exps, std::int64_t exp_count,
                std::int64_t channels, float* out) {
  bias_kernel<<<blocks(channels), kBlock>>>(bias, exps, exp_count, channels, out);
  check(cudaGetLastError());
}

}  // namespace nbq::cuda
