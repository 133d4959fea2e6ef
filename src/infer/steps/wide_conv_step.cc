#include "core/fixed_point.h"
#include "infer/steps/conv_step.h"
#include "infer/steps/stored.h"

namespace nbq::infer {
namespace {

class WideConvStep final : public Step {
 public:
  WideConvStep(const ConvSpec& spec)
      : Step(spec.node->name), spec_(spec), po2_(spec.node->po2), format_{po2_.bits} {
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

  void run(const Worker& w) const override {
    const Shape& shape = spec_.out.shape;
    const Share lines(std::int64_t{w.images} * shape.h, w.thread, w.threads);
    for (std::int64_t line = lines.first; line < lines.last; ++line) {
      const std::int64_t image = line / shape.h;
      const int y = static_cast<int>(line % shape.h);
      if (!spec_.logits && fills_margin) fill_margin(out_buffer_, w.arena, image, y, y + 1);
      for (int x = 0; x < shape.w; ++x)
        for (int c = 0; c < shape.c; ++c) finish(w, image, c, y, x, sum(w, image, c, y, x));
    }
  }

  std::size_t weight_bytes() const override { return po2_.codes.size(); }
  std::string how() const override { return "64-bit sums"; }

 private:
  std::int64_t sum(const Worker& w, std::int64_t image, int c, int y, int x) const {
    const Window& win = spec_.window;
    const int depth = spec_.in.shape.c / spec_.groups;
    const int first = c / (spec_.out.shape.c / spec_.groups) * depth;
    std::int64_t acc = po2_.bias.empty() ? 0 : po2_.bias[static_cast<std::size_t>(c)];
    const Po2Code* code =
        po2_.codes.data() + std::ptrdiff_t{c} * depth * win.kernel_h * win.kernel_w;
    for (int d = 0; d < depth; ++d)
      for (int ky = 0; ky < win.kernel_h; ++ky)
        for (int kx = 0; kx < win.kernel_w; ++kx, ++code) {
          const int iy = y * win.stride_h + ky * win.dilation_h - win.pad_top;
          const int ix = x * win.stride_w + kx * win.dilation_w - win.pad_left;
          if (iy < 0 || iy >= spec_.in.shape.h || ix < 0 || ix >= spec_.in.shape.w) continue;
          acc += shift_mul(format_, stored(in_, in_.at(w.arena, image, iy, ix), first + d), *code);
        }
    return acc;
  }

  void finish(const Worker& w, std::int64_t image, int c, int y, int x, std::int64_t acc) const {
    const Shape& shape = spec_.out.shape;
    if (spec_.logits) {
      w.logits[image * spec_.logits_per_image + (std::int64_t{c} * shape.h + y) * shape.w + x] =
          acc;
      return;
    }
    const OutputStage& s = spec_.stage;
    const int r = s.shifts[s.shifts.size() == 1 ? 0 : static_cast<std::size_t>(c)];
    store(out_, out_.at(w.arena, image, y, x), c,
          static_cast<std::int32_t>(requantize(acc, r, s.lo, s.hi)));
  }

  ConvSpec spec_;
  Po2Weights po2_;
  Po2Format format_;
  Buffer out_buffer_;
  Place in_, out_;
};

}  // namespace

StepPtr make_wide_conv_step(const ConvSpec& spec) { return std::make_unique<WideConvStep>(spec); }

}  // namespace nbq::infer
