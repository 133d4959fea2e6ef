#include "infer/steps/line_step.h"

#include "core/fixed_point.h"
#include "infer/steps/shifts.h"
#include "infer/steps/stored.h"

namespace nbq::infer {

LineStep::LineStep(std::string step_name, const View& in, SumTarget target)
    : Step(std::move(step_name)), from_(in), target_(std::move(target)) {
  reads = {in.buffer};
  if (!target_.logits) writes = {target_.out.buffer};
}

void LineStep::place(const std::vector<Buffer>& buffers) {
  in_ = place_of(from_, buffers);
  if (target_.logits) return;
  out_ = place_of(target_.out, buffers);
  out_buffer_ = buffers[static_cast<std::size_t>(target_.out.buffer)];
}

void LineStep::run(const Worker& w) const {
  const Shape& shape = target_.out.shape;
  const Share lines(std::int64_t{w.images} * shape.h, w.thread, w.threads);
  for (std::int64_t line = lines.first; line < lines.last; ++line) {
    const std::int64_t image = line / shape.h;
    const int y = static_cast<int>(line % shape.h);
    if (!target_.logits && fills_margin) fill_margin(out_buffer_, w.arena, image, y, y + 1);
    for (int x = 0; x < shape.w; ++x) pixel(w, image, y, x);
  }
}

void LineStep::put(const Worker& w, std::int64_t image, int c, int y, int x,
                   std::int64_t acc) const {
  const Shape& shape = target_.out.shape;
  if (target_.logits) {
    w.logits[image * target_.logits_per_image + (std::int64_t{c} * shape.h + y) * shape.w + x] =
        acc;
    return;
  }
  const OutputStage& s = target_.stage;
  const std::int64_t result = requantize(acc, shift_of(s, static_cast<std::size_t>(c)), s.lo, s.hi);
  store(out_, out_.at(w.arena, image, y, x), c, static_cast<std::int32_t>(result));
}

}  // namespace nbq::infer
