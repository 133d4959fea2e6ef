#include "hw/external_memory.h"

#include <cstring>

namespace nbq::hw {

ExternalMemory::Word ExternalMemory::read(std::uint64_t at, int bits) const {
  Word word;
  word.pieces.resize(static_cast<std::size_t>((bits + 31) / 32));
  const std::size_t size = word.pieces.size() * sizeof(std::uint32_t);
  if (at + size > bytes_.size())
    word.error = EngineError::bus;
  else
    std::memcpy(word.pieces.data(), bytes_.data() + at, size);
  return word;
}

ExternalMemory::Word ExternalMemory::next_weight() {
  Word word;
  const auto depth = static_cast<std::uint32_t>(c_.weight_depth);
  if (value(Reg::weight_ring) >= depth)
    word.error = EngineError::bad_address;
  else if (streamed_ >= value(Reg::weight_words))
    word.error = EngineError::underrun;
  if (word.error != EngineError::none) return word;
  const int bits = c_.lanes_in * c_.lanes_out * c_.weight_bits();
  word = read(address(Reg::weight_addr, Reg::weight_addr_hi) +
                  streamed_ * external_word_bytes(bits, c_.axi_bits),
              bits);
  word.place = value(Reg::weight_ring) + streamed_++ % (depth - value(Reg::weight_ring));
  return word;
}

ExternalMemory::Word ExternalMemory::image_word(std::uint32_t image, std::uint32_t index) const {
  const int bits = c_.act_word_bits();
  Word word = read(
      address(Reg::load_addr, Reg::load_addr_hi) +
          (std::uint64_t{image} * image_size() + index) * external_word_bytes(bits, c_.axi_bits),
      bits);
  word.place = value(Reg::load_slot) + index;
  if (word.place >= static_cast<std::uint32_t>(c_.act_words() * c_.pixels))
    word.error = EngineError::bad_address;
  return word;
}

EngineError ExternalMemory::store_result(std::uint32_t image, std::uint32_t index,
                                         const WordPacker& word) {
  const std::size_t stride = external_result_bytes(c_.lanes_in * c_.acc_bits, c_.axi_bits);
  const std::uint64_t at = address(Reg::store_addr, Reg::store_addr_hi) +
                           (std::uint64_t{image} * result_size() + index) * stride;
  if (at + stride > bytes_.size()) return EngineError::bus;
  std::memcpy(bytes_.data() + at, word.words().data(), word.words().size() * 4);
  return EngineError::none;
}

}  // namespace nbq::hw
