#pragma once
#include <torch/torch.h>

#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/result.h"
#include "train/peer_address.h"

// Private to src/train: the processes of one training. All of them call the same functions in the
// same order; results are the same bits in each.
namespace nbq {

/// Another process has ended or can't be reached. Thrown, as it also happens within backward().
class PeerLost : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Peers {
 public:
  virtual ~Peers() = default;
  int rank() const { return rank_; }
  int size() const { return size_; }
  bool first() const { return rank_ == 0; }  ///< writes the files
  bool alone() const { return size_ == 1; }

  /// `t`, dense, becomes its sum over the processes: float32, float64, int64 or bytes.
  virtual void sum(at::Tensor t) = 0;
  /// `t`, dense, becomes rank 0's.
  virtual void broadcast(at::Tensor t) = 0;

  /// sum() of each, a bounded part at a time in one message.
  void sum_all(std::span<const at::Tensor> tensors);
  /// broadcast() of each, likewise.
  void broadcast_all(std::span<const at::Tensor> tensors);
  /// Rank 0's, whatever the others give.
  std::vector<std::uint8_t> broadcast_bytes(std::span<const std::uint8_t> bytes);
  std::string broadcast_text(const std::string& text);
  /// Returns when all processes are here.
  void wait();

 protected:
  Peers(int rank, int size) : rank_(rank), size_(size) {}

 private:
  template <class F>
  void in_parts(std::span<const at::Tensor> tensors, F&& f);
  int rank_, size_;
};

/// Of a training in one process: nothing is sent.
std::unique_ptr<Peers> no_peers();
/// Meets the others. Errors kUnsupported: built without Gloo; kPeerLost: they did not come.
Result<std::unique_ptr<Peers>> connect(const PeerAddress& address);

/// Norms whose statistics are those of the whole batch.
struct NormPeers {
  Peers* peers = nullptr;  ///< null: each process has its own statistics
  bool idle = false;  ///< this process has no images of the batch: what it computes is left out
};

}  // namespace nbq
