#include "data/loader.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>

#include "data/random.h"

namespace nbq {
namespace {

constexpr std::uint64_t kStreamOrder = 16, kStreamSplit = 17;

std::vector<std::size_t> iota(std::size_t n) {
  std::vector<std::size_t> all(n);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

/// Fisher-Yates; std::shuffle would differ from one standard library to the next.
void shuffle(std::vector<std::size_t>& v, std::uint64_t seed, std::uint64_t stream,
             std::uint64_t epoch) {
  for (std::size_t i = v.size(); i > 1; --i)
    std::swap(v[i - 1], v[scale_to(random_bits(seed, stream, epoch, i), i)]);
}

}  // namespace

std::vector<std::size_t> epoch_order(std::vector<std::size_t> indices, std::uint64_t seed,
                                     std::uint64_t epoch) {
  shuffle(indices, seed, kStreamOrder, epoch);
  return indices;
}

Result<IndexSplit> split_indices(std::size_t n, double validation_fraction, std::uint64_t seed) {
  if (!(validation_fraction >= 0 && validation_fraction < 1))
    return make_error(ErrorCode::kInvalidArgument,
                      "validation fraction {}: needs to be at least 0 and below 1",
                      validation_fraction);
  auto count = static_cast<std::size_t>(std::llround(static_cast<double>(n) * validation_fraction));
  if (validation_fraction > 0 && n > 1) count = std::clamp<std::size_t>(count, 1, n - 1);
  count = std::min(count, n);
  std::vector<std::size_t> all = iota(n);
  shuffle(all, seed, kStreamSplit, 0);
  const auto cut = all.begin() + static_cast<std::ptrdiff_t>(count);
  IndexSplit out{{cut, all.end()}, {all.begin(), cut}};
  std::sort(out.train.begin(), out.train.end());
  std::sort(out.validation.begin(), out.validation.end());
  return out;
}

BatchLoader::BatchLoader(ImageSourcePtr source, LoaderOptions options)
    : BatchLoader(source, iota(source->size()), options) {}

BatchLoader::BatchLoader(ImageSourcePtr source, std::vector<std::size_t> indices,
                         LoaderOptions options)
    : source_(std::move(source)),
      options_(options),
      order_(options.shuffle ? epoch_order(std::move(indices), options.seed, options.epoch)
                             : std::move(indices)),
      slots_(options.prefetch),
      next_claim_(options.first_batch),
      next_out_(options.first_batch) {
  NBQ_CHECK(options_.batch_size >= 1 && options_.prefetch >= 1 && options_.threads >= 0);
  NBQ_CHECK(options_.part < options_.parts);
  for (const std::size_t i : order_) NBQ_CHECK(i < source_->size());
  for (int t = 0; t < options_.threads; ++t) workers_.emplace_back([this] { work(); });
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  room_.notify_all();
}

std::size_t BatchLoader::batch_count() const {
  return (order_.size() + options_.batch_size - 1) / options_.batch_size;
}

Status BatchLoader::fill(std::size_t number, Batch& batch,
                         std::vector<std::uint8_t>& scratch) const {
  const ImageShape& s = source_->shape();
  const std::size_t bytes = s.bytes();
  const std::size_t whole_first = number * options_.batch_size;
  batch.whole = std::min(options_.batch_size, order_.size() - whole_first);
  const auto cut = [&](std::size_t part) {
    return (batch.whole * part + options_.parts - 1) / options_.parts;
  };
  const std::size_t first = whole_first + cut(options_.part);
  const std::size_t count = cut(options_.part + 1) - cut(options_.part);
  const Augment& how = options_.augment;
  const bool changes = how.changes_pixels();
  batch.first_index = first;
  batch.pixels.resize(count * bytes);
  batch.labels.resize(count);
  scratch.resize(bytes);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t image = order_[first + i];
    const std::span<std::uint8_t> out(&batch.pixels[i * bytes], bytes);
    batch.labels[i] = source_->label(image);
    const std::span<std::uint8_t> loaded = changes ? std::span<std::uint8_t>(scratch) : out;
    if (how.takes_parts())
      NBQ_TRY(source_->load_part(
          image,
          [&](int h, int w) {
            return random_part(how, options_.seed, options_.epoch, image, h, w);
          },
          loaded));
    else
      NBQ_TRY(source_->load(image, loaded));
    if (changes)
      augment(how, options_.seed, options_.epoch, image, s.channels, s.height, s.width, scratch,
              out);
  }
  return ok_status();
}

void BatchLoader::work() {
  std::vector<std::uint8_t> scratch;
  std::unique_lock lock(mutex_);
  for (;;) {
    room_.wait(lock, [&] {
      return stop_ || next_claim_ >= batch_count() || next_claim_ < next_out_ + slots_.size();
    });
    if (stop_ || next_claim_ >= batch_count()) return;
    const std::size_t number = next_claim_++;
    Slot& slot = slots_[number % slots_.size()];
    lock.unlock();
    Status outcome = ok_status();
    try {
      outcome = fill(number, slot.batch, scratch);
    } catch (const std::exception& e) {
      outcome = make_error(ErrorCode::kIo, "batch {}: {}", number, e.what());
    }
    lock.lock();
    slot.outcome = std::move(outcome);
    ready_.notify_one();
  }
}

Result<bool> BatchLoader::next(Batch& batch) {
  if (next_out_ >= batch_count()) return false;
  if (workers_.empty()) {
    NBQ_TRY(fill(next_out_, batch, inline_scratch_));
    ++next_out_;
    return true;
  }
  std::unique_lock lock(mutex_);
  Slot& slot = slots_[next_out_ % slots_.size()];
  ready_.wait(lock, [&] { return slot.outcome.has_value(); });
  if (!slot.outcome->ok()) return slot.outcome->error();
  std::swap(batch, slot.batch);
  slot.outcome.reset();
  ++next_out_;
  lock.unlock();
  room_.notify_all();
  return true;
}

}  // namespace nbq
