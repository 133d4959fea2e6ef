#include "train/peers.h"

#include <algorithm>
#include <cstring>

namespace nbq {
namespace {

/// Elements of a message, beyond which a copy would cost memory and save no time.
constexpr std::int64_t kPart = 1 << 23;

class NoPeers : public Peers {
 public:
  NoPeers() : Peers(0, 1) {}
  void sum(at::Tensor) override {}
  void broadcast(at::Tensor) override {}
};

/// Messages go through the CPU's memory: Gloo reads no other.
void send_together(std::span<const at::Tensor> part, const std::function<void(at::Tensor)>& send) {
  if (part.size() == 1 && part[0].is_contiguous() && part[0].is_cpu()) return send(part[0]);
  std::vector<at::Tensor> flat;
  for (const at::Tensor& t : part) flat.push_back(t.reshape({-1}));
  const at::Tensor all = at::cat(flat).cpu();
  send(all);
  std::int64_t at = 0;
  for (at::Tensor t : part) {
    t.copy_(all.narrow(0, at, t.numel()).view(t.sizes()));
    at += t.numel();
  }
}

}  // namespace

template <class F>
void Peers::in_parts(std::span<const at::Tensor> tensors, F&& f) {
  if (alone()) return;
  const at::NoGradGuard no_grad;
  for (std::size_t begin = 0, end = 0; begin < tensors.size(); begin = end) {
    std::int64_t count = 0;
    const auto type = tensors[begin].scalar_type();
    while (end < tensors.size() && tensors[end].scalar_type() == type &&
           (count == 0 || count + tensors[end].numel() <= kPart))
      count += tensors[end++].numel();
    send_together(tensors.subspan(begin, end - begin), f);
  }
}

void Peers::sum_all(std::span<const at::Tensor> tensors) {
  in_parts(tensors, [this](at::Tensor t) { sum(std::move(t)); });
}

void Peers::broadcast_all(std::span<const at::Tensor> tensors) {
  in_parts(tensors, [this](at::Tensor t) { broadcast(std::move(t)); });
}

std::vector<std::uint8_t> Peers::broadcast_bytes(std::span<const std::uint8_t> bytes) {
  at::Tensor size = at::full({1}, static_cast<std::int64_t>(bytes.size()), at::kLong);
  broadcast(size);
  std::vector<std::uint8_t> out(static_cast<std::size_t>(size.item<std::int64_t>()));
  if (first()) out.assign(bytes.begin(), bytes.end());
  if (!out.empty())
    broadcast(at::from_blob(out.data(), {static_cast<std::int64_t>(out.size())}, at::kByte));
  return out;
}

std::string Peers::broadcast_text(const std::string& text) {
  const auto out =
      broadcast_bytes({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return {out.begin(), out.end()};
}

void Peers::wait() { sum(at::ones({1}, at::kFloat)); }

std::unique_ptr<Peers> no_peers() { return std::make_unique<NoPeers>(); }

#if !NBQ_GLOO
Result<std::unique_ptr<Peers>> connect(const PeerAddress&) {
  return make_error(ErrorCode::kUnsupported,
                    "this nbq was built without Gloo and trains in one process only: apt-get "
                    "install libgloo-dev, and build again");
}
#endif

}  // namespace nbq
