#pragma once
#include <vector>

#include "hw/engine_config.h"
#include "model/graph.h"

namespace nbq::hw {

/// Where a tensor lies in the activation memory (spec/isa.def, "Activation layout").
struct TensorPlace {
  Shape shape;
  bool is_signed = true;
  int bank_shift = 0;  ///< bs: log2 of the power of two in its readers' column stride
  int base = 0;        ///< first word, the same in every bank
  int planes = 0;      ///< ceil(c / C)
  int row = 0;         ///< words of one map row in one bank

  int plane() const { return shape.h * row; }
  int words() const { return planes * plane(); }
  /// Bank and word (within the bank) of channel plane p, row y, column x.
  int bank(int x, int pixels) const { return (x >> bank_shift) & (pixels - 1); }
  int word(int p, int y, int x, int pixels) const;
};

TensorPlace make_place(const Shape& shape, bool is_signed, int bank_shift,
                       const EngineConfig& config);

/// Largest power of two <= P of neighbouring output columns, `stride` input columns apart, that
/// fall into different banks wherever they start.
int conflict_free_pixels(int stride, int bank_shift, int pixels);

/// First fit over the activation memory's words, each bank alike.
class WordAllocator {
 public:
  int allocate(int words);
  void release(int base);
  int high_water() const { return high_water_; }

 private:
  struct Block {
    int base, words;
  };
  std::vector<Block> used_;  ///< sorted by base
  int high_water_ = 0;
};

}  // namespace nbq::hw
