#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "hw/engine_config.h"
#include "hw/isa.h"
#include "hw/layout.h"
#include "model/graph.h"

namespace nbq::hw {

/// How the host lays the image out. With taps > 1 the first layer's taps lie side by side as
/// channels, so that an image of 1 or 3 channels fills the lanes: a copy, no arithmetic.
struct ImageLayout {
  Shape image;        ///< as the network takes it
  TensorPlace place;  ///< as the engine gets it
  int taps_y = 1, taps_x = 1;
  Window window;  ///< of the layer whose taps are packed
};

/// Where the logits lie in the result memory.
struct ResultLayout {
  Shape shape;
  /// Word and lane of logit (c, y, x).
  int word(int c, int y, int x, int lanes_in) const {
    return (c / lanes_in) * shape.h * shape.w + y * shape.w + x;
  }
  int words(int lanes_in) const { return (shape.c + lanes_in - 1) / lanes_in * shape.h * shape.w; }
};

/// Part of the program that belongs to one layer.
struct LayerSpan {
  std::string name;
  int first_instruction = 0, instructions = 0;
  std::int64_t macs = 0;
};

/// A whole network for one engine.
struct Program {
  EngineConfig config;  ///< the requested lanes; widths and depths as the network needs them
  std::vector<Instruction> instructions;
  std::vector<std::int16_t> weights;  ///< M*C a word, +-2^(k-1) or 0; loaded once
  std::vector<std::int16_t> stream;   ///< weight words that come from external memory in every run
  std::int64_t stream_words = 0;      ///< how many they are
  int ring = 0;                       ///< first weight word that the stream goes through
  bool loads_next = false;            ///< a run reads the image of the next one
  struct Param {
    int shift;
    std::int64_t bias;
  };
  std::vector<Param> params;  ///< C a word
  ImageLayout image;
  ResultLayout result;
  std::vector<LayerSpan> layers;
  std::int64_t macs = 0;  ///< useful multiply-accumulates of one image
};

/// How many taps of the first layer may lie side by side in the image (ImageLayout): a whole window
/// keeps the lanes busiest, and is the most to store and to transfer.
enum class ImagePacking { kWindow, kRow, kNone };

/// Words that the memories may have, a board's, say, and what the image may take of them.
struct MemoryLimits {
  int act_depth = kMaxDepth;  ///< of a bank
  int weight_depth = kMaxDepth;
  ImagePacking packing = ImagePacking::kWindow;
};

/// Widths and depths that ask for nothing: compile() raises them to what a network needs.
EngineConfig least_engine();
/// The depths alone.
void take_least_depths(EngineConfig& config);

/// Compiles an integer graph for engines with the given element and lanes. Widths (code_bits,
/// act_bits, acc_bits) and memory depths of `wanted` are minima: the result has what the network
/// needs. Weights that exceed limits.weight_depth are streamed when `wanted` has an AXI bus. The
/// program does not depend on `images`, `broadcast` and `out_cycles` (the depth of the results
/// does, on the last). Errors kUnsupported naming the layer and the limit; whatever
/// verify_integer() finds.
Result<Program> compile(const Graph& graph, const EngineConfig& wanted,
                        const MemoryLimits& limits = {});

/// Programs of one network for many engines: checked and measured once, and without the weights,
/// which are most of the work and do not matter to cycles and sizes.
class ProgramSketch {
 public:
  /// Errors: whatever verify_integer() finds.
  static Result<ProgramSketch> create(const Graph& graph);
  /// As compile(), but with no `weights` and `stream` in it. The weight memory may come out larger:
  /// blocks whose weights happen to be equal are not found.
  Result<Program> program(const EngineConfig& wanted, const MemoryLimits& limits = {}) const;
  /// Of the network's widest activation.
  int act_bits() const { return least_.act_bits; }

 private:
  Graph graph_;  ///< without codes
  EngineConfig least_;
};

}  // namespace nbq::hw
