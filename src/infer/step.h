#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "infer/layout.h"

namespace nbq::infer {

/// What one thread has while it runs a step on some images.
struct Worker {
  std::uint8_t* arena;
  std::uint8_t* scratch;       ///< this thread's own, Step::scratch_bytes() at least
  const std::uint8_t* pixels;  ///< images x channels x height x width
  std::int64_t* logits;        ///< images x outputs
  int images;                  ///< at most Plan::images
  int thread, threads;
};

/// Part [first, last) of `count` equal units that is `thread`'s.
struct Share {
  std::int64_t first, last;
  Share(std::int64_t count, int thread, int threads)
      : first(count * thread / threads), last(count * (thread + 1) / threads) {}
};

/// A buffer (or some channels of it) as a step addresses it.
struct Place {
  std::ptrdiff_t offset = 0;  ///< of the first channel of pixel (0, 0) of image 0 in the arena
  std::ptrdiff_t image = 0, row = 0, pixel = 0;
  std::int32_t zero = 0;
  bool wide = false;

  std::uint8_t* at(std::uint8_t* arena, std::int64_t i, std::int64_t y, std::int64_t x) const {
    return arena + offset + i * image + y * row + x * pixel;
  }
};

/// One unit of a plan, usually one layer with what is fused into it.
class Step {
 public:
  explicit Step(std::string step_name) : name(std::move(step_name)) {}
  virtual ~Step() = default;
  /// Runs the worker's share. All threads are done with the step before any begins the next one.
  virtual void run(const Worker& worker) const = 0;
  /// Called once the buffers have their places.
  virtual void place(const std::vector<Buffer>& buffers) = 0;
  virtual std::size_t scratch_bytes() const { return 0; }
  virtual std::size_t weight_bytes() const { return 0; }
  /// What it does and how, for `nbq bench --layers`: kernel, tile, threads' shares.
  virtual std::string how() const { return {}; }

  std::string name;
  /// Set for the first step that writes a buffer: the margin stays as it is until the buffer is
  /// used again.
  bool fills_margin = true;
  std::int64_t macs = 0;           ///< multiply-accumulates an image
  std::vector<int> reads, writes;  ///< buffers
};
using StepPtr = std::unique_ptr<Step>;

Place place_of(const View& view, const std::vector<Buffer>& buffers);

/// Real zeros, as `buffer` stores them, in so many bytes.
void fill_zeros(std::uint8_t* to, std::ptrdiff_t bytes, const Buffer& buffer);

/// Real zeros around the rows [first_row, last_row) of an image; the rows above and below go with
/// the first and the last one.
void fill_margin(const Buffer& buffer, std::uint8_t* arena, std::int64_t image, int first_row,
                 int last_row);

}  // namespace nbq::infer
