#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "infer/isa.h"

// What follows the sums: every row against the portable one, over random parameters.
namespace nbq::infer {
namespace {

constexpr int kChannels = 128;  // of arrays per channel: whole vectors in every row
constexpr int kMostPixels = 7;

class Rng {
 public:
  explicit Rng(std::uint32_t seed) : rng_(seed) {}
  int in(int lo, int hi) { return std::uniform_int_distribution(lo, hi)(rng_); }
  bool coin() { return in(0, 1) != 0; }
  std::vector<std::int32_t> ints(std::size_t n, int lo, int hi) {
    std::vector<std::int32_t> all(n);
    for (auto& v : all) v = in(lo, hi);
    return all;
  }
  std::vector<std::uint8_t> bytes(std::size_t n) {
    std::vector<std::uint8_t> all(n);
    for (auto& v : all) v = static_cast<std::uint8_t>(in(0, 255));
    return all;
  }

 private:
  std::mt19937 rng_;
};

/// Bounds and a zero with which every value fits what is stored.
struct Range {
  Range(Rng& rng, bool wide) {
    const int half = wide ? 32768 : 128;
    const bool is_signed = rng.coin();
    lo = is_signed ? -half : 0;
    hi = is_signed ? half - 1 : 2 * half - 1;
    zero = wide ? (is_signed ? 0 : -half) : (is_signed ? half : 0);
    if (rng.coin()) lo += rng.in(0, half / 2);
    if (rng.coin()) hi -= rng.in(0, half / 2);
  }
  std::int32_t lo, hi, zero;
};

/// The parameters of one call with all that they point at.
struct FinishCase {
  explicit FinishCase(Rng& rng)
      : bias(rng.ints(kChannels, -(1 << 29), 1 << 29)),
        right(rng.ints(kChannels, 0, 30)),
        left(rng.ints(kChannels, 0, 14)),
        acc(rng.ints(kMostPixels * kChannels, -(1 << 29), 1 << 29)) {
    for (int& v : acc) v >>= rng.in(0, 24);  // small ones, too: they are not all clamped
    for (int& v : bias) v >>= rng.in(0, 24);
    for (int& v : right) v = rng.coin() ? v : v % 8;
    block = 4 << rng.in(0, 5);
    const int out_channels = rng.coin() ? block : rng.in(1, block);
    f.lanes = out_channels;
    f.bias = bias.data();
    f.right = right.data();
    f.left = rng.coin() ? left.data() : nullptr;
    f.out_wide = rng.coin();
    const Range range(rng, f.out_wide);
    f.lo = range.lo;
    f.hi = range.hi;
    f.zero = range.zero;
    f.out_pixel = (out_channels + rng.in(0, 3)) * (f.out_wide ? 2 : 1);
    pixels = rng.in(1, kMostPixels);
    if (rng.coin()) add_second(rng, range);
    // Nothing is read or written beyond the last channel of the last pixel.
    out = rng.bytes(bytes_to_last(f.out_pixel, f.out_wide));
  }

  void add_second(Rng& rng, const Range& range) {
    f.second = true;
    f.lo = rng.in(-32768, 0);
    f.hi = rng.in(0, 32767);
    if (rng.coin()) {  // as the sum of two bytes is
      f.lo = rng.in(-128, 0);
      f.hi = rng.in(0, 255);
    }
    f.own_left = rng.in(0, 8);
    f.residual_left = rng.in(0, 8);
    const int r = rng.coin() ? rng.in(0, 20) : rng.in(-14, 20);
    f.right2 = r > 0 ? r : 0;
    f.left2 = r < 0 ? -r : 0;
    f.half2 = r > 0 ? 1 << (r - 1) : 0;
    f.lo2 = range.lo;
    f.hi2 = range.hi;
    if (rng.coin()) return;
    f.residual_wide = rng.in(0, 3) == 0;
    f.residual_zero = f.residual_wide ? -32768 : rng.coin() ? 128 : 0;
    f.residual_pixel = (f.lanes + rng.in(0, 2)) * (f.residual_wide ? 2 : 1);
    residual = rng.bytes(bytes_to_last(f.residual_pixel, f.residual_wide));
    f.residual = residual.data();
  }
  std::size_t bytes_to_last(std::ptrdiff_t pixel, bool wide) const {
    return static_cast<std::size_t>((pixels - 1) * pixel + f.lanes * (wide ? 2 : 1));
  }

