#include "infer/roofline.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/clones.h"
#include "infer/aligned_bytes.h"
#include "infer/steps/tiling.h"

namespace nbq::infer {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The median seconds of a call, over `seconds`: processors run faster for a moment than for long.
template <class F>
double median_time(double seconds, F&& f) {
  std::vector<double> times;
  for (const double end = now() + seconds; times.empty() || now() < end;) {
    const double start = now();
    f();
    times.push_back(now() - start);
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

double peak_macs(const KernelSet& k, bool wide) {
  constexpr int kSteps = 128, kRepeats = 64, kOutputs = 32, kRow = 28;
  const Tiling t = choose_tiling(k, wide, kOutputs, kRow);
  const int lanes = t.tile_vectors * k.lanes;
  AlignedBytes in(static_cast<std::size_t>(kMaxTilePixels * kSteps * kStepBytes));
  AlignedBytes weights(static_cast<std::size_t>(kSteps * lanes * kStepBytes));
  AlignedBytes acc(static_cast<std::size_t>(t.pixels * lanes * 4));
  DotTile tile{};
  tile.in = in.data();
  tile.in_pixel = kSteps * kStepBytes;
  tile.rows = tile.taps = 1;
  tile.steps = kSteps;
  tile.weights = reinterpret_cast<const std::int8_t*>(weights.data());
  tile.weight_step = std::ptrdiff_t{lanes} * kStepBytes;
  tile.widen = 16;
  tile.acc = reinterpret_cast<std::int32_t*>(acc.data());
  const double seconds = median_time(0.1, [&] {
    for (int r = 0; r < kRepeats; ++r) t.dot(t.pixels)(tile);
  });
  const double macs = double{kSteps} * kRepeats * lanes * t.pixels * (wide ? 2 : 4);
  return macs / seconds;
}

NBQ_CLONES std::uint64_t sum(const std::uint64_t* p, std::size_t count) {
  std::uint64_t s = 0;
  for (std::size_t i = 0; i < count; ++i) s += p[i];
  return s;
}

double read_rate() {
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  AlignedBytes far(kBytes);
  volatile std::uint64_t keep = 0;
  const double seconds = median_time(
      0.05, [&] { keep = sum(reinterpret_cast<const std::uint64_t*>(far.data()), kBytes / 8); });
  return static_cast<double>(kBytes) / seconds;
}

}  // namespace

Roofline measure_roofline(const KernelSet& kernels, bool wide) {
  return {peak_macs(kernels, wide), read_rate()};
}

}  // namespace nbq::infer
