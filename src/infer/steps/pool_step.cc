#include "infer/steps/pool_step.h"

#include <algorithm>

#include "core/clones.h"
#include "core/fixed_point.h"
#include "infer/steps/shifts.h"
#include "infer/steps/stored.h"

namespace nbq::infer {
namespace {

// Whole channels of a pixel at a time: compilers vectorise these.
NBQ_CLONES void max_bytes(std::uint8_t* to, const std::uint8_t* x, int count) {
  for (int i = 0; i < count; ++i) to[i] = std::max(to[i], x[i]);
}
NBQ_CLONES void max_words(std::int16_t* to, const std::int16_t* x, int count) {
  for (int i = 0; i < count; ++i) to[i] = std::max(to[i], x[i]);
}
NBQ_CLONES void add_bytes(std::int32_t* to, const std::uint8_t* x, int count) {
  for (int i = 0; i < count; ++i) to[i] += x[i];
}
NBQ_CLONES void add_words(std::int32_t* to, const std::int16_t* x, int count) {
  for (int i = 0; i < count; ++i) to[i] += x[i];
}

class PoolStep final : public Step {
 public:
  explicit PoolStep(const PoolSpec& spec)
      : Step(spec.node->name),
        spec_(spec),
        reciprocal_(po2_reciprocal(spec.window.kernel_h * spec.window.kernel_w)) {
    reads = {spec.in.buffer};
    if (!spec.logits) writes = {spec.out.buffer};
    spec_.node = nullptr;
  }

  void place(const std::vector<Buffer>& buffers) override {
    in_ = place_of(spec_.in, buffers);
    if (spec_.logits) return;
    out_ = place_of(spec_.out, buffers);
    out_buffer_ = buffers[static_cast<std::size_t>(spec_.out.buffer)];
  }

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(spec_.in.shape.c) * sizeof(std::int32_t);
  }

  void run(const Worker& w) const override {
    const Shape& shape = spec_.out.shape;
    const Share lines(std::int64_t{w.images} * shape.h, w.thread, w.threads);
    for (std::int64_t line = lines.first; line < lines.last; ++line) {
      const std::int64_t image = line / shape.h;
      const int y = static_cast<int>(line % shape.h);
      if (!spec_.logits) fill_margin(out_buffer_, w.arena, image, y, y + 1);
      for (int x = 0; x < shape.w; ++x)
        spec_.average ? average(w, image, y, x) : maximum(w, image, y, x);
    }
  }

  std::string how() const override { return spec_.average ? "average" : "maximum"; }

 private:
  /// f(pixel) for the window's pixels that exist.
  template <class F>
  void each_tap(const Worker& w, std::int64_t image, int y, int x, F&& f) const {
    const Window& win = spec_.window;
    for (int ky = 0; ky < win.kernel_h; ++ky) {
      const int iy = y * win.stride_h + ky * win.dilation_h - win.pad_top;
      if (iy < 0 || iy >= spec_.in.shape.h) continue;
      for (int kx = 0; kx < win.kernel_w; ++kx) {
        const int ix = x * win.stride_w + kx * win.dilation_w - win.pad_left;
        if (ix >= 0 && ix < spec_.in.shape.w) f(in_.at(w.arena, image, iy, ix));
      }
    }
  }

  void maximum(const Worker& w, std::int64_t image, int y, int x) const {
    std::uint8_t* to = out_.at(w.arena, image, y, x);
    const int channels = spec_.in.shape.c;
    bool first = true;
    each_tap(w, image, y, x, [&](const std::uint8_t* p) {
      if (first) {
        std::memcpy(to, p, static_cast<std::size_t>(channels) * (in_.wide ? 2 : 1));
      } else if (in_.wide) {
        max_words(reinterpret_cast<std::int16_t*>(to), reinterpret_cast<const std::int16_t*>(p),
                  channels);
      } else {
        max_bytes(to, p, channels);
      }
      first = false;
    });
  }

  void average(const Worker& w, std::int64_t image, int y, int x) const {
    auto* sums = reinterpret_cast<std::int32_t*>(w.scratch);
    const int channels = spec_.in.shape.c;
    std::fill_n(sums, channels, 0);
    std::int32_t taps = 0;
    each_tap(w, image, y, x, [&](const std::uint8_t* p) {
      in_.wide ? add_words(sums, reinterpret_cast<const std::int16_t*>(p), channels)
               : add_bytes(sums, p, channels);
      ++taps;
    });
    for (int c = 0; c < channels; ++c)
      finish(w, image, y, x, c, std::int64_t{sums[c]} - std::int64_t{taps} * in_.zero);
  }

  void finish(const Worker& w, std::int64_t image, int y, int x, int c, std::int64_t sum) const {
    std::int64_t acc = 0;
    for (const Po2Reciprocal::Term& t : reciprocal_.terms) {
      const std::int64_t part = sum * (std::int64_t{1} << t.shift);
      acc += t.negative ? -part : part;
    }
    const Shape& shape = spec_.out.shape;
    if (spec_.logits) {
      w.logits[image * spec_.logits_per_image + (std::int64_t{c} * shape.h + y) * shape.w + x] =
          acc;
      return;
    }
    const std::int64_t r = requantize(acc, shift_of(spec_.stage, static_cast<std::size_t>(c)),
                                      spec_.stage.lo, spec_.stage.hi);
    store(out_, out_.at(w.arena, image, y, x), c, static_cast<std::int32_t>(r));
  }

  PoolSpec spec_;
  Po2Reciprocal reciprocal_;
  Buffer out_buffer_;
  Place in_, out_;
};

}  // namespace

StepPtr make_pool_step(const PoolSpec& spec) { return std::make_unique<PoolStep>(spec); }

}  // namespace nbq::infer
