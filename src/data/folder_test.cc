#include "data/dataset.h"
#include "data/test_images.h"

namespace nbq {
namespace {
using namespace test;  // NOLINT

void expect_bad(const DatasetSpec& spec, const std::string& part) {
  const auto r = open_dataset(spec);
  ASSERT_FALSE(r.ok()) << "expected: " << part;
  EXPECT_EQ(r.error().code, ErrorCode::kBadFile);
  EXPECT_NE(r.error().message.find(part), std::string::npos) << r.error().message;
}

class FolderTest : public ::testing::Test {
 protected:
  DatasetSpec spec(Split split = Split::kTrain) const {
    return {.path = folder_.path().string(), .split = split};
  }
  void png(const char* name, int salt, int channels = 3, int side = 6) const {
    ASSERT_TRUE(write_png(folder_ / name, sample_image(channels, side, side, salt)).ok());
  }
  /// The top left red pixel: 5 * salt of sample_image().
  static int salt_of(const ImageSource& source, std::size_t i) {
    std::vector<std::uint8_t> out(source.shape().bytes());
    EXPECT_TRUE(source.load(i, out).ok());
    return out[0] / 5;
  }
  const TempFolder folder_;
};

TEST_F(FolderTest, ClassFoldersServeBothSplits) {
  png("dog/b.png", 2);
  png("dog/a.PNG", 1);
  png("cat/nested/deep/z.png", 4);
  png("cat/nested/y.png", 3);
  ASSERT_TRUE(write_file(folder_ / "cat/readme.txt", "not an image").ok());
  ASSERT_TRUE(write_file(folder_ / "cat/._a.jpg", "left by another system").ok());
  for (Split split : {Split::kTrain, Split::kTest}) {
    const auto r = open_dataset(spec(split));
    ASSERT_TRUE(r.ok()) << r.error().message;
    const ImageSource& s = **r;
    EXPECT_EQ(s.class_names(), (std::vector<std::string>{"cat", "dog"}));
    EXPECT_EQ(s.labels(), (std::vector<int>{0, 0, 1, 1}));
    EXPECT_EQ(s.shape(), (ImageShape{3, 6, 6}));
    EXPECT_EQ(salt_of(s, 0), 4);  // cat/nested/deep/z.png before cat/nested/y.png
    EXPECT_EQ(salt_of(s, 1), 3);
    EXPECT_EQ(salt_of(s, 2), 1);
    EXPECT_EQ(salt_of(s, 3), 2);
  }
}

TEST_F(FolderTest, TrainAndTestShareClassNumbersAndShape) {
  png("train/a/1.png", 1);
  png("train/b/1.png", 2);
  png("train/c/1.png", 3);
  png("test/c/1.png", 4, 1, 9);  // gray, larger; a and b have no test images
  const auto test = open_dataset(spec(Split::kTest));
  ASSERT_TRUE(test.ok()) << test.error().message;
  EXPECT_EQ((*test)->class_names().size(), 3u);
  EXPECT_EQ((*test)->labels(), (std::vector<int>{2}));
  EXPECT_EQ((*test)->shape(), (ImageShape{3, 6, 6}));
  png("test/d/1.png", 5);
  expect_bad(spec(Split::kTest), "test/d: a class that the training images lack");
}

TEST_F(FolderTest, ValStandsInForTest) {
  png("train/a/1.png", 1);
  png("train/b/1.png", 2);
  expect_bad(spec(Split::kTest), "has no test/ or val/ folder");
  png("val/a/1.png", 7);
  const auto test = open_dataset(spec(Split::kTest));
  ASSERT_TRUE(test.ok()) << test.error().message;
  EXPECT_EQ(salt_of(**test, 0), 7);
}

TEST_F(FolderTest, AClassMayBeCalledTrain) {
  png("train/1.png", 1);
  png("ship/1.png", 2);
  const auto r = open_dataset(spec());
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ((*r)->class_names(), (std::vector<std::string>{"ship", "train"}));
}

TEST_F(FolderTest, MixedSizesAndFormatsAreFitted) {
  png("a/1.png", 1);
  png("a/2.png", 2, 1, 20);
  write_jpeg(folder_ / "b/3.JPeG", sample_image(3, 12, 40, 3));
  const auto r = open_dataset(spec());
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ((*r)->size(), 3u);
  EXPECT_EQ((*r)->shape(), (ImageShape{3, 6, 6}));
  auto asked = spec();
  asked.channels = 1;
  asked.height = 4;
  asked.width = 5;
  const auto small = open_dataset(asked);
  ASSERT_TRUE(small.ok());
  EXPECT_EQ((*small)->shape(), (ImageShape{1, 4, 5}));
}

TEST_F(FolderTest, OnDemandGivesTheSameImages) {
  for (int i = 0; i < 10; ++i) {
    png(fmt::format("a/{}.png", i).c_str(), i);
    png(fmt::format("b/{}.png", i).c_str(), 10 + i);
  }
  const auto cached = open_dataset(spec());
  auto lazy_spec = spec();
  lazy_spec.cache_bytes = 100;
  const auto lazy = open_dataset(lazy_spec);
  ASSERT_TRUE(cached.ok() && lazy.ok());
  EXPECT_EQ((*cached)->labels(), (*lazy)->labels());
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(salt_of(**lazy, i), salt_of(**cached, i));
  EXPECT_EQ((*lazy)->fingerprint(), (*open_dataset(lazy_spec))->fingerprint());
  // Gone after opening: load() says so.
  fs::remove(folder_ / "b/3.png");
  std::vector<std::uint8_t> out((*lazy)->shape().bytes());
  const Status s = (*lazy)->load(13, out);
  ASSERT_FALSE(s.ok());
  EXPECT_NE(s.error().message.find("b/3.png"), std::string::npos);
}

TEST_F(FolderTest, AbsentFileAndEmptyFolders) {
  expect_bad({.path = (folder_ / "nowhere").string()}, "nowhere: no such folder");
  expect_bad(spec(), "no images");
  ASSERT_TRUE(write_file(folder_ / "f", "x").ok());
  expect_bad({.path = (folder_ / "f").string()}, "is a file");
  fs::create_directories(folder_ / "a");
  fs::create_directories(folder_ / "b");
  expect_bad(spec(), "no images");
}

TEST_F(FolderTest, ImagesWithoutClassFolders) {
  png("1.png", 1);
  expect_bad(spec(), "has images but no class folders");
}

TEST_F(FolderTest, OneClassIsNamedInBothSplits) {
  png("only/1.png", 1);
  expect_bad(spec(Split::kTrain), "only one class, \"only\"");
  expect_bad(spec(Split::kTest), "only one class, \"only\"");
}

TEST_F(FolderTest, EmptyClassFolderIsNamed) {
  png("a/1.png", 1);
  png("b/1.png", 1);
  fs::create_directories(folder_ / "c");
  expect_bad(spec(), "/c: this class folder has no images");
}

TEST_F(FolderTest, FirstBrokenFileIsNamedWhateverTheThreads) {
  for (int i = 0; i < 30; ++i) png(fmt::format("a/{:02}.png", i).c_str(), i);
  png("b/00.png", 1);
  const auto whole = encode_jpeg(sample_image(3, 6, 6));
  const auto half = std::span(whole).first(whole.size() - 20);
  for (const char* name : {"a/21.jpg", "a/25.jpg", "b/01.jpg"})
    ASSERT_TRUE(write_file(folder_ / name, half).ok());
  for (int threads : {1, 2, 7}) {
    auto s = spec();
    s.threads = threads;
    expect_bad(s, "a/21.jpg: a broken JPEG");
  }
}

TEST_F(FolderTest, LinkLoopsEnd) {
  png("a/1.png", 1);
  png("b/1.png", 2);
  fs::create_directory_symlink(folder_.path(), folder_ / "a/loop");
  const auto r = open_dataset(spec());
  ASSERT_TRUE(r.ok()) << r.error().message;
  EXPECT_EQ((*r)->size(), 2u);
}

TEST_F(FolderTest, ImageNetsLayoutIsResizedAndCropped) {
  fs::create_directories(folder_ / "train/n01440764");
  fs::create_directories(folder_ / "train/n01443537");
  fs::create_directories(folder_ / "val/n01440764");
  write_jpeg(folder_ / "train/n01440764/n01440764_18.JPEG", sample_image(3, 30, 40, 1));
  write_jpeg(folder_ / "train/n01443537/n01443537_2.JPEG", sample_image(1, 50, 32, 2));
  write_jpeg(folder_ / "val/n01440764/ILSVRC2012_val_00000293.JPEG", sample_image(3, 32, 32, 3));
  for (Split split : {Split::kTrain, Split::kTest}) {
    DatasetSpec s = spec(split);
    s.channels = 3;
    s.height = s.width = 14;
    s.resize = 16;
    for (const std::size_t cache : {std::size_t{0}, s.cache_bytes}) {
      s.cache_bytes = cache;
      const auto r = open_dataset(s);
      ASSERT_TRUE(r.ok()) << r.error().message;
      EXPECT_EQ((*r)->size(), split == Split::kTrain ? 2u : 1u);
      EXPECT_EQ((*r)->shape(), (ImageShape{3, 14, 14}));
      std::vector<std::uint8_t> out((*r)->shape().bytes());
      ASSERT_TRUE((*r)->load(0, out).ok());
      if (split == Split::kTrain) continue;
      const Image whole = *decode_image(folder_ / "val/n01440764/ILSVRC2012_val_00000293.JPEG");
      EXPECT_EQ(out, resize_part(whole, {2, 2, 28, 28}, 14, 14).pixels);
    }
  }
}

TEST_F(FolderTest, PartsAreOfTheWholePicture) {
  png("a/1.png", 0, 1, 20);
  png("b/1.png", 1, 1, 20);
  DatasetSpec s = spec();
  s.height = s.width = 4;
  s.whole_pictures = true;
  const auto r = open_dataset(s);
  ASSERT_TRUE(r.ok()) << r.error().message;
  std::vector<std::uint8_t> out(16);
  const auto corner = [](int h, int w) { return ImagePart{h - 4, w - 4, 4, 4}; };
  ASSERT_TRUE((*r)->load_part(0, corner, out).ok());
  EXPECT_EQ(out[0], 3 * 16 + 2 * 16);  // sample_image() at row and column 16
  s.whole_pictures = false;            // decoded at opening: the picture is the 4x4 one
  const auto fitted = open_dataset(s);
  ASSERT_TRUE(fitted.ok());
  std::vector<std::uint8_t> all(16);
  ASSERT_TRUE((*fitted)->load(0, all).ok());
  ASSERT_TRUE((*fitted)->load_part(0, corner, out).ok());
  EXPECT_EQ(out, all);
}

TEST_F(FolderTest, ResizeNeedsACropThatFits) {
  png("a/1.png", 1);
  png("b/1.png", 2);
  for (const auto& [resize, side] : {std::pair{8, 0}, {8, 9}, {-1, 4}, {5000, 4}}) {
    DatasetSpec s = spec();
    s.resize = resize;
    s.height = s.width = side;
    const auto r = open_dataset(s);
    ASSERT_FALSE(r.ok()) << resize;
    EXPECT_EQ(r.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace nbq
