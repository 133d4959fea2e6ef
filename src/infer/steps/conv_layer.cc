#include "infer/steps/conv_layer.h"

#include <algorithm>

namespace nbq::infer {

ConvLayer::ConvLayer(const ConvSpec& spec, const std::vector<Buffer>& buffers,
                     const KernelSet& kernels, bool words, int block_vectors)
    : spec_(spec), kernels_(kernels), words_(words), block_vectors_(block_vectors) {
  const Buffer& in = buffers[static_cast<std::size_t>(spec.in.buffer)];
  wide_in_ = in.wide;
  in_zero_ = in.zero;
  group_in_ = spec.in.shape.c / spec.groups;
  group_out_ = spec.node->shape.c / spec.groups;
  across_images_ = spec.node->shape.h * spec.node->shape.w == 1;
  pack();
  spec_.node = nullptr;
}

void ConvLayer::pack() {
  const Node& n = *spec_.node;
  const Window& w = spec_.window;
  const WeightShape shape{group_out_, group_in_, w.kernel_h, w.kernel_w};
  const std::size_t each = static_cast<std::size_t>(group_in_) * w.kernel_h * w.kernel_w;
  const std::size_t count = each * static_cast<std::size_t>(group_out_);
  const auto values = code_values(Po2Format{n.po2.bits});
  for (int g = 0; g < spec_.groups; ++g) {
    const auto codes = std::span(n.po2.codes).subspan(static_cast<std::size_t>(g) * count, count);
    weights_.push_back(
        pack_weights(shape, codes, n.po2.bits, words_, kernels_.lanes, block_vectors_));
    std::vector<std::int64_t> sums(static_cast<std::size_t>(group_out_), 0);
    for (std::size_t o = 0; o < sums.size(); ++o)
      for (const Po2Code code : codes.subspan(o * each, each)) sums[o] += values[code.raw];
    set_channels(g, sums);
  }
}

/// Biases with what undoes the zero of the stored activations, and half of what is shifted away.
void ConvLayer::set_channels(int group, const std::vector<std::int64_t>& sums) {
  const auto padded = static_cast<std::size_t>(blocks() * block_lanes());
  const std::size_t first = static_cast<std::size_t>(group) * sums.size();
  StageInts c(spec_.stage, first, sums.size(), padded);
  const std::vector<std::int64_t>& biases = spec_.node->po2.bias;
  for (std::size_t o = 0; o < sums.size(); ++o)
    c.bias[o] = wrap(c.bias[o] + (biases.empty() ? 0 : biases[first + o]) - in_zero_ * sums[o]);
  channels_.push_back(std::move(c));
}

void ConvLayer::place(const std::vector<Buffer>& buffers) {
  in_ = place_of(spec_.in, buffers);
  if (!spec_.logits) {
    out_ = place_of(spec_.out, buffers);
    out_buffer_ = buffers[static_cast<std::size_t>(spec_.out.buffer)];
  }
  if (spec_.second.residual.buffer >= 0) residual_ = place_of(spec_.second.residual, buffers);
}

std::vector<int> ConvLayer::reads() const {
  std::vector<int> all = {spec_.in.buffer};
  if (spec_.second.residual.buffer >= 0) all.push_back(spec_.second.residual.buffer);
  return all;
}

std::vector<int> ConvLayer::writes() const {
  return spec_.logits ? std::vector<int>{} : std::vector<int>{spec_.out.buffer};
}

std::size_t ConvLayer::weight_bytes() const {
  std::size_t sum = 0;
  for (const PackedWeights& w : weights_) sum += w.bytes.size();
  return sum;
}

void ConvLayer::decode(int group, int block, std::int8_t* to) const {
  const PackedWeights& w = weights(group);
  (wide_in_ ? kernels_.decode16 : kernels_.decode8)(w.bits, codes(group, block), w.groups_per_block,
                                                    to);
}

void ConvLayer::fill_margin(const Worker& w, std::int64_t image, int first, int last) const {
  if (!spec_.logits) infer::fill_margin(out_buffer_, w.arena, image, first, last);
}

Finish ConvLayer::finish(int group, int block) const {
  const StageInts& c = channels_[static_cast<std::size_t>(group)];
  const int first = block * block_lanes();
  Finish f{};
  f.bias = c.bias.data() + first;
  f.right = c.right.data() + first;
  f.left = c.left_from(static_cast<std::size_t>(first));
  f.lo = static_cast<std::int32_t>(spec_.stage.lo);
  f.hi = static_cast<std::int32_t>(spec_.stage.hi);
  f.lanes = group_out_ - first;
  f.out_wide = out_.wide;
  f.zero = out_.zero;
  f.out_pixel = across_images_ ? out_.image : out_.pixel;
  const Shape& shape = spec_.out.shape;
  f.logit_pixel = across_images_ ? spec_.logits_per_image : 1;
  f.logit_channel = std::int64_t{shape.h} * shape.w;
  const SecondStage& s = spec_.second;
  if (s.stage.shifts.empty()) return f;
  f.second = true;
  const int r = s.stage.shifts[0];
  f.own_left = s.own_left;
  f.residual_left = s.residual_left;
  f.residual_zero = residual_.zero;
  f.residual_wide = residual_.wide;
  f.residual_pixel = across_images_ ? residual_.image : residual_.pixel;
  f.half2 = half_of(r);
  f.right2 = std::max(r, 0);
  f.left2 = std::max(-r, 0);
  f.lo2 = static_cast<std::int32_t>(s.stage.lo);
  f.hi2 = static_cast<std::int32_t>(s.stage.hi);
  return f;
}

Finish ConvLayer::finish_row(const Finish& block, const ConvSpot& at, const Worker& w) const {
  Finish f = block;
  const std::ptrdiff_t channel = std::ptrdiff_t{at.group} * group_out_ + at.block * block_lanes();
  if (spec_.logits) {
    f.logits = w.logits + at.image * spec_.logits_per_image + channel * f.logit_channel +
               std::int64_t{at.y} * spec_.out.shape.w;
  } else {
    f.out = out_.at(w.arena, at.image, at.y, 0) + channel * (out_.wide ? 2 : 1);
  }
  if (spec_.second.residual.buffer >= 0)
    f.residual = residual_.at(w.arena, at.image, at.y, 0) + channel * (residual_.wide ? 2 : 1);
  return f;
}

Finish from_channel(const Finish& f, int channel) {
  Finish g = f;
  g.bias += channel;
  g.right += channel;
  if (f.left != nullptr) g.left += channel;
  g.lanes -= channel;
  if (f.out != nullptr) g.out += channel * (f.out_wide ? 2 : 1);
  if (f.residual != nullptr) g.residual += channel * (f.residual_wide ? 2 : 1);
  if (f.logits != nullptr) g.logits += channel * f.logit_channel;
  return g;
}

void advance(Finish& f, int pixels) {
  if (f.out != nullptr) f.out += pixels * f.out_pixel;
  if (f.residual != nullptr) f.residual += pixels * f.residual_pixel;
  if (f.logits != nullptr) f.logits += pixels * f.logit_pixel;
}

}  // namespace nbq::infer
