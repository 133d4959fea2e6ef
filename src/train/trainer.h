#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/result.h"
#include "train/metrics.h"
#include "train/peer_address.h"
#include "train/recipe.h"

namespace nbq {

/// What `nbq train` asks for. The recipe's own fields (data source, bits, init, ...) are changed in
/// `recipe` before.
struct TrainRequest {
  Recipe recipe;
  /// Gets recipe.toml, sensitivity.json (with a budget), log.txt, log.csv, metrics.json,
  /// events.out.tfevents.*, checkpoint.pt, float.nbq, quantised.nbq (kQuantised) and model.nbq
  /// (kInteger), as the recipe's phases make them.
  std::filesystem::path run_dir;
  bool resume = false;     ///< go on from run_dir's checkpoint, which must be there
  bool overwrite = false;  ///< begin anew in a folder that holds a training
  int threads = 0;         ///< 0: one a core; of all processes of a machine
  /// "cpu", "cuda", "cuda:1": see use_device(). Of many processes each takes the next device.
  std::string device = "cpu";
  std::int64_t checkpoint_steps = 0;  ///< checkpoint also every so many steps; 0: only each epoch
  bool quiet = false;                 ///< no progress line, no line an epoch
  bool handle_signals =
      true;  ///< on SIGINT or SIGTERM finish the step, write the checkpoint, return
  /// This process' place among those that share each batch: all are given the same recipe and data.
  /// Rank 0 alone reads the checkpoint and writes files. Empty: it is the only one.
  std::optional<PeerAddress> peers;
  /// Asked after every step (counted over the whole training): true stops as a signal does. The
  /// same in all processes.
  std::function<bool(std::int64_t steps_done)> stop;
};

struct TrainReport {
  bool interrupted = false;  ///< the command line then exits with 130
  std::string message;       ///< when interrupted: how to go on
  Metrics metrics;  ///< float_accuracy, nbit_accuracy: of the last epoch, never of a best one
  std::filesystem::path float_model;    ///< float.nbq; empty: none
  std::filesystem::path integer_model;  ///< model.nbq; empty: a recipe without quantised phases
};

/// Trains the recipe's phases one after the other. A resumed training gives the same weights, bit
/// for bit, as one that was never stopped, with as many threads as before. Errors: kBadFile (data,
/// init, a damaged checkpoint), kInvalidArgument (run_dir holds another training; the recipe or the
/// dataset changed since the checkpoint; the loss is not a number: names the layer, the last good
/// checkpoint stays), kOverflow (deploy()), kIo (disk), kPeerLost, kUnsupported.
Result<TrainReport> train(const TrainRequest& request);

}  // namespace nbq
