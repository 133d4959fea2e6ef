// Peers over libtorch's c10d: messages through Gloo, the meeting through its TCPStore.
#include <cstdlib>
#include <string_view>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "train/peers.h"

namespace nbq {
namespace {

/// People start the processes of several machines one after the other.
constexpr std::chrono::minutes kMeeting{10};
/// Between two messages lies work that may take the slowest process long: an evaluation, the
/// sensitivities of a budget. A process that ends is noticed at once by its closed connection; this
/// is for machines that vanish.
constexpr std::chrono::hours kPatience{6};

std::string env(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::shared_ptr<::gloo::transport::Device> device_for(const std::string& host) {
  using Gloo = c10d::ProcessGroupGloo;
  if (const std::string name = env("GLOO_SOCKET_IFNAME"); !name.empty())
    return Gloo::createDeviceForInterface(name);
  if (host == "127.0.0.1" || host == "localhost") return Gloo::createDeviceForHostname("127.0.0.1");
  return Gloo::createDefaultDevice();
}

c10::intrusive_ptr<c10d::Store> store_at(const PeerAddress& a) {
  // torchrun's agent may listen at that port itself, for one attempt after the other.
  const bool agent = env("TORCHELASTIC_USE_AGENT_STORE") == "True";
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(a.port);
  options.isServer = a.rank == 0 && !agent;
  options.numWorkers = static_cast<std::size_t>(a.size);
  options.waitWorkers = !agent;
  options.timeout = kMeeting;
  c10::intrusive_ptr<c10d::Store> store = c10::make_intrusive<c10d::TCPStore>(a.host, options);
  if (!agent) return store;
  const std::string prefix = "/worker/attempt_" + env("TORCHELASTIC_RESTART_COUNT");
  return c10::make_intrusive<c10d::PrefixStore>(prefix, store);
}

class GlooPeers : public Peers {
 public:
  explicit GlooPeers(const PeerAddress& a) : Peers(a.rank, a.size) {
    const auto options = c10d::ProcessGroupGloo::Options::create(kPatience);
    options->devices.push_back(device_for(a.host));
    options->threads = 1;
    store_ = store_at(a);
    group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store_, a.rank, a.size, options);
  }
  void sum(at::Tensor t) override {
    std::vector<at::Tensor> list{std::move(t)};
    finish([&] { return group_->allreduce(list); });
  }
  void broadcast(at::Tensor t) override {
    std::vector<at::Tensor> list{std::move(t)};
    finish([&] { return group_->broadcast(list); });
  }

 private:
  template <class F>
  void finish(F&& begin) {
    try {
      begin()->wait();
    } catch (const std::exception& e) {
      throw PeerLost(fmt::format(
          "rank {} of {}: another process of this training has ended or can't be reached; once "
          "that is mended, resume from the last checkpoint ({})",
          rank(), size(), e.what()));
    }
  }
  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

}  // namespace

Result<std::unique_ptr<Peers>> connect(const PeerAddress& a) {
  try {
    return std::unique_ptr<Peers>(std::make_unique<GlooPeers>(a));
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kPeerLost,
                      "rank {} of {}: the processes did not meet at {}:{} within {} minutes; is "
                      "MASTER_ADDR rank 0's machine, and the port free there? ({})",
                      a.rank, a.size, a.host, a.port, kMeeting.count(), e.what());
  }
}

}  // namespace nbq
