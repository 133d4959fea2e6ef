#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/fixed_point.h"
#include "model/quantise.h"

// Private to src/exchange: an integer network as the tables that C export writes. Everything is a
// sum of shifted rows, or a maximum over them, into one row of sums that is then finished.
namespace nbq::exchange {

/// Activations in memory: x + zero, in bytes or 16-bit words, [c][h][w].
struct CValue {
  int buffer = -1;  ///< index of CPlan::buffers; -1: the image, as the caller gave it
  bool wide = false;
  std::int32_t zero = 128;
  Shape shape;

  std::int64_t element() const { return wide ? 2 : 1; }
  std::int64_t row_bytes() const { return shape.w * element(); }
  std::int64_t plane_bytes() const { return shape.h * row_bytes(); }
};

/// What one tap of a window's columns reads: `count` outputs from `first` on, the element `at`
/// elements from the row's begin, and on by the pass's step.
struct CColumns {
  std::int64_t at = 0;
  int first = 0, count = 0;
  bool operator==(const CColumns&) const = default;
};

/// What one operand adds to a layer. Offsets are in bytes and may lie outside of the map where
/// rows do.
struct CPass {
  CValue from;
  bool maximum = false;
  std::int64_t origin = 0;  ///< of the first tap's row of output row 0, in the first group
  int first_row = 0;        ///< that row's number: negative in the padding
  int row_step = 1;         ///< rows from output row to output row
  int dilation = 1;         ///< rows from tap to tap
  int kernel_h = 1;
  int column_step = 1;            ///< elements from output to output
  std::vector<CColumns> columns;  ///< one a tap of a row
  int channels = 1;               ///< of one group
  int group_outputs = 1;
  std::int64_t next_group = 0;
  /// Packed codes of `bits` bits, channel after channel; bits == 0: each weight is 2^shift.
  int bits = 0, shift = 0;
  std::vector<std::uint8_t> codes;
};

/// One step of the network: some channels of a node.
struct CLayer {
  std::string name;  ///< of the node
  bool sums64 = false;
  bool raw = false;  ///< its sums are the logits
  CValue to;
  int first_channel = 0, channels = 0;
  std::vector<CPass> passes;
  std::vector<std::int64_t> bias;          ///< one a channel, or none
  std::vector<Po2Reciprocal::Term> terms;  ///< the sum times these; none: the sum itself
  std::vector<int> shifts;                 ///< one, or one a channel; none when raw
  std::int64_t lo = 0, hi = 0;             ///< before `zero` is added
  std::int32_t zero = 0;
};

struct CBuffer {
  std::int64_t bytes = 0;
  int first_layer = 0, last_layer = 0;
  std::int64_t offset = 0;
};

struct CPlan {
  std::vector<CLayer> layers;
  std::vector<CBuffer> buffers;
  std::int64_t arena_bytes = 0;
  int logit_exp = 0;
  bool logits64 = false;
};

/// Errors: what verify_integer() finds; kUnsupported, naming the layer: maps that 32-bit offsets
/// don't reach.
Result<CPlan> plan_c(const Graph& integer);

/// One layer on its way into the plan: what the functions of the registry's rows use.
class CLowering {
 public:
  CLowering(CPlan& into, const Graph& network, std::vector<CValue>& values, int id);

  const Node& node;
  const Graph& graph;

  const CValue& operand(std::size_t i) const;
  int operand_exp(std::size_t i) const;
  const OutputStage& stage() const { return stage_; }

  /// A new buffer for the node's activations; nothing where its sums are the logits.
  void allocate();
  /// The node's activations are operand 0's memory, with the node's shape.
  void alias();
  /// A layer that writes channels [first, first + count) of the node.
  CLayer& layer(int first, int count, std::vector<CPass> passes);

  /// Taps of a window over operand i, all channels in one group; weights are 1.
  CPass window(std::size_t i, const Window& w) const;
  /// Output channel c reads operand channel c, once, shifted left.
  CPass copy(std::size_t i, int shift) const;
  /// As window(), in `groups` groups and with the node's weights.
  CPass weighted(const Window& w, int groups) const;

 private:
  CPlan& plan_;
  std::vector<CValue>& values_;
  std::size_t id_;
  OutputStage stage_;
};

// One for every row of the registry, in c_layers.cc.
#define NBQ_OP(Kind, folder, name) void lower_c_##folder(CLowering& layer);
#include "ops.def"

}  // namespace nbq::exchange