  Finish f{};
  int block, pixels;  ///< channels and pixels of the sums
  std::vector<std::int32_t> bias, right, left, acc;
  std::vector<std::uint8_t> residual, out;
};

struct MapCase {
  explicit MapCase(Rng& rng)
      : keep(rng.ints(kChannels, -1, 0)),
        negate(rng.ints(kChannels, -1, 0)),
        bias(rng.ints(kChannels, -(1 << 20), 1 << 20)),
        right(rng.ints(kChannels, 0, 12)),
        left(rng.ints(kChannels, 0, 14)) {
    l.channels = rng.in(1, kChannels);
    l.pixels = rng.in(1, kMostPixels);
    const int operands = rng.in(1, 2);
    for (int i = 0; i < operands; ++i) {
      auto& o = l.operand[i];
      o.wide = rng.coin();
      o.pixel = (l.channels + rng.in(0, 3)) * (o.wide ? 2 : 1);
      in[i] = rng.bytes(bytes_to_last(o.pixel, o.wide));
      in_left[i] = rng.ints(kChannels, 0, 10);
      o.in = in[i].data();
      o.left = in_left[i].data();
    }
    l.keep = rng.coin() ? keep.data() : nullptr;
    l.negate = negate.data();
    l.bias = bias.data();
    l.right = right.data();
    l.left = left.data();
    l.out_wide = rng.coin();
    const Range range(rng, l.out_wide);
    l.lo = range.lo;
    l.hi = range.hi;
    l.zero = range.zero;
    l.out_pixel = (l.channels + rng.in(0, 3)) * (l.out_wide ? 2 : 1);
    out = rng.bytes(bytes_to_last(l.out_pixel, l.out_wide));
  }
  std::size_t bytes_to_last(std::ptrdiff_t pixel, bool wide) const {
    return static_cast<std::size_t>((l.pixels - 1) * pixel + l.channels * (wide ? 2 : 1));
  }

  MapLine l{};
  std::vector<std::int32_t> keep, negate, bias, right, left, in_left[2];
  std::vector<std::uint8_t> in[2], out;
};

KernelSet portable() { return make_kernels(**choose_isa("portable")); }

std::vector<const IsaRow*> available_rows() {
  std::vector<const IsaRow*> rows;
  for (const IsaRow& row : isa_rows())
    if (row.available) rows.push_back(&row);
  return rows;
}

std::vector<std::uint8_t> finished(const KernelSet& k, const FinishCase& c) {
  Finish f = c.f;
  std::vector<std::uint8_t> out = c.out;
  f.out = out.data();
  // Whole vectors, of which the last one may have lanes that are no channels.
  const int block = std::max(c.block, k.lanes);
  std::vector<std::int32_t> acc(static_cast<std::size_t>(c.pixels * block), -1);
  for (int p = 0; p < c.pixels; ++p)
    std::copy_n(c.acc.begin() + p * c.block, c.block, acc.begin() + p * block);
  k.finish(f, acc.data(), c.pixels, block / k.lanes);
  return out;
}

TEST(Finish, IsWhatThePortableOneGives) {
  for (std::uint32_t seed = 0; seed < 10000; ++seed) {
    Rng rng(seed);
    const FinishCase c(rng);
    const auto want = finished(portable(), c);
    for (const IsaRow* row : available_rows())
      ASSERT_EQ(finished(make_kernels(*row), c), want) << row->name << ", seed " << seed;
  }
}

TEST(Finish, LogitsGoOutAsTheyAre) {
  for (const IsaRow* row : available_rows()) {
    Rng rng(1);
    FinishCase c(rng);
    while (c.block < make_kernels(*row).lanes) c = FinishCase(rng);
    std::vector<std::int64_t> logits(static_cast<std::size_t>(c.pixels * c.f.lanes), -1);
    Finish f = c.f;
    f.logits = logits.data();
    f.logit_pixel = 1;
    f.logit_channel = c.pixels;
    const KernelSet k = make_kernels(*row);
    k.finish(f, c.acc.data(), c.pixels, c.block / k.lanes);
    for (int p = 0; p < c.pixels; ++p)
      for (int i = 0; i < f.lanes; ++i)
        ASSERT_EQ(
            logits[static_cast<std::size_t>(i * c.pixels + p)],
            c.acc[static_cast<std::size_t>(p * c.block + i)] + c.bias[static_cast<std::size_t>(i)])
            << row->name;
  }
}

std::vector<std::uint8_t> mapped(const KernelSet& k, const MapCase& c) {
  MapLine l = c.l;
  std::vector<std::uint8_t> out = c.out;
  l.out = out.data();
  k.map(l);
  return out;
}

TEST(Map, IsWhatThePortableOneGives) {
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    Rng rng(seed);
    const MapCase c(rng);
    const auto want = mapped(portable(), c);
    for (const IsaRow* row : available_rows())
      ASSERT_EQ(mapped(make_kernels(*row), c), want) << row->name << ", seed " << seed;
  }
}

}  // namespace
}  // namespace nbq::infer
