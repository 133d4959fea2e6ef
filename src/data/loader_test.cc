#include "data/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace nbq {
namespace {

/// Every pixel of image i is i; label i % 3.
ImageSourcePtr counting_source(int n) {
  DatasetInfo info{{"a", "b", "c"}, {1, 4, 4}, {}};
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < n; ++i) {
    info.labels.push_back(i % 3);
    pixels.insert(pixels.end(), 16, static_cast<std::uint8_t>(i));
  }
  return *make_memory_source(std::move(info), std::move(pixels));
}

/// Fails at one image.
class FailingSource final : public ImageSource {
 public:
  FailingSource(int n, std::size_t bad)
      : ImageSource({{"a", "b"}, {1, 1, 1}, std::vector<int>(static_cast<std::size_t>(n))}, 0),
        bad_(bad) {}
  Status load(std::size_t i, std::span<std::uint8_t> out) const override {
    if (i == bad_) return make_error(ErrorCode::kBadFile, "image {} is broken", i);
    out[0] = 0;
    return ok_status();
  }

 private:
  std::size_t bad_;
};

std::vector<Batch> drain(BatchLoader& loader) {
  std::vector<Batch> all;
  for (;;) {
    Batch b;
    const auto more = loader.next(b);
    EXPECT_TRUE(more.ok());
    if (!more.ok() || !*more) return all;
    all.push_back(std::move(b));
  }
}

bool same(const Batch& a, const Batch& b) {
  return a.pixels == b.pixels && a.labels == b.labels && a.first_index == b.first_index;
}

TEST(Loader, SequentialCoversEverythingInOrder) {
  for (int threads : {0, 1, 3}) {
    BatchLoader loader(counting_source(50), {.batch_size = 16, .threads = threads});
    EXPECT_EQ(loader.batch_count(), 4u);
    const auto batches = drain(loader);
    ASSERT_EQ(batches.size(), 4u);
    EXPECT_EQ(batches[3].size(), 2u);
    EXPECT_EQ(batches[3].first_index, 48u);
    EXPECT_EQ(batches[3].pixels.size(), 32u);
    EXPECT_EQ(batches[1].pixels[0], 16);
    EXPECT_EQ(batches[1].labels[1], 17 % 3);
    Batch b;
    EXPECT_FALSE(*loader.next(b));  // stays at the end
  }
}

TEST(Loader, SameBatchesWhateverTheThreadsAndPrefetch) {
  const auto source = counting_source(200);
  const auto run = [&](int threads, std::size_t prefetch) {
    BatchLoader loader(source, {.batch_size = 7,
                                .shuffle = true,
                                .seed = 5,
                                .epoch = 2,
                                .augment = {.pad_crop = 1, .flip = true},
                                .threads = threads,
                                .prefetch = prefetch});
    return drain(loader);
  };
  const auto base = run(0, 1);
  ASSERT_EQ(base.size(), 29u);
  for (int threads : {1, 2, 5})
    for (std::size_t prefetch : {1u, 2u, 9u}) {
      const auto other = run(threads, prefetch);
      ASSERT_EQ(other.size(), base.size());
      for (std::size_t i = 0; i < base.size(); ++i)
        EXPECT_TRUE(same(base[i], other[i])) << "threads " << threads << " batch " << i;
    }
}

TEST(Loader, ResumesAtAnyBatch) {
  const auto source = counting_source(100);
  LoaderOptions options{.batch_size = 8, .shuffle = true, .seed = 1, .augment = {.pad_crop = 2}};
  BatchLoader whole(source, options);
  const auto base = drain(whole);
  for (std::size_t first : {1u, 6u, 12u, 13u, 40u}) {
    options.first_batch = first;
    BatchLoader rest(source, options);
    const auto tail = drain(rest);
    ASSERT_EQ(tail.size(), first < base.size() ? base.size() - first : 0) << first;
    for (std::size_t i = 0; i < tail.size(); ++i) EXPECT_TRUE(same(tail[i], base[first + i]));
  }
}

TEST(Loader, TakesAnIndexList) {
  BatchLoader loader(counting_source(50), {40, 3, 3}, {.batch_size = 2});
  const auto batches = drain(loader);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].pixels[0], 40);
  EXPECT_EQ(batches[1].pixels[0], 3);
}

