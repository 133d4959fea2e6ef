#include "hw/array_memory.h"

#include <algorithm>
#include <bit>

namespace nbq::hw {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

OperandFormat::OperandFormat(const EngineConfig& c) : act_bits_(c.act_bits) {
  const bool small_weights = c.pe == PeKind::kSvpe && c.code_bits <= 4;  // 2^6 at most
  const bool bytes = small_weights && c.act_bits <= 8 && c.acc_bits <= 32 && c.lanes_in % 4 == 0;
  packing = bytes ? Packing::kBytes : Packing::kHalves;
  per_word = bytes ? 4 : 2;
  steps = c.lanes_in / per_word;
}

std::int32_t OperandFormat::offset(bool is_signed) const {
  if (packing == Packing::kBytes) return is_signed ? 128 : 0;
  return is_signed || act_bits_ < 16 ? 0 : -(1 << 15);
}

std::uint32_t OperandFormat::put(std::int32_t operand, int lane) const {
  const int bits = 32 / per_word;
  const std::uint32_t mask = (1u << bits) - 1;
  return (static_cast<std::uint32_t>(operand) & mask) << (lane % per_word * bits);
}

std::int32_t OperandFormat::get(const std::uint32_t* words, int lane) const {
  const int bits = 32 / per_word;
  const std::uint32_t there = words[lane / per_word] >> (lane % per_word * bits);
  return packing == Packing::kBytes
             ? static_cast<std::int32_t>(there & 255)
             : static_cast<std::int32_t>(static_cast<std::int16_t>(there & 0xffff));
}

SharedMemory::SharedMemory(const EngineConfig& c)
    : config(c),
      format(c),
      weights(size(c.weight_depth) * size(format.steps * c.lanes_out)),
      biases(size(c.param_depth) * size(c.lanes_in)),
      shifts(biases.size()) {}

void SharedMemory::set_weight(std::size_t word, int output, int input, std::int32_t value) {
  const auto step = size(input / format.per_word);
  std::uint32_t& w =
      weights[(word * size(format.steps) + step) * size(config.lanes_out) + size(output)];
  w = (w & ~format.put(-1, input)) | format.put(value, input);
}

ImageMemory::ImageMemory(const EngineConfig& c)
    : activations(size(c.act_depth) * size(c.pixels * c.lanes_in)),
      results(size(c.result_depth) * size(c.lanes_in)) {}

void RowPlace::set(std::int64_t columns, std::int64_t bank_shift) {
  if (bank_shift != bank_shift_) slots_.clear();
  bank_shift_ = bank_shift;
  const int p_log2 = std::countr_zero(static_cast<std::uint64_t>(pixels_));
  for (auto x = static_cast<std::int64_t>(slots_.size()); x < columns; ++x) {
    const std::int64_t low = x & ((std::int64_t{1} << bank_shift) - 1);
    const std::int64_t word = ((x >> (bank_shift + p_log2)) << bank_shift) | low;
    slots_.push_back(word * pixels_ + ((x >> bank_shift) & (pixels_ - 1)));
  }
}

std::int64_t RowPlace::last_word(std::int64_t columns) const {
  const auto end = slots_.begin() + columns;
  return columns == 0 ? 0 : *std::max_element(slots_.begin(), end) / pixels_;
}

}  // namespace nbq::hw
