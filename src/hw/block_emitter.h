#pragma once
#include <map>
#include <vector>

#include "hw/compile.h"
#include "hw/job.h"

namespace nbq::hw {

/// One layer with its operands placed: what becomes instructions.
struct BlockJob {
  const Node* node = nullptr;  ///< whose weights and bias are used
  const ArrayJob* job = nullptr;
  OutputStage stage;
  bool plain_copy = false;  ///< ignore the node's bias and shifts
  std::vector<const TensorPlace*> in;
  const TensorPlace* out = nullptr;  ///< nullptr: the result memory
  Shape out_shape;
  const ImageLayout* packed_image = nullptr;  ///< when operand 0 is the image
  const TensorPlace* residual = nullptr;
  int res_lsh_acc = 0, res_lsh_res = 0, res_rsh = 0;
  std::int64_t res_lo = 0, res_hi = 0;
};

/// Turns layers into instructions, one per block of LanesOut output channels, and gathers weight
/// and parameter words, equal ones once.
class BlockEmitter {
 public:
  explicit BlockEmitter(const EngineConfig& config) : config_(config) {}

  /// Errors kUnsupported: a count that its instruction field can't hold (names layer and
  /// field), a weight that the multipliers can't (names layer, weight and bits).
  Status emit(const BlockJob& block);
  void finish();

  int instruction_count() const { return static_cast<int>(instructions_.size()); }
  std::vector<Instruction> take_instructions() { return std::move(instructions_); }
  std::vector<std::int16_t> take_weights() { return std::move(weights_); }
  std::vector<Program::Param> take_params() { return std::move(params_); }

 private:
  Status emit_pass(const BlockJob& b, const Pass& pass, std::vector<bool>& written);
  Status emit_block(const BlockJob& b, const Pass& pass, const TensorPlace& in, int first_channel,
                    bool barrier, bool accumulate);
  Result<std::int64_t> add_weights(const BlockJob& b, const Pass& pass, int first_plane, int planes,
                                   int in_channels, int first, int last);
  std::int64_t add_params(const BlockJob& b, int first, int last);

  EngineConfig config_;
  std::vector<Instruction> instructions_;
  std::vector<std::int16_t> weights_;
  std::vector<Program::Param> params_;
  std::map<std::vector<std::int16_t>, std::int64_t> known_weights_;
  std::map<std::vector<std::int64_t>, std::int64_t> known_params_;
};

}  // namespace nbq::hw
