#include "infer/steps/pool_step.h"

#include <algorithm>
#include <limits>

#include "core/clones.h"
#include "core/fixed_point.h"
#include "infer/steps/shifts.h"
#include "infer/steps/stored.h"

namespace nbq::infer {
namespace {

/// The taps of one output pixel: rows x taps pixels, that many bytes apart.
struct Taps {
  const std::uint8_t* in;
  std::ptrdiff_t row, tap;
  int rows, taps;
};

/// f(pixel) for each tap.
template <class F>
[[gnu::always_inline]] inline void each(const Taps& t, std::ptrdiff_t channel_bytes, F&& f) {
  for (int r = 0; r < t.rows; ++r)
    for (int k = 0; k < t.taps; ++k) f(t.in + r * t.row + k * t.tap + channel_bytes);
}

// Vectors in the compiler's own notation, so that NBQ_CLONES makes of them what the processor has:
// some channels at a time over all taps.
template <class T>
inline constexpr int kChunk = 32 / static_cast<int>(sizeof(T));

template <class T>
[[gnu::always_inline]] inline void maximum_of(const Taps& t, T* to, int channels) {
  typedef T V [[gnu::vector_size(32), gnu::aligned(1)]];
  int c = 0;
  for (; c + kChunk<T> <= channels; c += kChunk<T>) {
    V best = *reinterpret_cast<const V*>(t.in + c * static_cast<int>(sizeof(T)));
    each(t, c * static_cast<int>(sizeof(T)), [&](const std::uint8_t* p) {
      const V x = *reinterpret_cast<const V*>(p);
      best = x > best ? x : best;
    });
    *reinterpret_cast<V*>(to + c) = best;
  }
  for (; c < channels; ++c) {
    T best = reinterpret_cast<const T*>(t.in)[c];
    each(t, 0,
         [&](const std::uint8_t* p) { best = std::max(best, reinterpret_cast<const T*>(p)[c]); });
    to[c] = best;
  }
}

template <class T, class Sum>
[[gnu::always_inline]] inline void sums_of(const Taps& t, Sum* to, int channels) {
  constexpr int kAtOnce = 16;
  int c = 0;
  for (; c + kAtOnce <= channels; c += kAtOnce) {
    Sum sum[kAtOnce] = {};
    each(t, c * static_cast<int>(sizeof(T)), [&](const std::uint8_t* p) {
      for (int i = 0; i < kAtOnce; ++i) sum[i] += reinterpret_cast<const T*>(p)[i];
    });
    std::memcpy(to + c, sum, sizeof sum);
  }
  for (; c < channels; ++c) {
    to[c] = 0;
    each(t, 0, [&](const std::uint8_t* p) { to[c] += reinterpret_cast<const T*>(p)[c]; });
  }
}

NBQ_CLONES void max_bytes(const Taps& t, std::uint8_t* to, int channels) {
  maximum_of<std::uint8_t>(t, to, channels);
}
NBQ_CLONES void max_words(const Taps& t, std::int16_t* to, int channels) {
  maximum_of<std::int16_t>(t, to, channels);
}
NBQ_CLONES void add_bytes(const Taps& t, std::int32_t* to, int channels) {
  sums_of<std::uint8_t>(t, to, channels);
}
NBQ_CLONES void add_words(const Taps& t, std::int32_t* to, int channels) {
  sums_of<std::int16_t>(t, to, channels);
}
NBQ_CLONES void add_bytes(const Taps& t, std::int64_t* to, int channels) {
  sums_of<std::uint8_t>(t, to, channels);
}
NBQ_CLONES void add_words(const Taps& t, std::int64_t* to, int channels) {
  sums_of<std::int16_t>(t, to, channels);
}

/// acc = sum of +-(sums - zeros) << shift over the reciprocal's terms, in place.
NBQ_CLONES void times_reciprocal(std::int32_t* sums, int channels, std::int32_t zeros,
                                 const Po2Reciprocal::Term* terms, int count) {
  for (int c = 0; c < channels; ++c) {
    const std::int32_t sum = sums[c] - zeros;
    std::int32_t acc = 0;
    for (int t = 0; t < count; ++t) {
      const std::int32_t part = sum * (1 << terms[t].shift);
      acc += terms[t].negative ? -part : part;
    }
    sums[c] = acc;
  }
}

/// Whether 32 bits hold the sum of a window's stored activations.
bool sum_fits(const Window& w, const Shape& in, bool wide) {
  const std::int64_t taps = std::int64_t{std::min(w.kernel_h, in.h)} * std::min(w.kernel_w, in.w);
  return taps * (wide ? 32768 : 255) <= std::numeric_limits<std::int32_t>::max();
}

/// Taps [first, last) of a window at `start` that lie inside an axis.
struct Existing {
  int first, last;
  Existing(int start, int kernel, int dilation, int size)
      : first(start >= 0 ? 0 : (-start + dilation - 1) / dilation),
        last(start >= size ? 0 : std::min(kernel, (size - 1 - start) / dilation + 1)) {
    last = std::max(first, last);
  }
};

class PoolStep final : public LineStep {
 public:
  PoolStep(const PoolSpec& spec, const KernelSet& kernels)
      : LineStep(spec.node->name, spec.in, spec.target),
        window_(spec.window),
        average_(spec.average),
        acc_bits_(spec.acc_bits),
        kernels_(kernels),
        reciprocal_(po2_reciprocal(spec.window.kernel_h * spec.window.kernel_w)),
        vectors_((spec.in.shape.c + kernels.lanes - 1) / kernels.lanes) {}

