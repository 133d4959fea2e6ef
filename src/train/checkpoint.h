#pragma once
#include <torch/torch.h>

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "model/graph.h"
#include "train/metrics.h"

// Private to src/train.
namespace nbq {

/// Where a training is. All randomness follows from (seed, epoch, image), so that there is no
/// generator to save.
struct TrainState {
  int phase = 0;
  int epoch = 0;                                 ///< finished ones in this phase
  std::int64_t step = 0;                         ///< finished ones in this epoch
  std::int64_t epochs_done = 0, steps_done = 0;  ///< in all phases
  double loss_sum = 0;                           ///< of this epoch's images so far
  std::int64_t correct = 0, seen = 0;
  double epoch_seconds = 0;
  Graph graph;                      ///< with the present numbers
  Graph teacher;                    ///< of the quantised phases; no nodes: none
  std::vector<at::Tensor> average;  ///< of the phase's weights; empty: none
  std::vector<at::Tensor> methods;  ///< TorchNet::method_state(); empty: none
  bool phase_begun = false;         ///< graph is already of the phase's stage
  Metrics metrics;
  std::string recipe;                           ///< recipe_toml(), to compare
  std::uint64_t train_data = 0, test_data = 0;  ///< fingerprints
  int threads = 0;                              ///< of each process
  int processes = 1;                            ///< that shared the batches
  std::string device = "cpu";                   ///< or the GPU's name
};

/// Written beside and renamed; `optimizer` null: none yet. Errors kIo.
Status save_checkpoint(const std::filesystem::path& path, const TrainState& state,
                       torch::optim::Optimizer* optimizer);

struct Checkpoint {
  TrainState state;
  /// The optimizer's state, for load_optimizer().
  std::optional<torch::serialize::InputArchive> optimizer;
};
/// Errors kBadFile: not a checkpoint, damaged.
Result<Checkpoint> load_checkpoint(const std::filesystem::path& path);
/// load_checkpoint() of what the file holds; `path` names it in messages.
Result<Checkpoint> parse_checkpoint(std::span<const std::uint8_t> bytes,
                                    const std::filesystem::path& path);
Status load_optimizer(torch::serialize::InputArchive& archive, torch::optim::Optimizer& optimizer);

}  // namespace nbq
