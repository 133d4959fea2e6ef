#include "infer/steps/map_step.h"

#include <array>

#include "core/fixed_point.h"
#include "infer/steps/shifts.h"
#include "infer/steps/stored.h"

namespace nbq::infer {
namespace {

/// Part [first, last) of an output axis whose elements exist in the operand.
struct Inside {
  int first, last;
  Inside(int out, int in, int start, int step) {
    first = start >= 0 ? 0 : std::min(out, (-start + step - 1) / step);
    last = in > start ? std::min(out, (in - 1 - start) / step + 1) : 0;
    last = std::max(first, last);
  }
  bool all(int out) const { return first == 0 && last == out; }
};

class MapStep final : public Step {
 public:
  MapStep(const MapSpec& spec, const KernelSet& kernels);
  void place(const std::vector<Buffer>& buffers) override;
  void run(const Worker& worker) const override;
  std::size_t weight_bytes() const override { return codes_.size() + stage_.bias.bytes() * 4; }
  std::string how() const override { return fast_ ? "vectors" : "one by one"; }

 private:
  void set_channels();
  std::int64_t bias_of(std::size_t channel) const;
  void line(const Worker& w, std::int64_t image, int y) const;
  void vectors(const Worker& w, std::int64_t image, int y) const;
  void one_by_one(const Worker& w, std::int64_t image, int y) const;
  std::int64_t operand_value(const Worker& w, std::size_t i, std::int64_t image, int c, int y,
                             int x) const;
  void zeros(const Worker& w, std::int64_t image, int y) const;
  std::size_t stage_channel(int c) const {
    return static_cast<std::size_t>(spec_.first_stage_channel + c);
  }

