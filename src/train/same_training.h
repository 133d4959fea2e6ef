#pragma once
#include <string>

#include "train/checkpoint.h"
#include "train/peers.h"
#include "train/torch_net.h"

// Private to src/train: that two trainings, or the processes of one, are the same.
namespace nbq {

/// The first line of two recipe_toml()s that differs, "it was `A`, it is now `B`"; the data's place
/// does not count. Empty: none.
std::string recipe_difference(const std::string& before, const std::string& now);

/// Recipe and images are rank 0's. Errors kInvalidArgument in the process where they are not.
Status check_same_training(Peers& peers, const TrainState& state);

/// The network's numbers are rank 0's, bit for bit. Errors kUnsupported where they are not.
Status check_same_numbers(Peers& peers, const TorchNet& net);

/// Rank 0's graph, which differs from this process' only if their processors compute differently.
Result<Graph> shared_graph(Peers& peers, const Graph& graph);

/// load_checkpoint() by rank 0, for all: `path` need not be there for the others.
Result<Checkpoint> shared_checkpoint(Peers& peers, const std::filesystem::path& path);

}  // namespace nbq
