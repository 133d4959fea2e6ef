#pragma once
#include <vector>

#include "hw/engine_config.h"
#include "hw/reduce.h"

// The engine's memories as the program model keeps them.
namespace nbq::hw {

/// Operands in 32-bit words: bytes if the engine's widths allow that, else halves.
struct OperandFormat {
  explicit OperandFormat(const EngineConfig& c);

  Packing packing;
  int per_word;  ///< operands or weights
  int steps;     ///< words of C channels
  /// Added to an activation to make it an operand that the packing holds.
  std::int32_t offset(bool is_signed) const;
  /// An operand as it is put into its place in a word, and out again.
  std::uint32_t put(std::int32_t operand, int lane) const;
  std::int32_t get(const std::uint32_t* words, int lane) const;

 private:
  int act_bits_;
};

/// What does not depend on the image.
struct SharedMemory {
  explicit SharedMemory(const EngineConfig& c);
  void set_weight(std::size_t word, int output, int input, std::int32_t value);

  EngineConfig config;
  OperandFormat format;
  std::vector<std::uint32_t> weights;  ///< a word: steps x M, packed
  std::vector<std::int64_t> biases;    ///< C a word
  std::vector<int> shifts;
};

struct ImageMemory {
  explicit ImageMemory(const EngineConfig& c);

  std::vector<std::uint32_t> activations;  ///< as stored; C a word; word * P + bank
  std::vector<std::int64_t> results;       ///< C a word
};

/// A row of a banked tensor (spec/isa.def, "Activation layout").
class RowPlace {
 public:
  explicit RowPlace(const EngineConfig& c) : pixels_(c.pixels), depth_(c.act_depth) {}
  void set(std::int64_t columns, std::int64_t bank_shift);
  /// Slots in a row at word 0, and the last word among the first `columns`.
  const std::int64_t* slots() const { return slots_.data(); }
  std::int64_t last_word(std::int64_t columns) const;
  /// Word * P + bank of column x in the row that begins at word `base`; -1 beyond the memory.
  std::int64_t slot(std::int64_t base, std::int64_t x) const {
    const std::int64_t first = base & (kMaxDepth - 1);
    const std::int64_t at = slots_[static_cast<std::size_t>(x)];
    return first + at / pixels_ < depth_ ? first * pixels_ + at : -1;
  }

 private:
  std::int64_t pixels_, depth_;
  std::int64_t bank_shift_ = -1;
  std::vector<std::int64_t> slots_;  ///< of columns, in a row at word 0
};

}  // namespace nbq::hw