  MapSpec spec_;
  const KernelSet& kernels_;
  std::vector<Po2Code> codes_;
  std::vector<std::int64_t> node_bias_;
  Po2Format format_{2};
  Inside in_c_, in_y_, in_x_;
  bool fast_;
  bool covers_;  ///< every element of the output has an operand
  StageInts stage_;
  ChannelInts keep_, negate_;
  std::array<ChannelInts, 2> operand_left_;
  Buffer out_buffer_;
  Place out_;
  std::array<Place, 2> in_;
};

MapStep::MapStep(const MapSpec& spec, const KernelSet& kernels)
    : Step(spec.node->name),
      spec_(spec),
      kernels_(kernels),
      in_c_(spec.out.shape.c, spec.operands[0].view.shape.c, spec.start_c, spec.step_c),
      in_y_(spec.out.shape.h, spec.operands[0].view.shape.h, spec.start_y, spec.step_y),
      in_x_(spec.out.shape.w, spec.operands[0].view.shape.w, spec.start_x, spec.step_x) {
  if (spec.weights) {
    codes_ = spec.node->po2.codes;
    node_bias_ = spec.node->po2.bias;
    format_ = Po2Format{spec.node->po2.bits};
  }
  const Shape& out = spec.out.shape;
  covers_ = spec.flatten || (in_c_.all(out.c) && in_y_.all(out.h) && in_x_.all(out.w));
  fast_ = !spec.flatten && spec.step_c == 1 && spec.acc_bits <= kMaxKernelBits &&
          shifts_fit(spec.stage);
  for (const MapSpec::Operand& o : spec.operands) reads.push_back(o.view.buffer);
  writes = {spec.out.buffer};
  spec_.node = nullptr;
}

void MapStep::place(const std::vector<Buffer>& buffers) {
  for (std::size_t i = 0; i < spec_.operands.size(); ++i)
    in_[i] = place_of(spec_.operands[i].view, buffers);
  out_ = place_of(spec_.out, buffers);
  out_buffer_ = buffers[static_cast<std::size_t>(spec_.out.buffer)];
  if (fast_) set_channels();
}

std::int64_t MapStep::bias_of(std::size_t channel) const {
  return node_bias_.empty() ? 0 : node_bias_[channel];
}

/// Operands are read as they are stored; what their zeros add is taken away in the bias.
void MapStep::set_channels() {
  const auto channels = static_cast<std::size_t>(in_c_.last - in_c_.first);
  const auto lanes = static_cast<std::size_t>(kernels_.lanes);
  const std::size_t padded = (channels + lanes - 1) / lanes * lanes;
  stage_ = StageInts(spec_.stage, stage_channel(in_c_.first), channels, padded);
  for (ChannelInts* ints : {&keep_, &negate_, &operand_left_[0], &operand_left_[1]})
    *ints = ChannelInts(padded);
  for (std::size_t i = 0; i < channels; ++i) {
    const std::size_t c = stage_channel(in_c_.first) + i;
    std::int64_t bias = stage_.bias[i] + bias_of(c);
    for (std::size_t o = 0; o < spec_.operands.size(); ++o) {
      int left = spec_.operands[o].left;
      bool negative = false, none = false;
      if (spec_.weights) {
        const Po2Code code = codes_[c];
        none = code.k(format_) == 0;
        left += none ? 0 : code.k(format_) - 1;
        negative = code.neg(format_);
        keep_[i] = none ? 0 : -1;
        negate_[i] = negative ? -1 : 0;
      }
      operand_left_[o][i] = left;
      const std::int64_t zero = none ? 0 : std::int64_t{in_[o].zero} * (std::int64_t{1} << left);
      bias -= negative ? -zero : zero;
    }
    stage_.bias[i] = wrap(bias);
  }
}

void MapStep::run(const Worker& w) const {
  const int h = spec_.out.shape.h;
  const Share lines(std::int64_t{w.images} * h, w.thread, w.threads);
  for (std::int64_t l = lines.first; l < lines.last; ++l) line(w, l / h, static_cast<int>(l % h));
}

void MapStep::line(const Worker& w, std::int64_t image, int y) const {
  if (fills_margin) fill_margin(out_buffer_, w.arena, image, y, y + 1);
  if (!covers_) zeros(w, image, y);
  if (!spec_.flatten && (y < in_y_.first || y >= in_y_.last)) return;
  fast_ ? vectors(w, image, y) : one_by_one(w, image, y);
}

void MapStep::zeros(const Worker& w, std::int64_t image, int y) const {
  const Shape& shape = spec_.out.shape;
  const std::ptrdiff_t bytes = std::ptrdiff_t{shape.c} * (out_.wide ? 2 : 1);
  std::uint8_t* row = out_.at(w.arena, image, y, 0);
  if (bytes == out_.pixel) return fill_zeros(row, bytes * shape.w, out_buffer_);
  for (int x = 0; x < shape.w; ++x) fill_zeros(row + x * out_.pixel, bytes, out_buffer_);
}

void MapStep::vectors(const Worker& w, std::int64_t image, int y) const {
  MapLine l{};
  for (std::size_t i = 0; i < spec_.operands.size(); ++i) {
    const Place& p = in_[i];
    l.operand[i] = {p.at(w.arena, image, spec_.start_y + y * spec_.step_y,
                         spec_.start_x + in_x_.first * spec_.step_x) +
                        (spec_.start_c + in_c_.first) * (p.wide ? 2 : 1),
                    spec_.step_x * p.pixel, p.wide, operand_left_[i].data()};
  }
  l.keep = spec_.weights ? keep_.data() : nullptr;
  l.negate = negate_.data();
  l.bias = stage_.bias.data();
  l.right = stage_.right.data();
  l.left = stage_.left_from();
  l.lo = static_cast<std::int32_t>(spec_.stage.lo);
  l.hi = static_cast<std::int32_t>(spec_.stage.hi);
  l.zero = out_.zero;
  l.out = out_.at(w.arena, image, y, in_x_.first) + in_c_.first * (out_.wide ? 2 : 1);
  l.out_pixel = out_.pixel;
  l.out_wide = out_.wide;
  l.pixels = in_x_.last - in_x_.first;
  l.channels = in_c_.last - in_c_.first;
  kernels_.map(l);
}

std::int64_t MapStep::operand_value(const Worker& w, std::size_t i, std::int64_t image, int c,
                                    int y, int x) const {
  const Shape& shape = spec_.operands[i].view.shape;
  if (spec_.flatten) {
    const int rest = c % (shape.h * shape.w);
    return stored(in_[i], in_[i].at(w.arena, image, rest / shape.w, rest % shape.w),
                  c / (shape.h * shape.w));
  }
  const std::uint8_t* p =
      in_[i].at(w.arena, image, spec_.start_y + y * spec_.step_y, spec_.start_x + x * spec_.step_x);
  return stored(in_[i], p, spec_.start_c + c * spec_.step_c);
}

void MapStep::one_by_one(const Worker& w, std::int64_t image, int y) const {
  const Inside all_c(spec_.out.shape.c, spec_.out.shape.c, 0, 1);
  const Inside& cs = spec_.flatten ? all_c : in_c_;
  const Inside& xs = spec_.flatten ? Inside(1, 1, 0, 1) : in_x_;
  for (int x = xs.first; x < xs.last; ++x)
    for (int c = cs.first; c < cs.last; ++c) {
      const std::size_t channel = stage_channel(c);
      std::int64_t acc = bias_of(channel);
      for (std::size_t i = 0; i < spec_.operands.size(); ++i) {
        const std::int64_t v =
            operand_value(w, i, image, c, y, x) * (std::int64_t{1} << spec_.operands[i].left);
        acc +=
            spec_.weights ? shift_mul(format_, static_cast<std::int32_t>(v), codes_[channel]) : v;
      }
      const std::int64_t result =
          requantize(acc, shift_of(spec_.stage, channel), spec_.stage.lo, spec_.stage.hi);
      store(out_, out_.at(w.arena, image, y, x), c, static_cast<std::int32_t>(result));
    }
}

}  // namespace

StepPtr make_map_step(const MapSpec& spec, const KernelSet& kernels) {
  return std::make_unique<MapStep>(spec, kernels);
}

}  // namespace nbq::infer
