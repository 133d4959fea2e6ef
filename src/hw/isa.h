#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "core/result.h"

namespace nbq::hw {

/// 32-bit words of one instruction.
inline constexpr int kInstrWords = 16;

/// One instruction of spec/isa.def, a member per field. encode() checks every member's range.
struct Instruction {
#define NBQ_FIELD(name, bits, sign, meaning) std::int64_t name = 0;
#include "isa.def"
  bool operator==(const Instruction&) const = default;
};

enum class Opcode : std::uint32_t {
#define NBQ_OPCODE(name, value, meaning) name = value,
#include "isa.def"
};

/// Host registers.
enum class Reg : std::uint32_t {
#define NBQ_REG(name, index, access, meaning) name = index,
#include "isa.def"
};

/// Memories behind the stream registers.
enum class Mem : std::uint32_t {
#define NBQ_MEM(name, index, meaning) name = index,
#include "isa.def"
};

enum class EngineError : std::uint32_t {
#define NBQ_ERROR(name, value, meaning) name = value,
#include "isa.def"
};

/// What the error code means; "unknown error N" for a code that spec/isa.def does not have.
std::string describe(EngineError error);

using EncodedInstruction = std::array<std::uint32_t, kInstrWords>;

/// Error kInvalidArgument: a member exceeds its field (names the field, the value and the range).
Result<EncodedInstruction> encode(const Instruction& instruction);
/// Inverse of encode(); bits beyond the fields are ignored.
Instruction decode(const EncodedInstruction& words);

/// Bits of all fields together.
inline constexpr int kInstrBits = 0
#define NBQ_FIELD(name, bits, sign, meaning) +(bits)
#include "isa.def"
    ;
static_assert(kInstrBits <= 32 * kInstrWords);

}  // namespace nbq::hw
