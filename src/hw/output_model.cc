#include "hw/output_model.h"

#include <algorithm>

#include "core/fixed_point.h"
#include "hw/bit_reader.h"

namespace nbq::hw {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

void OutputModel::start(const Instruction& i, const SharedMemory& shared) {
  i_ = i;
  outputs_ = i.out_words * c_.lanes_in;
  biases_ = shared.biases.data() + i.par_base * c_.lanes_in;
  shifts_ = shared.shifts.data() + i.par_base * c_.lanes_in;
  out_.set(i.out_w, i.out_bs);
  if (i.res_en != 0) res_.set(i.out_w, i.res_bs);
  residual_.resize(size(i.out_w * outputs_));
  activations_.resize(size(i.out_w * outputs_));
  const bool right = std::all_of(shifts_, shifts_ + outputs_, [](int s) { return s >= 0; });
  const bool sum = i.res_en == 0 || (i.res_rsh >= 0 && i.res_lsh_acc <= kMaxFinishShift &&
                                     i.res_lsh_res <= kMaxFinishShift);
  narrow_ = c_.acc_bits <= 32 && right && sum;
  if (narrow_) prepare_finish();
}

void OutputModel::prepare_finish() {
  constexpr int kAllGone = 32;  // what is left of 32 bits
  narrow_bias_.assign(size(outputs_), 0);
  narrow_shift_.assign(size(outputs_), 0);
  for (std::size_t m = 0; m < size(outputs_); ++m) {
    narrow_bias_[m] = static_cast<std::int32_t>(biases_[m]);
    narrow_shift_[m] = std::min(shifts_[m], kAllGone);
  }
  FinishRow f;
  f.columns = i_.out_w;
  f.outputs = outputs_;
  f.bias = narrow_bias_.data();
  f.shift = narrow_shift_.data();
  f.acc_bits = c_.acc_bits;
  f.lo = static_cast<std::int32_t>(i_.lo);
  f.hi = static_cast<std::int32_t>(i_.hi);
  f.residual = i_.res_en != 0 ? residual_.data() : nullptr;
  f.residual_sign_bits = i_.res_signed != 0 ? c_.act_bits : 32;
  f.lsh_acc = static_cast<int>(i_.res_lsh_acc);
  f.lsh_res = static_cast<int>(i_.res_lsh_res);
  f.res_shift = std::min(static_cast<int>(i_.res_rsh), kAllGone);
  f.res_lo = static_cast<std::int32_t>(i_.res_lo);
  f.res_hi = static_cast<std::int32_t>(i_.res_hi);
  f.mask = (1u << c_.act_bits) - 1;
  finish_ = f;
}

template <class Sum>
std::int64_t OutputModel::biased(const Sum* sums, std::int64_t column, std::int64_t output) const {
  const std::uint64_t sum = sums[column * outputs_ + output];
  return sign_extend(sum + static_cast<std::uint64_t>(biases_[output]), c_.acc_bits);
}

bool OutputModel::write(std::int64_t y, const std::uint32_t* sums, ImageMemory& image) {
  if (i_.out_raw != 0) return write_results(y, sums, image);
  if (i_.res_en != 0 && !read_residual(y, image)) return false;
  if (narrow_)
    finish(finish_, sums, activations_.data());
  else
    requantise_wide(sums);
  return write_activations(y, image);
}

bool OutputModel::write(std::int64_t y, const std::uint64_t* sums, ImageMemory& image) {
  if (i_.out_raw != 0) return write_results(y, sums, image);
  if (i_.res_en != 0 && !read_residual(y, image)) return false;
  requantise_wide(sums);
  return write_activations(y, image);
}

template <class Sum>
bool OutputModel::write_results(std::int64_t y, const Sum* sums, ImageMemory& image) const {
  for (std::int64_t word = 0; word < i_.out_words; ++word)
    for (std::int64_t x = 0; x < i_.out_w; ++x) {
      const std::int64_t at =
          (i_.out_base + word * i_.out_plane + y * i_.out_row + x) & (kMaxDepth - 1);
      if (at >= c_.result_depth) return false;
      for (int lane = 0; lane < c_.lanes_in; ++lane)
        image.results[size(at * c_.lanes_in + lane)] = biased(sums, x, word * c_.lanes_in + lane);
    }
  return true;
}

bool OutputModel::read_residual(std::int64_t y, const ImageMemory& image) {
  for (std::int64_t word = 0; word < i_.out_words; ++word) {
    const std::int64_t base = i_.res_base + word * i_.res_plane + y * i_.res_row;
    for (std::int64_t x = 0; x < i_.out_w; ++x) {
      const std::int64_t slot = res_.slot(base, x);
      if (slot < 0) return false;
      std::copy_n(image.activations.begin() + slot * c_.lanes_in, c_.lanes_in,
                  residual_.begin() + x * outputs_ + word * c_.lanes_in);
    }
  }
  return true;
}

template <class Sum>
void OutputModel::requantise_wide(const Sum* sums) {
  for (std::int64_t x = 0; x < i_.out_w; ++x)
    for (std::int64_t m = 0; m < outputs_; ++m) {
      std::int64_t v = requantize(biased(sums, x, m), shifts_[m], i_.lo, i_.hi);
      if (i_.res_en != 0) {
        const std::uint32_t stored = residual_[size(x * outputs_ + m)];
        const std::int64_t r =
            i_.res_signed != 0 ? sign_extend(stored, c_.act_bits) : std::int64_t{stored};
        v = requantize(
            v * (std::int64_t{1} << i_.res_lsh_acc) + r * (std::int64_t{1} << i_.res_lsh_res),
            static_cast<int>(i_.res_rsh), i_.res_lo, i_.res_hi);
      }
      activations_[size(x * outputs_ + m)] =
          static_cast<std::uint32_t>(v) & ((1u << c_.act_bits) - 1);
    }
}

bool OutputModel::write_activations(std::int64_t y, ImageMemory& image) const {
  for (std::int64_t word = 0; word < i_.out_words; ++word) {
    const std::int64_t base = i_.out_base + word * i_.out_plane + y * i_.out_row;
    for (std::int64_t x = 0; x < i_.out_w; ++x) {
      const std::int64_t slot = out_.slot(base, x);
      if (slot < 0) return false;
      std::copy_n(activations_.begin() + x * outputs_ + word * c_.lanes_in, c_.lanes_in,
                  image.activations.begin() + slot * c_.lanes_in);
    }
  }
  return true;
}

}  // namespace nbq::hw
