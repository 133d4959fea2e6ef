#pragma once
#include <cstddef>
#include <cstdint>

#include "infer/kernels/kernel_set.h"
#include "model/graph.h"

namespace nbq::infer {

/// A piece of the arena that holds one map an image: rows of pixels, channels innermost, x + zero
/// in bytes or 16-bit words, with a margin of real zeros for the convolutions that read it.
struct Buffer {
  int height = 0, width = 0, channels = 0;
  bool wide = false;
  std::int32_t zero = 0;
  int top = 0, left = 0, bottom = 0, right = 0;  ///< margin, in pixels
  // Set when all steps are known.
  int first_step = -1, last_step = -1;  ///< that write or read it
  std::ptrdiff_t offset = 0;            ///< of the first image in the arena

  std::ptrdiff_t element() const { return wide ? 2 : 1; }
  std::ptrdiff_t pixel_bytes() const {
    return (channels * element() + kStepBytes - 1) / kStepBytes * kStepBytes;
  }
  std::ptrdiff_t row_bytes() const { return pixel_bytes() * (left + width + right); }
  std::ptrdiff_t image_bytes() const {
    constexpr std::ptrdiff_t kLine = 64;
    return (row_bytes() * (top + height + bottom) + kLine - 1) / kLine * kLine;
  }
  bool has_margin() const { return top + left + bottom + right != 0; }
};

/// A node's activations: some channels of a buffer.
struct View {
  int buffer = -1;
  int first_channel = 0;
  Shape shape;
};

/// What undoes the zero when the format is `act`, stored in words or bytes.
inline std::int32_t zero_of(const ActFormat& act, bool wide) {
  if (!wide) return act.is_signed ? 128 : 0;
  return act.is_signed || act.bits < 16 ? 0 : -32768;
}

}  // namespace nbq::infer
