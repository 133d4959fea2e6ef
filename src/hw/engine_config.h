#pragma once
#include <bit>
#include <cstdint>
#include <string>

namespace nbq::hw {

/// Which vector element the array is made of; everything else is the same RTL.
enum class PeKind : std::uint8_t {
  kSvpe = 0,  ///< shift vector element: n-bit power-of-two codes, no multiplier
  kVpe = 1,   ///< multiplier vector element: integer weights
  kVpe2 = 2,  ///< the same of two pixels, whose products share a DSP block where the family can
};
/// FPGA family whose own cells the elements are made of (rtl/xcup, rtl/ecp5). Sums are the same.
enum class ElementTarget : std::uint8_t {
  kGeneric = 0,  ///< of no family: whatever synthesis makes of it
  kXcup = 1,     ///< AMD UltraScale+
  kEcp5 = 2,     ///< Lattice ECP5
};

/// What register `id` of an engine says; another one with every change that a host must know of.
inline constexpr std::uint32_t kEngineId = 0x4E425133;  // 'NBQ3'
/// Words of any memory: addresses have 20 bits (spec/isa.def).
inline constexpr int kMaxDepth = 1 << 20;
/// The compiler rounds depths up to a multiple of this: a row of a LUT memory. Block memories are
/// built of 512 words at least (rtl/nbq_ram.sv), so that a finer step saves nothing.
inline constexpr int kDepthStep = 16;
inline constexpr int kMaxPixels = 32;
inline constexpr int kMaxImages = 64;
inline constexpr int kMaxBroadcast = 3;
inline constexpr int kMaxLanesIn = 256;
inline constexpr int kMaxOutWords = 15;  ///< lanes_out / lanes_in
/// Activations of more bits may be taken in two digits (Board::wide_digits).
inline constexpr int kNarrowActBits = 8;
/// The output stage's clamps (18 bits) and shifts ask for this much; a network may need less.
inline constexpr int kMinAccBits = 21;

/// Parameters of one engine; the RTL's top has the same ones (rtl/nbq_engine.sv).
struct EngineConfig {
  PeKind pe = PeKind::kSvpe;
  int lanes_in = 8;    ///< C: input channels reduced in one element, a power of two >= 2
  int lanes_out = 16;  ///< M: output channels at once, a multiple of lanes_in
  int pixels = 4;      ///< P: output columns at once, a power of two
  int images = 1;      ///< B: images in lockstep, each with its own array and activations
  int code_bits = 3;   ///< widest weight code, 2..5
  int mult_bits = 16;  ///< weight bits of a VPE, 2..16
  int act_bits = 8;    ///< activation bits in memory, 2..16
  /// Digits of an activation, 1 or 2 (shift elements): each is a word of its own in memory, and an
  /// activation is read, written and entered into the array in so many cycles. At most out_cycles.
  int act_digits = 1;
  int acc_bits = 32;  ///< accumulator bits, up to 48
  ElementTarget target = ElementTarget::kGeneric;
  int broadcast = 0;    ///< register stages from the control to the images, 0..3
  int out_cycles = 1;   ///< cycles of a word of C channels in the output stage, a power of two <= C
  int align_bits = 15;  ///< places that a residual sum's operands go up, at most, 0..15
  int left_bits = 15;   ///< places that a requantisation goes up, at most, 0..15
  bool max_pool = true;  ///< comparators for maximum pooling; compile() sets it if it is needed
  int axi_bits = 0;      ///< data bits of the AXI4 master, 32..512; 0: no external memory
  // Depths in words.
  int act_depth = 1024;  ///< activations of C channels a bank
  int weight_depth = 1024;
  int param_depth = 64;
  int result_depth = 16;
  int program_depth = 1024;  ///< 32-bit words

  /// Of all images together.
  int lanes() const { return lanes_in * lanes_out * pixels * images; }
  /// What register `images` holds (spec/isa.def).
  std::uint32_t images_register() const {
    const auto u = [](int v) { return static_cast<std::uint32_t>(v); };
    return log2_out_cycles() << 28 | u(max_pool) << 27 | u(act_digits - 1) << 26 |
           u(broadcast) << 24 | u(mult_bits) << 16 | u(left_bits) << 12 | u(align_bits) << 8 |
           u(images);
  }
  int digit_bits() const { return (act_bits + act_digits - 1) / act_digits; }
  /// Bits of an element's operand: a digit and a sign.
  int operand_bits() const { return digit_bits() + 1; }
  /// Words that one bank has in memory, and their bits: C digits each.
  int act_words() const { return act_depth * act_digits; }
  int act_word_bits() const { return lanes_in * digit_bits(); }
  /// Bits of one weight in the weight memory.
  int weight_bits() const { return pe == PeKind::kSvpe ? code_bits : mult_bits; }
  unsigned log2_out_cycles() const {
    return static_cast<unsigned>(std::countr_zero(static_cast<unsigned>(out_cycles)));
  }
  /// Host addresses of neighbouring images lie so far apart (spec/isa.def).
  std::uint32_t act_image_stride() const {
    return std::bit_ceil(static_cast<unsigned>(act_words())) * static_cast<unsigned>(pixels);
  }
  std::uint32_t result_image_stride() const {
    return std::bit_ceil(static_cast<unsigned>(result_depth)) * 2 * static_cast<unsigned>(lanes_in);
  }
  bool operator==(const EngineConfig&) const = default;
};

inline const char* pe_name(PeKind k) {
  return k == PeKind::kSvpe ? "svpe" : k == PeKind::kVpe ? "vpe" : "vpe2";
}

/// Cycles from a tap's operands at the array to their sum at the accumulators: pe_latency() of
/// rtl/nbq_pkg.sv.
int element_latency(const EngineConfig& config);

}  // namespace nbq::hw
