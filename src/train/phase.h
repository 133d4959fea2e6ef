#pragma once
#include <filesystem>
#include <functional>
#include <optional>

#include "data/loader.h"
#include "train/checkpoint.h"
#include "train/optimizers.h"
#include "train/peers.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "train/trainer.h"

// Private to src/train.
namespace nbq {

/// What the phases of one training share.
struct Session {
  explicit Session(const TrainRequest& q) : request(q) {}

  const TrainRequest& request;
  ImageSourcePtr train, test;
  IndexSplit split;
  bool may_use_bfloat16 = false;
  std::function<bool()> stop_asked;
  std::filesystem::path checkpoint;
  TrainState state;
  std::optional<torch::serialize::InputArchive> optimizer;  ///< of a resumed phase
  /// Open once it is sure that this training begins; of the first process only.
  std::optional<RunFolder> folder;
  Progress* progress = nullptr;
  Peers* peers = nullptr;  ///< never null once it runs

  const Recipe& recipe() const { return request.recipe; }
};

enum class Outcome { kDone, kInterrupted };

/// Runs phase state.phase from where it is to its end; state.graph is already of its stage. A
/// checkpoint after every epoch, and when stopped.
Result<Outcome> run_phase(Session& session);

/// The recipe's [quant] with what the phase says otherwise.
QuantSpec phase_quant(const Recipe& recipe, const PhaseSpec& phase);

std::int64_t steps_per_epoch(const Session& session, const PhaseSpec& phase);

/// bfloat16 saves time on compute_device(): on processors with AMX, and on AMD's with AVX-512 BF16
/// (ResNet-20, batch 128, 2 threads of Zen 4: 117 ms a step against 193 ms). On a Xeon without AMX
/// oneDNN's bfloat16 convolutions were slower than its float32 ones (252 ms against 171 ms). On a
/// GPU small networks wait for launches, of which bfloat16 has more (H200: 10.0 ms against 8.6 ms).
bool has_fast_bfloat16();

}  // namespace nbq