  void place(const std::vector<Buffer>& buffers) override {
    LineStep::place(buffers);
    sum_fits_ = sum_fits(window_, from_.shape, in_.wide);
    in_vectors_ = average_ && !target_.logits && sum_fits_ && acc_bits_ <= kMaxKernelBits &&
                  shifts_fit(target_.stage);
    if (in_vectors_) set_channels();
  }

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(vectors_ * kernels_.lanes) *
           (sum_fits_ ? sizeof(std::int32_t) : sizeof(std::int64_t));
  }

  std::string how() const override { return average_ ? "average" : "maximum"; }

 private:
  Taps taps_of(const Worker& w, std::int64_t image, int y, int x) const {
    const Window& win = window_;
    const int top = y * win.stride_h - win.pad_top, left = x * win.stride_w - win.pad_left;
    const Existing rows(top, win.kernel_h, win.dilation_h, from_.shape.h);
    const Existing cols(left, win.kernel_w, win.dilation_w, from_.shape.w);
    return {in_.at(w.arena, image, top + rows.first * win.dilation_h,
                   left + cols.first * win.dilation_w),
            win.dilation_h * in_.row, win.dilation_w * in_.pixel, rows.last - rows.first,
            cols.last - cols.first};
  }

  void pixel(const Worker& w, std::int64_t image, int y, int x) const override {
    if (!average_) return maximum(w, image, y, x);
    if (in_vectors_) return average_in_vectors(w, image, y, x);
    sum_fits_ ? average<std::int32_t>(w, image, y, x) : average<std::int64_t>(w, image, y, x);
  }

  void maximum(const Worker& w, std::int64_t image, int y, int x) const {
    std::uint8_t* to = out_.at(w.arena, image, y, x);
    const Taps taps = taps_of(w, image, y, x);
    in_.wide ? max_words(taps, reinterpret_cast<std::int16_t*>(to), from_.shape.c)
             : max_bytes(taps, to, from_.shape.c);
  }

  /// The output stage's numbers; what rounds is in the bias.
  void set_channels() {
    const auto channels = static_cast<std::size_t>(from_.shape.c);
    stage_ =
        StageInts(target_.stage, 0, channels, static_cast<std::size_t>(vectors_ * kernels_.lanes));
    finish_.bias = stage_.bias.data();
    finish_.right = stage_.right.data();
    finish_.left = stage_.left_from();
    finish_.lo = static_cast<std::int32_t>(target_.stage.lo);
    finish_.hi = static_cast<std::int32_t>(target_.stage.hi);
    finish_.lanes = from_.shape.c;
    finish_.zero = out_.zero;
    finish_.out_wide = out_.wide;
  }

  void average_in_vectors(const Worker& w, std::int64_t image, int y, int x) const {
    auto* sums = reinterpret_cast<std::int32_t*>(w.scratch);
    const int channels = from_.shape.c;
    const Taps taps = taps_of(w, image, y, x);
    in_.wide ? add_words(taps, sums, channels) : add_bytes(taps, sums, channels);
    times_reciprocal(sums, channels, taps.rows * taps.taps * in_.zero, reciprocal_.terms.data(),
                     static_cast<int>(reciprocal_.terms.size()));
    Finish f = finish_;
    f.out = out_.at(w.arena, image, y, x);
    kernels_.finish(f, sums, 1, vectors_);
  }

  template <class Sum>
  void average(const Worker& w, std::int64_t image, int y, int x) const {
    auto* sums = reinterpret_cast<Sum*>(w.scratch);
    const int channels = from_.shape.c;
    const Taps taps = taps_of(w, image, y, x);
    in_.wide ? add_words(taps, sums, channels) : add_bytes(taps, sums, channels);
    const std::int64_t zeros = std::int64_t{taps.rows} * taps.taps * in_.zero;
    for (int c = 0; c < channels; ++c) finish(w, image, y, x, c, sums[c] - zeros);
  }

  void finish(const Worker& w, std::int64_t image, int y, int x, int c, std::int64_t sum) const {
    std::int64_t acc = 0;
    for (const Po2Reciprocal::Term& t : reciprocal_.terms) {
      const std::int64_t part = sum * (std::int64_t{1} << t.shift);
      acc += t.negative ? -part : part;
    }
    put(w, image, c, y, x, acc);
  }

  Window window_;
  bool average_;
  int acc_bits_;
  const KernelSet& kernels_;
  Po2Reciprocal reciprocal_;
  int vectors_;
  StageInts stage_;
  Finish finish_{};
  bool sum_fits_ = true, in_vectors_ = false;
};

}  // namespace

StepPtr make_pool_step(const PoolSpec& spec, const KernelSet& kernels) {
  return std::make_unique<PoolStep>(spec, kernels);
}

}  // namespace nbq::infer
