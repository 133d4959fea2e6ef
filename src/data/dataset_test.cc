#include "data/dataset.h"

#include <map>

#include "data/test_images.h"

namespace nbq {
namespace {
using namespace test;  // NOLINT

std::vector<std::uint8_t> pixels_of(const ImageSource& source, std::size_t i) {
  std::vector<std::uint8_t> out(source.shape().bytes());
  EXPECT_TRUE(source.load(i, out).ok());
  return out;
}

TEST(Digits, SplitsShapeAndFirstImage) {
  const auto train = open_dataset({.path = "digits", .split = Split::kTrain});
  const auto test = open_dataset({.path = "digits", .split = Split::kTest});
  ASSERT_TRUE(train.ok() && test.ok());
  EXPECT_EQ((*train)->size(), 1000u);
  EXPECT_EQ((*test)->size(), 797u);
  EXPECT_EQ((*train)->shape(), (ImageShape{1, 8, 8}));
  EXPECT_EQ((*train)->class_names().size(), 10u);
  EXPECT_EQ((*train)->class_names()[7], "7");
  EXPECT_EQ((*train)->label(0), 0);
  EXPECT_EQ((*train)->label(1), 1);
  const auto first = pixels_of(**train, 0);  // the file begins with 0,0,5,13,9,1,0,0
  EXPECT_EQ(std::vector<std::uint8_t>(first.begin(), first.begin() + 8),
            (std::vector<std::uint8_t>{0, 0, 80, 208, 144, 16, 0, 0}));
  EXPECT_EQ(pixels_of(**train, 1)[8 + 4], 255);  // 16 * 16 saturates
  EXPECT_NE((*train)->fingerprint(), (*test)->fingerprint());
}

TEST(Digits, FitToAnotherShape) {
  const auto r = open_dataset({.path = "digits", .channels = 3, .height = 16, .width = 16});
  ASSERT_TRUE(r.ok());
  EXPECT_EQ((*r)->shape(), (ImageShape{3, 16, 16}));
  const auto p = pixels_of(**r, 3);
  EXPECT_TRUE(std::equal(p.begin(), p.begin() + 256, p.begin() + 256));
}

TEST(Dataset, BadShapeIsAUsageError) {
  for (const DatasetSpec& spec :
       {DatasetSpec{.path = "digits", .channels = 2}, DatasetSpec{.path = "digits", .height = -1},
        DatasetSpec{.path = "digits", .width = 5000}}) {
    const auto r = open_dataset(spec);
    ASSERT_FALSE(r.ok());
    EXPECT_EQ(r.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Dataset, MemorySourceChecksItsParts) {
  const DatasetInfo good{{"a", "b"}, {1, 1, 2}, {0, 1}};
  EXPECT_TRUE(make_memory_source(good, {1, 2, 3, 4}).ok());
  EXPECT_FALSE(make_memory_source(good, {1, 2, 3}).ok());
  DatasetInfo bad = good;
  bad.labels[1] = 2;
  EXPECT_FALSE(make_memory_source(bad, {1, 2, 3, 4}).ok());
  bad = good;
  bad.shape.channels = 2;
  EXPECT_FALSE(make_memory_source(bad, {1, 2, 3, 4, 5, 6, 7, 8}).ok());
}

TEST(Dataset, FingerprintSeesEveryPart) {
  const DatasetInfo info{{"a", "b"}, {1, 1, 2}, {0, 1}};
  const auto of = [](DatasetInfo i, std::vector<std::uint8_t> p) {
    return (*make_memory_source(std::move(i), std::move(p)))->fingerprint();
  };
  const auto base = of(info, {1, 2, 3, 4});
  EXPECT_EQ(base, of(info, {1, 2, 3, 4}));
  EXPECT_NE(base, of(info, {1, 2, 3, 5}));
  EXPECT_NE(base, of({{"a", "c"}, {1, 1, 2}, {0, 1}}, {1, 2, 3, 4}));
  EXPECT_NE(base, of({{"a", "b"}, {1, 2, 1}, {0, 1}}, {1, 2, 3, 4}));
  EXPECT_NE(base, of({{"a", "b"}, {1, 1, 2}, {1, 0}}, {1, 2, 3, 4}));
}

TEST(Export, ClassFoldersReadBackTheSameImages) {
  const TempFolder folder;
  const auto digits = open_dataset({.path = "digits", .split = Split::kTest});
  ASSERT_TRUE(digits.ok());
  ASSERT_TRUE(write_class_folders(**digits, folder.path()).ok());
  const auto back = open_dataset({.path = folder.path().string()});
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ((*back)->size(), (*digits)->size());
  EXPECT_EQ((*back)->class_names(), (*digits)->class_names());
  EXPECT_EQ((*back)->shape(), (*digits)->shape());
  // Now sorted by class; within a class the order is the old one.
  std::map<int, std::vector<std::size_t>> old_by_class;
  for (std::size_t i = 0; i < (*digits)->size(); ++i)
    old_by_class[(*digits)->label(i)].push_back(i);
  std::size_t at = 0;
  for (const auto& [label, olds] : old_by_class)
    for (const std::size_t old : olds) {
      EXPECT_EQ((*back)->label(at), label);
      EXPECT_EQ(pixels_of(**back, at), pixels_of(**digits, old));
      ++at;
    }
}

TEST(Export, ClassNamesThatLeaveTheFolderAreRefused) {
  const TempFolder folder;
  for (const char* name : {"../up", "", ".", "a/b"}) {
    const auto source = make_memory_source({{name, "b"}, {1, 1, 1}, {0, 1}}, {1, 2});
    ASSERT_TRUE(source.ok());
    const Status s = write_class_folders(**source, folder.path());
    ASSERT_FALSE(s.ok());
    EXPECT_EQ(s.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace nbq
