#pragma once
#include "infer/kernels/finish_impl.h"

// KernelSet::map, for a type I as in finish_impl.h.
namespace nbq::infer {
namespace {

/// An operand, and where its next pixel is.
template <class I>
struct MapOperand {
  const std::uint8_t* in;
  std::ptrdiff_t pixel;
  bool wide;
  typename I::V left;

  MapOperand(const MapLine::Operand& o, int channel)
      : in(o.in + channel * (o.wide ? 2 : 1)),
        pixel(o.pixel),
        wide(o.wide),
        left(I::load(o.left + channel)) {}
  typename I::V next(int lanes) {
    const auto v = wide ? I::load_words(in, lanes) : I::load_bytes(in, lanes);
    in += pixel;
    return I::shift_left(v, left);
  }
};

template <class I, bool kTwo, bool kWeights, bool kLeft>
void map_line(const MapLine& l) {
  const auto lo = I::set(l.lo), hi = I::set(l.hi), zero = I::set(l.zero);
  const std::ptrdiff_t out_pixel = l.out_pixel;
  const int channels = l.channels, pixels = l.pixels;
  const bool wide = l.out_wide;
  for (int c = 0; c < channels; c += I::kLanes) {
    const int lanes = channels - c < I::kLanes ? channels - c : I::kLanes;
    const auto bias = I::load(l.bias + c), right = I::load(l.right + c);
    const auto left = kLeft ? I::load(l.left + c) : bias;
    const auto keep = kWeights ? I::load(l.keep + c) : bias;
    const auto negate = kWeights ? I::load(l.negate + c) : bias;
    MapOperand<I> first(l.operand[0], c), second(l.operand[kTwo ? 1 : 0], c);
    std::uint8_t* out = l.out + c * (wide ? 2 : 1);
    for (int p = 0; p < pixels; ++p, out += out_pixel) {
      auto v = first.next(lanes);
      if constexpr (kWeights) v = I::sub(I::bits_xor(I::bits_and(v, keep), negate), negate);
      if constexpr (kTwo) v = I::add(v, second.next(lanes));
      v = I::shift_right(I::add(v, bias), right);
      if constexpr (kLeft) v = I::shift_left(clamp<I>(v, -kBeforeLeft, kBeforeLeft), left);
      v = I::add(I::min(I::max(v, lo), hi), zero);
      wide ? I::store_words(out, v, lanes) : I::store_bytes(out, v, lanes);
    }
  }
}

template <class I>
void map(const MapLine& l) {
  using Fn = void (*)(const MapLine&);
  static constexpr Fn kFns[8] = {map_line<I, false, false, false>, map_line<I, false, false, true>,
                                 map_line<I, false, true, false>,  map_line<I, false, true, true>,
                                 map_line<I, true, false, false>,  map_line<I, true, false, true>,
                                 map_line<I, true, true, false>,   map_line<I, true, true, true>};
  kFns[(l.operand[1].in != nullptr ? 4 : 0) + (l.keep != nullptr ? 2 : 0) +
       (l.left != nullptr ? 1 : 0)](l);
}

}  // namespace
}  // namespace nbq::infer
