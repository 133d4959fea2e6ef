#include "hw/isa.h"

namespace nbq::hw {
namespace {

enum class Sign { u, s };

constexpr std::int64_t lowest(int bits, Sign sign) {
  return sign == Sign::s ? -(std::int64_t{1} << (bits - 1)) : 0;
}
constexpr std::int64_t highest(int bits, Sign sign) {
  return (std::int64_t{1} << (sign == Sign::s ? bits - 1 : bits)) - 1;
}

void put(EncodedInstruction& words, int low, int bits, std::int64_t value) {
  for (int i = 0; i < bits; ++i) {
    const std::uint32_t bit = static_cast<std::uint32_t>(value >> i) & 1U;
    words[static_cast<std::size_t>((low + i) / 32)] |= bit << ((low + i) % 32);
  }
}

std::int64_t get(const EncodedInstruction& words, int low, int bits, Sign sign) {
  std::int64_t value = 0;
  for (int i = 0; i < bits; ++i) {
    const std::uint32_t word = words[static_cast<std::size_t>((low + i) / 32)];
    value |= std::int64_t{(word >> ((low + i) % 32)) & 1U} << i;
  }
  const bool negative = sign == Sign::s && ((value >> (bits - 1)) & 1) != 0;
  return negative ? value - (std::int64_t{1} << bits) : value;
}

}  // namespace

std::string describe(EngineError error) {
  switch (error) {
#define NBQ_ERROR(name, value, meaning) \
  case EngineError::name:               \
    return meaning;
#include "isa.def"
  }
  return fmt::format("unknown error {}", static_cast<std::uint32_t>(error));
}

Result<EncodedInstruction> encode(const Instruction& instruction) {
  EncodedInstruction words{};
  int low = 0;
#define NBQ_FIELD(name, bits, sign, meaning)                                                       \
  if (instruction.name < lowest(bits, Sign::sign) || instruction.name > highest(bits, Sign::sign)) \
    return make_error(ErrorCode::kInvalidArgument,                                                 \
                      "instruction field " #name " = {}: must be {}..{}", instruction.name,        \
                      lowest(bits, Sign::sign), highest(bits, Sign::sign));                        \
  put(words, low, bits, instruction.name);                                                         \
  low += bits;
#include "isa.def"
  return words;
}

Instruction decode(const EncodedInstruction& words) {
  Instruction instruction;
  int low = 0;
#define NBQ_FIELD(name, bits, sign, meaning)            \
  instruction.name = get(words, low, bits, Sign::sign); \
  low += bits;
#include "isa.def"
  return instruction;
}

}  // namespace nbq::hw
