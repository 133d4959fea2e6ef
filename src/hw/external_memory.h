#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "hw/device.h"
#include "hw/host_words.h"
#include "hw/isa.h"

namespace nbq::hw {

/// The engine's AXI masters without time, for models: their registers, and what they move.
class ExternalMemory {
 public:
  explicit ExternalMemory(const EngineConfig& config) : c_(config) {}

  /// Keeps the value when the register is one of the masters'.
  void write(Reg reg, std::uint32_t value) { registers_[reg] = value; }
  DeviceMemory memory(std::size_t bytes) {
    if (bytes_.size() < bytes) bytes_.resize(bytes);
    return {bytes_, 0};
  }
  /// A program starts: the weight stream begins.
  void start() { streamed_ = 0; }
  std::int64_t ring_size() const { return c_.weight_depth - std::int64_t{value(Reg::weight_ring)}; }

  /// A word as 32-bit pieces, or the error that reading it ends with.
  struct Word {
    std::vector<std::uint32_t> pieces;
    EngineError error = EngineError::none;
    std::uint32_t place = 0;  ///< where it goes: weight word, activation word * P + bank
  };
  Word next_weight();
  std::uint32_t image_size() const { return value(Reg::load_words); }
  Word image_word(std::uint32_t image, std::uint32_t index) const;
  std::uint32_t result_size() const { return value(Reg::store_words); }
  EngineError store_result(std::uint32_t image, std::uint32_t index, const WordPacker& word);

 private:
  std::uint32_t value(Reg reg) const {
    const auto at = registers_.find(reg);
    return at == registers_.end() ? 0 : at->second;
  }
  std::uint64_t address(Reg low, Reg high) const {
    return std::uint64_t{value(high)} << 32 | value(low);
  }
  Word read(std::uint64_t at, int bits) const;

  EngineConfig c_;
  std::vector<std::uint8_t> bytes_;
  std::map<Reg, std::uint32_t> registers_;
  std::uint32_t streamed_ = 0;
};

}  // namespace nbq::hw
