#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "hw/isa.h"

namespace nbq::hw {

/// The weights of a program before they have a place: blocks of whole weight words, equal ones
/// once, and the instructions that read them.
class WeightBlocks {
 public:
  /// words_size: weights a word, M*C.
  explicit WeightBlocks(std::size_t word_size) : word_size_(word_size) {}

  /// `instruction` (its index) reads `weights`, whole words, from its wgt_base on.
  void add(int instruction, std::vector<std::int16_t> weights);
  /// The same of a sketch, whose weights nobody asks for: equal to no other block.
  void add_sketch(int instruction, std::int64_t words);

  struct Use {
    int instruction, block;
  };
  const std::vector<Use>& uses() const { return uses_; }  ///< in program order
  int count() const { return static_cast<int>(blocks_.size()); }
  /// Empty in a sketch.
  const std::vector<std::int16_t>& weights(int b) const {
    return blocks_[static_cast<std::size_t>(b)].weights;
  }
  std::int64_t words(int b) const { return blocks_[static_cast<std::size_t>(b)].words; }

 private:
  struct Block {
    std::vector<std::int16_t> weights;
    std::int64_t words;
  };
  std::size_t word_size_;
  std::vector<Block> blocks_;
  std::unordered_multimap<std::uint64_t, int> known_;  ///< hash to block
  std::vector<Use> uses_;
};

/// Where a program's weights lie.
struct WeightPlan {
  std::vector<std::int16_t> resident;  ///< from word 0 on, loaded once
  std::vector<std::int16_t> stream;    ///< in the order of use, through the ring
  std::int64_t stream_words = 0;       ///< of it, also in a sketch
  std::int64_t ring = 0;               ///< first word of the ring; it ends with the memory
  std::int64_t depth = 0;              ///< words of weight memory in use, ring included
};

/// Gives every block a place and sets wgt_base and wgt_words of the instructions. What fits into
/// `depth` words stays there. Else, when `may_stream`, the ring takes two of the largest blocks, so
/// that one can arrive while the other is in use, and the rest of the memory keeps the blocks whose
/// words are used the fewest times in a run: those are the ones that the bus can't keep up with.
/// Errors kUnsupported: it can't be; names the layer, by `layer_of` an instruction, and the
/// numbers.
Result<WeightPlan> plan_weights(const WeightBlocks& blocks, std::vector<Instruction>& instructions,
                                std::int64_t depth, bool may_stream,
                                const std::function<std::string(int)>& layer_of);

}  // namespace nbq::hw