TEST(Loader, NoImagesNoBatches) {
  BatchLoader loader(counting_source(5), std::vector<std::size_t>{}, {});
  Batch b;
  EXPECT_FALSE(*loader.next(b));
}

TEST(Loader, ErrorsArriveAtTheirBatchAndStay) {
  for (int threads : {0, 1, 4}) {
    const auto source = std::make_shared<const FailingSource>(100, 37);
    BatchLoader loader(source, {.batch_size = 10, .threads = threads});
    Batch b;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(loader.next(b).ok());
    for (int i = 0; i < 2; ++i) {
      const auto r = loader.next(b);
      ASSERT_FALSE(r.ok());
      EXPECT_EQ(r.error().message, "image 37 is broken");
    }
  }
}

TEST(Loader, MayBeLeftEarly) {
  for (int i = 0; i < 50; ++i) {
    BatchLoader loader(counting_source(100), {.batch_size = 1, .threads = 3});
    Batch b;
    for (int k = 0; k < i % 5; ++k) ASSERT_TRUE(*loader.next(b));
  }
}

TEST(EpochOrder, IsAPermutationOfItsSeedAndEpoch) {
  std::vector<std::size_t> all(1000);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const auto a = epoch_order(all, 1, 1);
  EXPECT_EQ(a, epoch_order(all, 1, 1));
  EXPECT_NE(a, epoch_order(all, 1, 2));
  EXPECT_NE(a, epoch_order(all, 2, 1));
  EXPECT_NE(a, all);
  auto sorted = a;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, all);
}

TEST(EpochOrder, StaysWhatItIs) {  // a change would break the resuming of old checkpoints
  EXPECT_EQ(epoch_order({0, 1, 2, 3, 4, 5, 6, 7}, 1, 2),
            (std::vector<std::size_t>{2, 3, 5, 6, 1, 4, 0, 7}));
}

TEST(SplitIndices, PartsAreDisjointAndComplete) {
  const auto s = split_indices(1000, 0.1, 7);
  ASSERT_TRUE(s.ok());
  EXPECT_EQ(s->validation.size(), 100u);
  EXPECT_EQ(s->train.size(), 900u);
  std::set<std::size_t> all(s->train.begin(), s->train.end());
  all.insert(s->validation.begin(), s->validation.end());
  EXPECT_EQ(all.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(s->train.begin(), s->train.end()));
  EXPECT_EQ(s->validation, split_indices(1000, 0.1, 7)->validation);
  EXPECT_NE(s->validation, split_indices(1000, 0.1, 8)->validation);
}

TEST(SplitIndices, SmallAndWrongInputs) {
  EXPECT_EQ(split_indices(2, 0.01, 0)->validation.size(), 1u);
  EXPECT_EQ(split_indices(2, 0.99, 0)->train.size(), 1u);
  EXPECT_EQ(split_indices(1, 0.5, 0)->train.size() + split_indices(1, 0.5, 0)->validation.size(),
            1u);
  EXPECT_TRUE(split_indices(0, 0.5, 0)->train.empty());
  EXPECT_TRUE(split_indices(10, 0, 0)->validation.empty());
  for (double bad : {-0.1, 1.0, 2.0, std::nan("")}) EXPECT_FALSE(split_indices(10, bad, 0).ok());
}

TEST(Loader, PartsAreTheSameWhateverTheThreads) {
  DatasetInfo info{{"a", "b"}, {1, 8, 8}, std::vector<int>(20)};
  std::vector<std::uint8_t> pixels(20 * 64);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(3 * i);
  const auto source = *make_memory_source(std::move(info), std::move(pixels));
  LoaderOptions options{.batch_size = 6, .shuffle = true, .seed = 4};
  options.augment = {.flip = true, .min_area = 0.2, .max_area = 0.9};
  options.threads = 0;
  BatchLoader inline_loader(source, options);
  const auto want = drain(inline_loader);
  options.threads = 3;
  BatchLoader threaded(source, options);
  const auto have = drain(threaded);
  ASSERT_EQ(have.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_TRUE(same(have[i], want[i]));
  options.epoch = 1;
  BatchLoader later(source, options);
  EXPECT_FALSE(same(drain(later)[0], want[0]));
}

}  // namespace
}  // namespace nbq
