#include "train/same_training.h"

#include <cstring>
#include <sstream>

#include "core/file.h"
#include "model/nbq_file.h"

namespace nbq {
namespace {

/// FNV-1a over whole words: finds any difference, and costs nothing beside a checkpoint.
std::uint64_t hash_of(std::span<const at::Tensor> tensors) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const at::Tensor& given : tensors) {
    const at::Tensor t = given.detach().contiguous().cpu();
    const auto* const bytes = static_cast<const unsigned char*>(t.data_ptr());
    const std::size_t size = t.nbytes();
    for (std::size_t i = 0; i < size; i += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i, std::min(sizeof word, size - i));
      hash = (hash ^ word) * 0x100000001b3u;
    }
  }
  return hash;
}

/// Rank 0's number.
std::uint64_t of_first(Peers& peers, std::uint64_t number) {
  const at::Tensor t = at::full({1}, static_cast<std::int64_t>(number), at::kLong);
  peers.broadcast(t);
  return static_cast<std::uint64_t>(t.item<std::int64_t>());
}

}  // namespace

std::string recipe_difference(const std::string& before, const std::string& now) {
  std::istringstream a(before), b(now);
  std::string was, is;
  for (;;) {
    const bool more_a = static_cast<bool>(std::getline(a, was));
    const bool more_b = static_cast<bool>(std::getline(b, is));
    if (!more_a && !more_b) return {};
    if (!more_a) was = "(nothing)";
    if (!more_b) is = "(nothing)";
    if (was != is && !(was.starts_with("source = ") && is.starts_with("source = ")))
      return fmt::format("it was `{}`, it is now `{}`", was, is);
  }
}

Status check_same_training(Peers& peers, const TrainState& state) {
  if (peers.alone()) return ok_status();
  const std::string changed = recipe_difference(peers.broadcast_text(state.recipe), state.recipe);
  const std::uint64_t train = of_first(peers, state.train_data);
  const std::uint64_t test = of_first(peers, state.test_data);
  if (!changed.empty())
    return make_error(ErrorCode::kInvalidArgument,
                      "rank {} has another recipe than rank 0: {}; start all with the same one",
                      peers.rank(), changed);
  if (train != state.train_data || test != state.test_data)
    return make_error(ErrorCode::kInvalidArgument,
                      "the {} images of rank {} are not rank 0's; every machine needs the same "
                      "data",
                      train != state.train_data ? "training" : "test", peers.rank());
  return ok_status();
}

Status check_same_numbers(Peers& peers, const TorchNet& net) {
  if (peers.alone()) return ok_status();
  const std::uint64_t mine = hash_of(net.numbers());
  if (of_first(peers, mine) == mine) return ok_status();
  return make_error(ErrorCode::kUnsupported,
                    "the network of rank {} is no longer rank 0's: these machines compute "
                    "differently; use the same kind of processor, nbq and libraries on all",
                    peers.rank());
}

Result<Graph> shared_graph(Peers& peers, const Graph& graph) {
  if (peers.alone()) return graph;
  return decode_nbq(peers.broadcast_bytes(encode_nbq(graph)));
}

Result<Checkpoint> shared_checkpoint(Peers& peers, const std::filesystem::path& path) {
  if (peers.alone()) return load_checkpoint(path);
  std::vector<std::uint8_t> bytes;
  if (peers.first()) {
    NBQ_ASSIGN(bytes, read_file(path));
  }
  return parse_checkpoint(peers.broadcast_bytes(bytes), path);
}

}  // namespace nbq
