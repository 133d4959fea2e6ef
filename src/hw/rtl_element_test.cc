// Vector elements of every kind and family: exactly the sums of products, through Verilator.
#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "core/po2_code.h"
#include "hw/rtl_cell.h"

namespace nbq::hw {
namespace {

struct ElementCase {
  int kind, target, lanes, pixels, x_bits, code_bits, mult_bits, acc_bits, up_bits = 0;
  int weight_bits() const { return kind == 0 ? code_bits : mult_bits; }
  std::string name() const {
    return fmt::format("kind{}_target{}_lanes{}_pixels{}_x{}_w{}_acc{}_up{}", kind, target, lanes,
                       pixels, x_bits, weight_bits(), acc_bits, up_bits);
  }
};

/// Elements that take a tap a cycle; compares every sum that leaves it.
class Stream {
 public:
  explicit Stream(const ElementCase& c)
      : c_(c),
        cell_("nbq_cell_elements", {{"PeKind", c.kind},
                                    {"Target", c.target},
                                    {"Lanes", c.lanes},
                                    {"Pixels", c.pixels},
                                    {"XBits", c.x_bits},
                                    {"CodeBits", c.code_bits},
                                    {"MultBits", c.mult_bits},
                                    {"UpBits", c.up_bits},
                                    {"AccBits", c.acc_bits}}) {}
  const RtlCell& cell() const { return cell_; }

  void lane(int lane, std::int64_t weight, std::int64_t first_x, std::int64_t last_x) {
    cell_.put(lane * c_.x_bits, c_.x_bits, first_x);
    if (c_.pixels > 1)
      cell_.put(((c_.pixels - 1) * c_.lanes + lane) * c_.x_bits, c_.x_bits, last_x);
    cell_.put(288 + lane * c_.weight_bits(), c_.weight_bits(), weight);
    first_ += product(weight, first_x);
    last_ += product(weight, c_.pixels > 1 ? last_x : first_x);
  }
  /// One cycle; `false` as `valid` leaves the tap out of the sum. up: the sum goes up before it.
  void step(bool valid, bool last, bool clear = false, bool up = false) {
    cell_.put(508, 1, static_cast<int>(up));
    cell_.put(509, 1, static_cast<int>(valid));
    cell_.put(510, 1, static_cast<int>(last));
    cell_.put(511, 1, static_cast<int>(clear));
    if (valid && up)
      for (std::int64_t& a : acc_)
        a = static_cast<std::int64_t>(static_cast<std::uint64_t>(a) << c_.up_bits);
    if (valid) {
      acc_[0] += first_;
      acc_[1] += last_;
    }
    if (valid && last) {
      sums_.push_back(acc_);
      acc_ = {};
    }
    if (clear) {
      acc_ = {};
      sums_.clear();
    }
    const auto out = static_cast<std::uint64_t>(cell_.run(1));
    if (out >> 63 != 0) compare(out);
    cell_.clear();
    first_ = last_ = 0;
  }
  void finish() {
    for (int i = 0; i < 64 && !sums_.empty(); ++i) step(false, false);
    EXPECT_TRUE(sums_.empty()) << sums_.size() << " sums did not come";
  }

 private:
  std::int64_t product(std::int64_t weight, std::int64_t x) const {
    if (c_.kind != 0) return weight * x;
    return shift_mul(Po2Format{c_.code_bits}, static_cast<std::int32_t>(x),
                     Po2Code{static_cast<std::uint8_t>(weight)});
  }
  void compare(std::uint64_t out) {
    ASSERT_FALSE(sums_.empty());
    const std::uint64_t mask = (std::uint64_t{1} << c_.acc_bits) - 1;
    ASSERT_EQ(out & 0x7fffffffU, static_cast<std::uint64_t>(sums_.front()[0]) & mask);
    ASSERT_EQ(out >> 31 & 0x7fffffffU, static_cast<std::uint64_t>(sums_.front()[1]) & mask);
    sums_.pop_front();
  }

