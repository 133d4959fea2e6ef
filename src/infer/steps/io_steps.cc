#include "infer/steps/io_steps.h"

#include <algorithm>

#include "core/clones.h"
#include "infer/steps/stored.h"

namespace nbq::infer {
namespace {

/// Up to four planes to 4-byte words, one a pixel, every pixel's `stride` words apart.
NBQ_CLONES void interleave(std::uint32_t* to, std::ptrdiff_t stride, const std::uint8_t* a,
                           const std::uint8_t* b, const std::uint8_t* c, const std::uint8_t* d,
                           std::uint32_t keep, int pixels) {
  for (int x = 0; x < pixels; ++x)
    to[x * stride] = (std::uint32_t{a[x]} | std::uint32_t{b[x]} << 8 | std::uint32_t{c[x]} << 16 |
                      std::uint32_t{d[x]} << 24) &
                     keep;
}
NBQ_CLONES void interleave_dense(std::uint32_t* to, const std::uint8_t* a, const std::uint8_t* b,
                                 const std::uint8_t* c, const std::uint8_t* d, std::uint32_t keep,
                                 int pixels) {
  for (int x = 0; x < pixels; ++x)
    to[x] = (std::uint32_t{a[x]} | std::uint32_t{b[x]} << 8 | std::uint32_t{c[x]} << 16 |
             std::uint32_t{d[x]} << 24) &
            keep;
}

class ImageStep final : public Step {
 public:
  ImageStep(const std::string& step_name, const View& out) : Step(step_name), view_(out) {
    writes = {out.buffer};
  }

  void place(const std::vector<Buffer>& buffers) override {
    out_ = place_of(view_, buffers);
    buffer_ = buffers[static_cast<std::size_t>(view_.buffer)];
  }

  void run(const Worker& w) const override {
    const Shape& s = view_.shape;
    const Share lines(std::int64_t{w.images} * s.h, w.thread, w.threads);
    for (std::int64_t line = lines.first; line < lines.last; ++line) {
      const std::int64_t image = line / s.h;
      const int y = static_cast<int>(line % s.h);
      if (fills_margin) fill_margin(buffer_, w.arena, image, y, y + 1);
      const std::uint8_t* from = w.pixels + image * s.size() + std::int64_t{y} * s.w;
      std::uint8_t* to = out_.at(w.arena, image, y, 0);
      out_.wide ? words(from, to) : bytes(from, to);
    }
  }

  std::string how() const override { return "channels last"; }

 private:
  /// What is stored is the byte itself: x_int + 128.
  void bytes(const std::uint8_t* from, std::uint8_t* to) const {
    const Shape& s = view_.shape;
    const std::ptrdiff_t plane = std::ptrdiff_t{s.h} * s.w;
    for (int c = 0; c < s.c; c += kStepBytes) {
      const std::uint8_t* p[kStepBytes];
      const int real = std::min(kStepBytes, s.c - c);
      for (int i = 0; i < kStepBytes; ++i) p[i] = from + plane * (c + std::min(i, real - 1));
      const std::uint32_t keep = real == kStepBytes ? ~0u : (1u << (8 * real)) - 1;
      auto* words = reinterpret_cast<std::uint32_t*>(to + c);
      const std::ptrdiff_t stride = out_.pixel / kStepBytes;
      if (stride == 1) {
        interleave_dense(words, p[0], p[1], p[2], p[3], keep, s.w);
      } else {
        interleave(words, stride, p[0], p[1], p[2], p[3], keep, s.w);
      }
    }
  }

  void words(const std::uint8_t* from, std::uint8_t* to) const {
    const Shape& s = view_.shape;
    const std::ptrdiff_t plane = std::ptrdiff_t{s.h} * s.w;
    for (int x = 0; x < s.w; ++x)
      for (int c = 0; c < s.c; ++c) store(out_, to + x * out_.pixel, c, from[plane * c + x] - 128);
  }

  View view_;
  Buffer buffer_;
  Place out_;
};

class LogitsStep final : public Step {
 public:
  LogitsStep(const std::string& step_name, const View& in) : Step(step_name), view_(in) {
    reads = {in.buffer};
  }
  void place(const std::vector<Buffer>& buffers) override { in_ = place_of(view_, buffers); }
  void run(const Worker& w) const override {
    const Shape& s = view_.shape;
    const Share images(w.images, w.thread, w.threads);
    for (std::int64_t i = images.first; i < images.last; ++i)
      for (int c = 0; c < s.c; ++c)
        for (int y = 0; y < s.h; ++y)
          for (int x = 0; x < s.w; ++x)
            w.logits[i * s.size() + (std::int64_t{c} * s.h + y) * s.w + x] =
                stored(in_, in_.at(w.arena, i, y, x), c);
  }
  std::string how() const override { return "activations out"; }

 private:
  View view_;
  Place in_;
};

}  // namespace

StepPtr make_image_step(const std::string& name, const View& out) {
  return std::make_unique<ImageStep>(name, out);
}

StepPtr make_logits_step(const std::string& name, const View& in) {
  return std::make_unique<LogitsStep>(name, in);
}

}  // namespace nbq::infer
