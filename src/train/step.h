#pragma once
#include <optional>

#include "data/loader.h"
#include "train/device.h"
#include "train/optimizers.h"
#include "train/peers.h"
#include "train/torch_net.h"

// Private to src/train and bench/.
namespace nbq {

/// Every step frees and takes the same hundreds of megabytes: without this each of them is returned
/// to the system, and its pages are cleared again. For the whole process.
void keep_memory();

/// The training step: forward, loss, backward, optimizer, each batch the same way.
class TrainStep {
 public:
  /// `net` and `peers` (null: none) must outlive this; `teacher`: distilled from with spec.distill.
  /// `may_use_bfloat16`: it is used if the network's activations fit it.
  TrainStep(const PhaseSpec& spec, const TorchNet& net, std::optional<TorchNet> teacher,
            bool may_use_bfloat16, Peers* peers = nullptr);

  /// Of the whole batch, whatever part of it this process has.
  struct Result {
    double loss = 0;  ///< not finite: nothing has been learnt
    std::int64_t correct = 0, images = 0;
    bool stop = false;  ///< in one of the processes
  };
  /// Learns from `batch` at rate `lr`; with peers from all parts of the batch, by the mean of its
  /// images' gradients. `stop`: to be told to all.
  Result run(const Batch& batch, double lr, const Pass& pass, bool stop = false);

  /// A black image, for a process that has none of the batch: it takes part in what the processes
  /// do together, and counts for nothing.
  Batch stand_in() const;
  /// The batch's images as the network reads them.
  at::Tensor image_of(const Batch& batch) const;
  NetOptimizer& optimizer() { return optimizer_; }

 private:
  bool shares() const { return peers_ != nullptr && !peers_->alone(); }
  void add_up(Result& result) const;
  at::Tensor loss_of(const at::Tensor& logits, const Batch& batch, const at::Tensor& labels) const;
  /// The teacher's classes, softened, for `batch`  [N, classes].
  at::Tensor wanted(const Batch& batch, at::IntArrayRef sizes) const;

  const PhaseSpec& spec_;
  const TorchNet& net_;
  std::optional<TorchNet> teacher_;
  NetOptimizer optimizer_;
  bool bfloat16_;
  Peers* peers_;  ///< null: none
};

}  // namespace nbq