  ElementCase c_;
  RtlCell cell_;
  std::int64_t first_ = 0, last_ = 0;
  std::array<std::int64_t, 2> acc_{};
  std::deque<std::array<std::int64_t, 2>> sums_;
};

class ElementTest : public testing::TestWithParam<ElementCase> {};

TEST_P(ElementTest, EveryCodeAndActivationInEveryLane) {
  const ElementCase c = GetParam();
  if (c.kind != 0) GTEST_SKIP() << "for shift elements";
  Stream stream(c);
  NBQ_NEEDS_CELL(stream.cell());
  const std::int32_t low = -(1 << (c.x_bits - 1)), high = -low - 1;
  const std::int32_t step = c.x_bits <= 9 ? 1 : 509;
  for (int lane = 0; lane < c.lanes; ++lane)
    for (int code = 0; code < 1 << c.code_bits; ++code)
      for (std::int32_t x = low; x <= high; x += step) {
        SCOPED_TRACE(fmt::format("lane {} code {} x {}", lane, code, x));
        stream.lane(lane, code, x, high - (x - low));
        stream.step(true, true);
        if (HasFatalFailure()) return;
      }
  stream.finish();
}

TEST_P(ElementTest, RandomSumsWithGapsAndClears) {
  const ElementCase c = GetParam();
  Stream stream(c);
  NBQ_NEEDS_CELL(stream.cell());
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 rng(seed);
  const auto below = [&](std::uint32_t n) { return static_cast<std::int64_t>(rng() % n); };
  // Two products a DSP are for operands that come from one bit less, signed or not.
  const bool narrow = c.kind == 2;
  const std::int64_t half = std::int64_t{1} << (c.x_bits - 1);
  const std::int64_t low = narrow ? -half / 2 : -half, high = half - 1;
  const auto operand = [&](std::int64_t extreme) {
    if (extreme < 2) return extreme == 0 ? low : high;
    return low + below(static_cast<std::uint32_t>(high - low + 1));
  };
  const std::int64_t codes = std::int64_t{1} << c.weight_bits();
  for (int tap = 0; tap < 8000; ++tap) {
    const std::int64_t extreme = below(4), heavy = below(4);
    for (int lane = 0; lane < c.lanes; ++lane) {
      std::int64_t w = below(static_cast<std::uint32_t>(codes));
      if (c.kind == 0 && heavy == 0) w = codes - 1;  // the largest, negative
      if (c.kind != 0) w = heavy == 0 ? -codes / 2 : w - codes / 2;
      stream.lane(lane, w, operand(extreme), operand(below(4)));
    }
    const bool up = c.up_bits > 0 && below(4) == 0;
    stream.step(below(8) != 0, below(3) == 0, below(200) == 0, up);
    if (HasFatalFailure()) return;
  }
  stream.finish();
}

INSTANTIATE_TEST_SUITE_P(
    Shaped, ElementTest,
    testing::Values(
        ElementCase{0, 0, 4, 2, 9, 3, 16, 24}, ElementCase{0, 1, 2, 1, 9, 3, 16, 24},
        ElementCase{0, 1, 8, 1, 9, 3, 16, 24}, ElementCase{0, 1, 16, 1, 17, 3, 16, 31},
        ElementCase{0, 1, 4, 1, 9, 2, 16, 22}, ElementCase{0, 1, 8, 2, 9, 4, 16, 30},
        ElementCase{0, 2, 2, 1, 9, 3, 16, 24}, ElementCase{0, 2, 8, 2, 9, 3, 16, 25},
        ElementCase{0, 2, 16, 1, 17, 3, 16, 31}, ElementCase{0, 2, 4, 1, 9, 4, 16, 24},
        // A deep tree, and an accumulator narrower than the sum.
        ElementCase{0, 2, 32, 1, 9, 3, 16, 24}, ElementCase{0, 2, 16, 1, 17, 3, 16, 21},
        ElementCase{1, 1, 4, 2, 17, 3, 16, 31}, ElementCase{1, 1, 8, 1, 9, 3, 16, 30},
        ElementCase{1, 2, 4, 2, 17, 3, 16, 31}, ElementCase{1, 2, 2, 1, 9, 3, 16, 30},
        ElementCase{2, 1, 2, 2, 9, 3, 8, 24}, ElementCase{2, 1, 16, 2, 9, 3, 8, 28},
        ElementCase{2, 2, 4, 2, 9, 3, 8, 28}, ElementCase{2, 0, 4, 2, 9, 3, 8, 28},
        ElementCase{0, 0, 4, 2, 9, 3, 16, 29, 8}, ElementCase{0, 1, 8, 1, 9, 3, 16, 30, 8},
        ElementCase{0, 1, 4, 1, 6, 4, 16, 26, 5}, ElementCase{0, 2, 2, 1, 9, 3, 16, 28, 8},
        ElementCase{0, 2, 4, 2, 6, 3, 16, 27, 5}, ElementCase{0, 2, 16, 1, 9, 3, 16, 30, 8},
        ElementCase{0, 2, 8, 2, 9, 3, 16, 30, 8}, ElementCase{0, 2, 8, 2, 8, 3, 16, 24}),
    [](const auto& p) { return p.param.name(); });

}  // namespace
}  // namespace nbq::hw
