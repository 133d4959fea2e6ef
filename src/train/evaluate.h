#pragma once
#include <torch/torch.h>

#include <span>

#include "train/executor.h"
#include "train/peers.h"
#include "train/torch_net.h"

// Private to src/train.
namespace nbq {

/// Runs `body`; libtorch's exceptions and lack of memory become Errors.
template <class F>
auto guard_torch(F&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const PeerLost& e) {
    return make_error(ErrorCode::kPeerLost, "{}", e.what());
  } catch (const c10::Error& e) {
    return make_error(ErrorCode::kUnsupported, "libtorch: {}", e.what_without_backtrace());
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kIo, "{}", e.what());
  }
}

/// The dataset's images and classes are those of the network.
Status check_fits(const Graph& graph, const ImageSource& source);

/// Shows every node's output for the first n of `images` (indices into source; empty: spread evenly
/// over all of it), `batch` at a time, in evaluation mode.
Status observe_images(const Graph& graph, const ImageSource& source, std::size_t n,
                      std::span<const std::size_t> images, std::size_t batch,
                      const TorchNet::Observer& observe);

/// evaluate_torch() of some images (empty: all), which `peers`, unless null, share.
Result<EvalResult> evaluate_images(const Graph& graph, const ImageSource& source,
                                   std::span<const std::size_t> images, Peers* peers = nullptr,
                                   int batch = 250);

}  // namespace nbq
