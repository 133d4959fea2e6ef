#include "infer/steps/conv_step.h"
#include "infer/steps/line_step.h"
#include "infer/steps/stored.h"

namespace nbq::infer {
namespace {

class WideConvStep final : public LineStep {
 public:
  WideConvStep(const ConvSpec& spec)
      : LineStep(spec.node->name, spec.in,
                 {spec.stage, spec.out, spec.logits, spec.logits_per_image}),
        window_(spec.window),
        groups_(spec.groups),
        po2_(spec.node->po2),
        format_{po2_.bits} {}

  std::size_t weight_bytes() const override { return po2_.codes.size(); }
  std::string how() const override { return "64-bit sums"; }

 private:
  void pixel(const Worker& w, std::int64_t image, int y, int x) const override {
    for (int c = 0; c < target_.out.shape.c; ++c) put(w, image, c, y, x, sum(w, image, c, y, x));
  }

  std::int64_t sum(const Worker& w, std::int64_t image, int c, int y, int x) const {
    const Window& win = window_;
    const int depth = from_.shape.c / groups_;
    const int first = c / (target_.out.shape.c / groups_) * depth;
    std::int64_t acc = po2_.bias.empty() ? 0 : po2_.bias[static_cast<std::size_t>(c)];
    const Po2Code* code =
        po2_.codes.data() + std::ptrdiff_t{c} * depth * win.kernel_h * win.kernel_w;
    for (int d = 0; d < depth; ++d)
      for (int ky = 0; ky < win.kernel_h; ++ky)
        for (int kx = 0; kx < win.kernel_w; ++kx, ++code) {
          const int iy = y * win.stride_h + ky * win.dilation_h - win.pad_top;
          const int ix = x * win.stride_w + kx * win.dilation_w - win.pad_left;
          if (iy < 0 || iy >= from_.shape.h || ix < 0 || ix >= from_.shape.w) continue;
          acc += shift_mul(format_, stored(in_, in_.at(w.arena, image, iy, ix), first + d), *code);
        }
    return acc;
  }

  Window window_;
  int groups_;
  Po2Weights po2_;
  Po2Format format_;
};

}  // namespace

StepPtr make_wide_conv_step(const ConvSpec& spec) { return std::make_unique<WideConvStep>(spec); }

}  // namespace nbq::infer
