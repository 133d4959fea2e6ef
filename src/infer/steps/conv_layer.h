#pragma once
#include "infer/steps/conv_step.h"
#include "infer/steps/shifts.h"

namespace nbq::infer {

/// A block of one group's output channels, at a row of pixels.
struct ConvSpot {
  int group = 0, block = 0;
  std::int64_t image = 0;
  int y = 0;
};

/// What all ways of summing up a convolution share: its packed weights and its output stage.
class ConvLayer {
 public:
  /// `words`: weights are packed in the order of 16-bit ones. Throws std::bad_alloc.
  ConvLayer(const ConvSpec& spec, const std::vector<Buffer>& buffers, const KernelSet& kernels,
            bool words, int block_vectors);
  void place(const std::vector<Buffer>& buffers);

  std::vector<int> reads() const;
  std::vector<int> writes() const;
  std::size_t weight_bytes() const;
  int block_lanes() const { return block_vectors_ * kernels_.lanes; }
  int blocks() const { return weights_.front().blocks; }
  const PackedWeights& weights(int group) const {
    return weights_[static_cast<std::size_t>(group)];
  }
  const std::uint8_t* codes(int group, int block) const {
    const PackedWeights& w = weights(group);
    return w.bytes.data() + w.block_bytes(kernels_.lanes) * static_cast<std::size_t>(block);
  }
  /// To words if `in` has them; else to bytes, in the order of the packing.
  void decode(int group, int block, std::int8_t* to) const;

  /// A block's output stage, nowhere yet.
  Finish finish(int group, int block) const;
  /// The same from the first pixel of the spot's row on; across images if the map is a pixel.
  Finish finish_row(const Finish& block, const ConvSpot& at, const Worker& w) const;
  /// Margins of the output's rows [first, last) of an image.
  void fill_margin(const Worker& w, std::int64_t image, int first, int last) const;

  // As planned; the graph may go.
  const ConvSpec& spec() const { return spec_; }
  const KernelSet& kernels() const { return kernels_; }
  const Place& in() const { return in_; }
  bool wide_in() const { return wide_in_; }
  bool across_images() const { return across_images_; }
  int group_in() const { return group_in_; }
  int group_out() const { return group_out_; }

 private:
  void pack();
  void set_channels(int group, const std::vector<std::int64_t>& sums);

  ConvSpec spec_;
  const KernelSet& kernels_;
  bool words_;
  int block_vectors_;
  bool wide_in_ = false, across_images_ = false;
  std::int32_t in_zero_ = 0;
  int group_out_ = 0, group_in_ = 0;
  std::vector<PackedWeights> weights_;  ///< one a group
  std::vector<StageInts> channels_;     ///< one a group
  Buffer out_buffer_;                   ///< for its margin
  Place in_, out_, residual_;
};

/// So many pixels on along the row. In place: a copy of what has just been written waits for it.
void advance(Finish& f, int pixels);
/// `f` for its block's channels from `channel` on.
Finish from_channel(const Finish& f, int channel);

}  // namespace nbq::infer
