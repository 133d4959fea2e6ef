#pragma once
#include "infer/kernels/finish_impl.h"

// KernelSet::map, for a type I as in finish_impl.h.
namespace nbq::infer {
namespace {

template <class I>
typename I::V load_operand(const MapLine::Operand& o, int pixel, int channel, int lanes,
                           typename I::V left) {
  const std::uint8_t* p = o.in + pixel * o.pixel + channel * (o.wide ? 2 : 1);
  return I::shift_left(o.wide ? I::load_words(p, lanes) : I::load_bytes(p, lanes), left);
}

/// `l` is a copy, see finish_tile().
template <class I, bool kTwo, bool kWeights>
void map_line(const MapLine l) {
  const auto lo = I::set(l.lo), hi = I::set(l.hi), zero = I::set(l.zero);
  for (int c = 0; c < l.channels; c += I::kLanes) {
    const int lanes = l.channels - c < I::kLanes ? l.channels - c : I::kLanes;
    const auto bias = I::load(l.bias + c);
    const auto right = I::load(l.right + c);
    const auto left = I::load(l.left + c);
    const auto left0 = I::load(l.operand[0].left + c);
    [[maybe_unused]] const auto left1 = kTwo ? I::load(l.operand[1].left + c) : left0;
    [[maybe_unused]] const auto keep = kWeights ? I::load(l.keep + c) : bias;
    [[maybe_unused]] const auto negate = kWeights ? I::load(l.negate + c) : bias;
    for (int p = 0; p < l.pixels; ++p) {
      auto v = load_operand<I>(l.operand[0], p, c, lanes, left0);
      if constexpr (kWeights) v = I::sub(I::bits_xor(I::bits_and(v, keep), negate), negate);
      if constexpr (kTwo) v = I::add(v, load_operand<I>(l.operand[1], p, c, lanes, left1));
      v = I::shift_right(I::add(v, bias), right);
      v = I::shift_left(clamp<I>(v, -kBeforeLeft, kBeforeLeft), left);
      v = I::add(I::min(I::max(v, lo), hi), zero);
      std::uint8_t* out = l.out + p * l.out_pixel + c * (l.out_wide ? 2 : 1);
      l.out_wide ? I::store_words(out, v, lanes) : I::store_bytes(out, v, lanes);
    }
  }
}

template <class I>
void map(const MapLine& l) {
  const bool two = l.operand[1].in != nullptr;
  if (l.keep != nullptr) {
    two ? map_line<I, true, true>(l) : map_line<I, false, true>(l);
  } else {
    two ? map_line<I, true, false>(l) : map_line<I, false, false>(l);
  }
}

}  // namespace
}  // namespace nbq::infer
