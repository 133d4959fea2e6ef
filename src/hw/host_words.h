#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "hw/compile.h"
#include "hw/word_packer.h"

namespace nbq::hw {

// A program's data as words of the engine's memories, for whoever fills these: the host port, the
// external memory of an engine with an AXI bus, memory initialisation files.

/// One weight word of `config.weight_bits()` a weight; weights: M*C.
WordPacker weight_word(const EngineConfig& config, std::span<const std::int16_t> weights);

/// One parameter word; params: of a slice, C / OutCycles channels.
WordPacker param_word(const EngineConfig& config, std::span<const Program::Param> params);

/// The activation words of one image, in the order of their addresses from `image_slot` on: word by
/// word, the low digits before the high ones if activations have two, bank by bank. pixels:
/// channels x height x width.
std::vector<WordPacker> image_words(const Program& program, std::span<const std::uint8_t> pixels);
std::int64_t image_word_count(const Program& program);
/// Where the first of them goes, within an image's activations.
std::int64_t image_slot(const Program& program);

/// Bytes that a word of `bits` takes in external memory: whole beats.
inline std::size_t external_word_bytes(int bits, int axi_bits) {
  return static_cast<std::size_t>((bits + axi_bits - 1) / axi_bits * axi_bits / 8);
}
/// ... and a result word: a power of two of beats.
inline std::size_t external_result_bytes(int bits, int axi_bits) {
  std::size_t bytes = static_cast<std::size_t>(axi_bits / 8);
  while (bytes * 8 < static_cast<std::size_t>(bits)) bytes *= 2;
  return bytes;
}

}  // namespace nbq::hw
