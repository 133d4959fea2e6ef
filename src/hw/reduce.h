#pragma once
#include <cstddef>
#include <cstdint>

namespace nbq::hw {

/// How operands and weights share 32-bit words, which is what vector units multiply and add at
/// once.
enum class Packing {
  kBytes,   ///< 4 unsigned operands x 4 weights of at most 2^6
  kHalves,  ///< 2 signed operands x 2 weights
};

/// Activations as stored to operands in words.
struct PackRow {
  const std::uint32_t* activations = nullptr;
  const std::int64_t* slots = nullptr;  ///< of each column; a slot is `lanes` activations
  std::int64_t first_slot = 0;          ///< added to each
  std::ptrdiff_t columns = 0;
  std::ptrdiff_t lanes = 2;  ///< C
  Packing packing = Packing::kHalves;
  int sign_bits = 32;       ///< the activations' bits if they are signed, else 32
  std::int32_t offset = 0;  ///< added to each
};
void pack(const PackRow& row, std::uint32_t* words);

/// One kernel row over one plane of C channels.
struct ReduceLine {
  const std::uint32_t* x;        ///< of output column 0, tap 0: `steps` words a column
  const std::uint32_t* weights;  ///< taps x steps x M words
};

/// What the array adds up for a row of output columns.
struct ReduceRow {
  const ReduceLine* lines = nullptr;
  std::size_t line_count = 0;
  Packing packing = Packing::kHalves;
  std::ptrdiff_t taps = 1;         ///< of a line
  std::ptrdiff_t steps = 1;        ///< words of C channels
  std::ptrdiff_t lanes_out = 2;    ///< M
  std::ptrdiff_t outputs = 2;      ///< of the M that are wanted, an even number
  std::ptrdiff_t tap_step = 1;     ///< words of x from a tap to the next
  std::ptrdiff_t columns = 1;      ///< output columns
  std::ptrdiff_t column_step = 1;  ///< words of x from a column to the next
};

/// sums[column * outputs + m]: sums of products modulo 2^32 or 2^64, as wide as the engine's
/// accumulators need. The first calls are for this processor's vector units.
void reduce(const ReduceRow& row, std::uint32_t* sums);
void reduce(const ReduceRow& row, std::uint64_t* sums);

/// The output stage where 32 bits hold everything: no left shift, residual shifts of at most
/// kMaxFinishShift. Channels of one column lie side by side.
struct FinishRow {
  std::ptrdiff_t columns = 1, outputs = 2;
  const std::int32_t* bias = nullptr;   ///< an output each
  const std::int32_t* shift = nullptr;  ///< an output each, 0..32
  int acc_bits = 32;
  std::int32_t lo = 0, hi = 0;
  const std::uint32_t* residual = nullptr;  ///< as stored, columns x outputs; or nullptr
  int residual_sign_bits = 32;              ///< the operand's bits if it is signed, else 32
  int lsh_acc = 0, lsh_res = 0, res_shift = 0;
  std::int32_t res_lo = 0, res_hi = 0;
  std::uint32_t mask = ~0u;  ///< of an activation in memory
};
inline constexpr int kMaxFinishShift = 12;

/// out[column * outputs + m], as stored, from the sums of reduce().
void finish(const FinishRow& row, const std::uint32_t* sums, std::uint32_t* out);

/// The instruction sets that a build has; the first that the processor has is taken.
struct ArrayIsa {
  const char* name;
  bool available;
  void (*pack)(const PackRow& row, std::uint32_t* words);
  void (*reduce)(const ReduceRow& row, std::uint32_t* sums);
  void (*finish)(const FinishRow& row, const std::uint32_t* sums, std::uint32_t* out);
};
const ArrayIsa* array_isas(std::size_t* count);

}  // namespace nbq::hw
