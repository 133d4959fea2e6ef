#pragma once
#include <numeric>
#include <vector>

#include "train/norm_requant_kernel.h"

// Private to src/train: how the elements of a map lie beside their channels.
namespace nbq {

/// A dense tensor as outer x channels x inner. inner 1: channels lie innermost ("rows"), else each
/// channel has a plane of `inner` elements.
class NormLayout {
 public:
  NormLayout(std::int64_t outer, std::int64_t channels, std::int64_t inner)
      : outer_(outer), channels_(channels), inner_(inner) {
    period_ = rows() ? std::lcm(channels, std::int64_t{kLanes}) : std::int64_t{kPeriod};
    while (period_ < kPeriod) period_ *= 2;
    const std::int64_t unit = rows() ? period_ / channels : 1;  // chunks begin on mask words
    const std::int64_t worth = kChunk / std::max<std::int64_t>(channels * inner, 1);
    const std::int64_t least = (outer + kMaxChunks - 1) / kMaxChunks;
    per_chunk_ = (std::max({worth, least, std::int64_t{1}}) + unit - 1) / unit * unit;
  }

  bool rows() const { return inner_ == 1; }
  std::int64_t channels() const { return channels_; }
  /// Elements of a channel.
  std::int64_t per_channel() const { return outer_ * inner_; }
  std::int64_t words() const {
    return rows() ? mask_words(outer_ * channels_) : outer_ * channels_ * mask_words(inner_);
  }
  /// Parts that threads take. They depend on the sizes alone, so sums don't depend on threads.
  std::int64_t chunks() const { return (outer_ + per_chunk_ - 1) / per_chunk_; }

  /// Calls f(strip, first element, first mask word, first entry of the expanded numbers) for all of
  /// a chunk.
  template <class F>
  void for_strips(std::int64_t chunk, F&& f) const {
    const std::int64_t begin = chunk * per_chunk_, end = std::min(begin + per_chunk_, outer_);
    if (rows()) {
      const std::int64_t first = begin * channels_;
      f(NormStrip{(end - begin) * channels_, period_}, first, first / kLanes, std::int64_t{0});
      return;
    }
    for (std::int64_t plane = begin * channels_; plane < end * channels_; ++plane)
      f(NormStrip{inner_, period_}, plane * inner_, plane * mask_words(inner_),
        plane % channels_ * period_);
  }

  /// Entries of expanded numbers.
  std::int64_t expanded_size() const { return rows() ? period_ : channels_ * period_; }
  std::int64_t channel_of(std::int64_t entry) const {
    return rows() ? entry % channels_ : entry / period_;
  }
  /// Numbers per channel, repeated as strips read them.
  std::vector<float> expanded(const std::vector<double>& numbers) const {
    std::vector<float> out(static_cast<std::size_t>(expanded_size()));
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<float>(
          numbers[static_cast<std::size_t>(channel_of(static_cast<std::int64_t>(i)))]);
    return out;
  }

 private:
  static constexpr std::int64_t kPeriod = 4 * kLanes;  // several sums of a channel: no waiting
  static constexpr std::int64_t kChunk = 1 << 15;      // elements that are worth a thread
  static constexpr std::int64_t kMaxChunks = 256;      // bounds the memory of partial sums

  std::int64_t outer_, channels_, inner_, period_, per_chunk_;
};

}  // namespace nbq
