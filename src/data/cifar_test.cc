#include "data/dataset.h"
#include "data/test_images.h"

namespace nbq {
namespace {
using namespace test;  // NOLINT

/// Records whose pixels are all 10 * label + i.
std::vector<std::uint8_t> records(const std::vector<int>& labels, bool coarse = false) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (coarse) out.push_back(19);
    out.push_back(static_cast<std::uint8_t>(labels[i]));
    out.insert(out.end(), 3072, static_cast<std::uint8_t>(10 * labels[i] + static_cast<int>(i)));
  }
  return out;
}

class CifarTest : public ::testing::Test {
 protected:
  void write(const char* name, const std::vector<std::uint8_t>& bytes) const {
    ASSERT_TRUE(write_file(folder_ / name, bytes).ok());
  }
  void write_train(const std::string& under = "") const {
    for (int i = 1; i <= 5; ++i)
      write((under + fmt::format("data_batch_{}.bin", i)).c_str(), records({i, i + 1}));
  }
  Result<ImageSourcePtr> open(Split split) const {
    return open_dataset({.path = folder_.path().string(), .split = split});
  }
  void expect_bad(Split split, const std::string& part) const {
    const auto r = open(split);
    ASSERT_FALSE(r.ok()) << "expected: " << part;
    EXPECT_EQ(r.error().code, ErrorCode::kBadFile);
    EXPECT_NE(r.error().message.find(part), std::string::npos) << r.error().message;
  }
  const TempFolder folder_;
};

TEST_F(CifarTest, ReadsBatchesInOrder) {
  write_train();
  write("test_batch.bin", records({9}));
  const auto train = open(Split::kTrain);
  ASSERT_TRUE(train.ok()) << train.error().message;
  EXPECT_EQ((*train)->labels(), (std::vector<int>{1, 2, 2, 3, 3, 4, 4, 5, 5, 6}));
  EXPECT_EQ((*train)->shape(), (ImageShape{3, 32, 32}));
  EXPECT_EQ((*train)->class_names()[0], "airplane");
  std::vector<std::uint8_t> out(3072);
  ASSERT_TRUE((*train)->load(9, out).ok());
  EXPECT_EQ(out, std::vector<std::uint8_t>(3072, 61));
  const auto test = open(Split::kTest);
  ASSERT_TRUE(test.ok());
  EXPECT_EQ((*test)->size(), 1u);
}

TEST_F(CifarTest, AcceptsTheParentFolderAndNames) {
  write_train("cifar-10-batches-bin/");
  ASSERT_TRUE(write_file(folder_ / "cifar-10-batches-bin/batches.meta.txt",
                         "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n")
                  .ok());
  const auto train = open(Split::kTrain);
  ASSERT_TRUE(train.ok()) << train.error().message;
  EXPECT_EQ((*train)->class_names()[9], "j");
  ASSERT_TRUE(write_file(folder_ / "cifar-10-batches-bin/batches.meta.txt", "a\nb\n").ok());
  expect_bad(Split::kTrain, "batches.meta.txt: 2 class names, expected 10");
}

TEST_F(CifarTest, MissingBatchIsNamed) {
  write_train();
  fs::remove(folder_ / "data_batch_3.bin");
  expect_bad(Split::kTrain, "data_batch_3.bin: this CIFAR batch is missing");
  expect_bad(Split::kTest, "test_batch.bin: this CIFAR batch is missing");
}

TEST_F(CifarTest, WrongSizeIsNamed) {
  write_train();
  auto cut = records({1, 2});
  cut.pop_back();
  write("data_batch_4.bin", cut);
  expect_bad(Split::kTrain, "data_batch_4.bin: 6145 bytes");
  write("data_batch_4.bin", {});
  expect_bad(Split::kTrain, "data_batch_4.bin: 0 bytes");
}

TEST_F(CifarTest, WrongLabelIsNamed) {
  write_train();
  write("data_batch_5.bin", records({1, 10}));
  expect_bad(Split::kTrain, "data_batch_5.bin: image 1 has label 10");
}

TEST_F(CifarTest, Cifar100TakesTheFineLabel) {
  write("train.bin", records({99, 3}, true));
  const auto train = open(Split::kTrain);
  ASSERT_TRUE(train.ok()) << train.error().message;
  EXPECT_EQ((*train)->labels(), (std::vector<int>{99, 3}));
  EXPECT_EQ((*train)->class_names().size(), 100u);
  std::string names;
  for (int i = 0; i < 100; ++i) names += fmt::format("kind {}\n", i);
  write("fine_label_names.txt", {names.begin(), names.end()});
  const auto named = open(Split::kTrain);
  ASSERT_TRUE(named.ok()) << named.error().message;
  EXPECT_EQ((*named)->class_names()[99], "kind 99");
  expect_bad(Split::kTest, "test.bin");
}

}  // namespace
}  // namespace nbq
