#pragma once
#include <optional>
#include <string>

#include "core/result.h"

namespace nbq {

/// This process among those of one training, and where they meet.
struct PeerAddress {
  int rank = 0;  ///< 0..size - 1; rank 0 writes the files
  int size = 1;
  std::string host;  ///< of rank 0, which listens there
  int port = 0;
  int local_size = 1;  ///< processes of this training on this machine, which share its cores
};

/// What torchrun's environment variables say: RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and, if
/// there, LOCAL_WORLD_SIZE. Empty: there is no WORLD_SIZE, or it is 1.
/// Errors kInvalidArgument naming the variable.
Result<std::optional<PeerAddress>> peers_of_environment();

}  // namespace nbq
