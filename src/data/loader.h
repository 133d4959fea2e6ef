#pragma once
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/result.h"
#include "data/augment.h"
#include "data/dataset.h"

namespace nbq {

/// N consecutive images of an epoch, or this process' part of them.
struct Batch {
  std::vector<std::uint8_t> pixels;  ///< N x C x H x W
  std::vector<std::int64_t> labels;  ///< [N]
  std::size_t first_index = 0;       ///< the first image's place in the order of the epoch
  std::size_t whole = 0;             ///< images of this batch in all parts together
  std::size_t size() const { return labels.size(); }
};

struct LoaderOptions {
  std::size_t batch_size = 128;  ///< at least 1; the last batch of an epoch may be smaller
  bool shuffle = false;          ///< false: in the order of the index list
  std::uint64_t seed = 0;        ///< of the order and the augmentation
  std::uint64_t epoch = 0;       ///< another epoch, another order and other augmentation
  Augment augment{};
  /// Of each batch only part `part` of `parts`, which are equal but for one image; one that is
  /// empty comes as a batch of no images. Part 0 never is.
  std::size_t part = 0, parts = 1;
  std::size_t first_batch = 0;  ///< where a resumed epoch goes on; the batches are the same ones
  int threads = 2;              ///< that prepare batches; 0: next() prepares them itself
  std::size_t prefetch = 4;     ///< batches ready ahead of next(), at least 1
};

/// The batches of one epoch, prepared in the background. Their contents and order depend on the
/// options but not on the number of threads. One thread calls next().
class BatchLoader {
 public:
  /// `indices` name the images of `source` that take part; each < source->size().
  BatchLoader(ImageSourcePtr source, std::vector<std::size_t> indices, LoaderOptions options);
  /// All images of `source`.
  BatchLoader(ImageSourcePtr source, LoaderOptions options);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// Batches in a whole epoch, those before first_batch included.
  std::size_t batch_count() const;

  /// Puts the next batch into `batch`, reusing its memory; false at the end of the epoch.
  /// Errors as ImageSource::load(); the loader then stays at the batch that failed.
  Result<bool> next(Batch& batch);

 private:
  /// A batch that is ready for next(), or why it isn't.
  struct Slot {
    Batch batch;
    std::optional<Status> outcome;  ///< empty: not ready
  };

  Status fill(std::size_t number, Batch& batch, std::vector<std::uint8_t>& scratch) const;
  void work();

  const ImageSourcePtr source_;
  const LoaderOptions options_;
  const std::vector<std::size_t> order_;  ///< images of the epoch, in order

  std::mutex mutex_;  ///< guards what follows but inline_scratch_
  std::condition_variable ready_, room_;
  std::vector<Slot> slots_;  ///< batch k is in slot k % prefetch
  std::size_t next_claim_;   ///< the first batch that no worker has begun
  std::size_t next_out_;     ///< the batch that next() hands out
  bool stop_ = false;
  std::vector<std::uint8_t> inline_scratch_;
  std::vector<std::jthread> workers_;
};

/// The indices shuffled for an epoch: the same list for the same (seed, epoch) everywhere.
std::vector<std::size_t> epoch_order(std::vector<std::size_t> indices, std::uint64_t seed,
                                     std::uint64_t epoch);

struct IndexSplit {
  std::vector<std::size_t> train;       ///< ascending
  std::vector<std::size_t> validation;  ///< ascending
};

/// Sets aside round(n * validation_fraction) of the images 0..n-1, chosen by `seed`; with a
/// fraction above 0 and n > 1, at least one on each side. Errors kInvalidArgument: the fraction
/// isn't in [0, 1).
Result<IndexSplit> split_indices(std::size_t n, double validation_fraction, std::uint64_t seed);

}  // namespace nbq
