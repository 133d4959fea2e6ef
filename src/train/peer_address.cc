#include "train/peer_address.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace nbq {
namespace {

Result<int> number(const char* name, int lowest, int highest) {
  const char* const text = std::getenv(name);
  if (text == nullptr)
    return make_error(ErrorCode::kInvalidArgument,
                      "WORLD_SIZE is set but {} is not: a training of many processes needs RANK, "
                      "WORLD_SIZE, MASTER_ADDR and MASTER_PORT",
                      name);
  const std::string_view s(text);
  int value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc() || end != s.data() + s.size() || value < lowest || value > highest)
    return make_error(ErrorCode::kInvalidArgument,
                      "the environment's {}={} must be a whole number in {}..{}", name, s, lowest,
                      highest);
  return value;
}

}  // namespace

Result<std::optional<PeerAddress>> peers_of_environment() {
  if (std::getenv("WORLD_SIZE") == nullptr) return std::optional<PeerAddress>();
  PeerAddress a;
  NBQ_ASSIGN(a.size, number("WORLD_SIZE", 1, 1 << 16));
  if (a.size == 1) return std::optional<PeerAddress>();
  NBQ_ASSIGN(a.rank, number("RANK", 0, a.size - 1));
  NBQ_ASSIGN(a.port, number("MASTER_PORT", 1, 65535));
  if (std::getenv("LOCAL_WORLD_SIZE") != nullptr) {
    NBQ_ASSIGN(a.local_size, number("LOCAL_WORLD_SIZE", 1, a.size));
  }
  const char* const host = std::getenv("MASTER_ADDR");
  if (host == nullptr || *host == 0)
    return make_error(ErrorCode::kInvalidArgument,
                      "WORLD_SIZE is set but MASTER_ADDR is not: it is rank 0's machine");
  a.host = host;
  return std::optional<PeerAddress>(a);
}

}  // namespace nbq
