#include "data/image.h"

#include "data/test_images.h"

namespace nbq {
namespace {
using namespace test;  // NOLINT

void expect_bad(const Result<Image>& r, const std::string& part) {
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, ErrorCode::kBadFile);
  EXPECT_NE(r.error().message.find(part), std::string::npos) << r.error().message;
}

TEST(Image, PngRoundTripIsExact) {
  for (int channels : {1, 3}) {
    const Image image = sample_image(channels, 13, 7);
    const auto back = decode_image(encode_png(image), "memory");
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->channels, channels);
    EXPECT_EQ(back->height, 13);
    EXPECT_EQ(back->width, 7);
    EXPECT_EQ(back->pixels, image.pixels);
  }
}

TEST(Image, JpegIsCloseToItsOriginal) {
  for (int channels : {1, 3}) {
    const Image image = sample_image(channels, 24, 32);
    const auto back = decode_image(encode_jpeg(image), "memory");
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back->channels, channels);
    EXPECT_LE(max_difference(*back, image), 4);
  }
}

TEST(Image, JpegFlavoursDecode) {
  const Image image = sample_image(3, 24, 32);
  for (int flags : {0, TJFLAG_PROGRESSIVE})
    for (int sampling : {TJSAMP_444, TJSAMP_420, TJSAMP_422}) {
      const auto back = decode_image(encode_jpeg(image, sampling, flags), "memory");
      ASSERT_TRUE(back.ok()) << back.error().message;
      EXPECT_LE(max_difference(*back, image), 12) << sampling;
    }
}

TEST(Image, CmykJpegBecomesRgb) {
  Image cmyk{4, 16, 16, std::vector<std::uint8_t>(4 * 256, 255)};
  std::fill_n(cmyk.pixels.begin(), 256, std::uint8_t{100});      // inverted cyan: red 100
  std::fill_n(cmyk.pixels.begin() + 256, 256, std::uint8_t{0});  // inverted magenta: green 0
  const auto rgb = decode_image(encode_jpeg(cmyk), "memory");
  ASSERT_TRUE(rgb.ok()) << rgb.error().message;
  ASSERT_EQ(rgb->channels, 3);
  EXPECT_NEAR(rgb->pixels[0], 100, 3);
  EXPECT_NEAR(rgb->pixels[256], 0, 3);
  EXPECT_NEAR(rgb->pixels[512], 255, 3);
}

TEST(Image, ContentDecidesNotTheName) {
  const TempFolder folder;
  const fs::path path = folder / "picture.jpg";
  ASSERT_TRUE(write_png(path, sample_image(3, 4, 4)).ok());
  EXPECT_TRUE(decode_image(path).ok());
  ASSERT_TRUE(write_file(path, "GIF89a, or so it says").ok());
  expect_bad(decode_image(path), "picture.jpg: neither a JPEG nor a PNG");
  ASSERT_TRUE(write_file(path, "").ok());
  expect_bad(decode_image(path), "picture.jpg: an empty file");
  expect_bad(decode_image(folder / "absent.png"), "absent.png: no such file");
}

TEST(Image, EveryTruncationIsAnError) {
  const Image image = sample_image(3, 16, 16);
  for (const auto& whole : {encode_jpeg(image), encode_png(image)})
    for (std::size_t n = 0; n < whole.size(); ++n)
      expect_bad(decode_image(std::span(whole).first(n), "cut.bin"), "cut.bin");
}

TEST(Image, AFileDoesNotDependOnTheOneBefore) {
  const auto good = encode_jpeg(sample_image(3, 16, 16));
  const auto expected = decode_image(good, "good");
  ASSERT_TRUE(expected.ok());
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(decode_image(std::span(good).first(n), "cut").ok());
    const auto again = decode_image(good, "good");
    ASSERT_TRUE(again.ok()) << "after a cut at " << n << ": " << again.error().message;
    ASSERT_EQ(again->pixels, expected->pixels);
  }
  // Without its tables it is broken, although the file before had the same ones.
  auto no_tables = good;
  for (std::size_t i = 0; i + 3 < no_tables.size();)
    if (no_tables[i] == 0xff && no_tables[i + 1] == 0xdb) {  // DQT
      const std::ptrdiff_t length = 2 + 256 * no_tables[i + 2] + no_tables[i + 3];
      const auto at = no_tables.begin() + static_cast<std::ptrdiff_t>(i);
      no_tables.erase(at, at + length);
    } else {
      ++i;
    }
  expect_bad(decode_image(no_tables, "tables.jpg"), "tables.jpg: a broken JPEG");
}

TEST(Image, DamagedPngIsAnError) {
  auto bytes = encode_png(sample_image(1, 8, 8));
  for (std::size_t i = 8; i < bytes.size(); ++i) {  // the checksums see every flip
    bytes[i] ^= 0x10;
    expect_bad(decode_image(bytes, "flip.png"), "flip.png: a broken PNG");
    bytes[i] ^= 0x10;
  }
}

TEST(Image, HostileDimensionsAreRefused) {
  auto jpeg = encode_jpeg(sample_image(3, 16, 16));
  for (std::size_t i = 0; i + 9 < jpeg.size(); ++i)
    if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0)  // SOF0: length, precision, height, width
      std::fill_n(jpeg.begin() + static_cast<std::ptrdiff_t>(i) + 5, 4, std::uint8_t{0xf0});
  expect_bad(decode_image(jpeg, "huge.jpg"), "huge.jpg: 61680 x 61680 pixels");

  // A PNG of nothing but a header of 60000 x 60000 gray pixels and an end.
  const std::vector<std::uint8_t> png = {0x89, 'P',  'N', 'G', '\r', '\n', 0x1a, '\n', 0,    0, 0,
                                         13,   'I',  'H', 'D', 'R',  0,    0,    0xea, 0x60, 0, 0,
                                         0xea, 0x60, 8,   0,   0,    0,    0,    0,    0,    0, 0};
  expect_bad(decode_image(png, "huge.png"), "huge.png");
}

TEST(Image, ToChannels) {
  const Image gray{1, 1, 2, {7, 200}};
  EXPECT_EQ(to_channels(gray, 3).pixels, (std::vector<std::uint8_t>{7, 200, 7, 200, 7, 200}));
  EXPECT_EQ(to_channels(to_channels(gray, 3), 1).pixels, gray.pixels);
  const Image primaries{3, 1, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255}};
  EXPECT_EQ(to_channels(primaries, 1).pixels, (std::vector<std::uint8_t>{76, 150, 29}));  // as PIL
}

TEST(Image, ResizeKeepsEqualSizesAndConstants) {
  const Image image = sample_image(3, 9, 11);
  EXPECT_EQ(resize_to(image, 9, 11).pixels, image.pixels);
  const Image flat{3, 5, 40, std::vector<std::uint8_t>(3 * 5 * 40, 77)};
  for (auto [h, w] : {std::pair{8, 8}, {3, 17}, {1, 1}, {64, 2}}) {
    const Image out = resize_to(flat, h, w);
    EXPECT_EQ(out.pixels, std::vector<std::uint8_t>(static_cast<std::size_t>(3 * h * w), 77));
  }
}

TEST(Image, ResizeCropsTheCentre) {
  // Black, white, black thirds: only the white one is left of a square.
  Image image{1, 10, 30, {}};
  for (int i = 0; i < 300; ++i)
    image.pixels.push_back(i % 30 >= 10 && i % 30 < 20 ? std::uint8_t{255} : std::uint8_t{0});
  EXPECT_EQ(resize_to(image, 5, 5).pixels, std::vector<std::uint8_t>(25, 255));
  EXPECT_EQ(resize_to(image, 10, 10).pixels, std::vector<std::uint8_t>(100, 255));
}

TEST(Image, CentrePartIsWhatResizingTheShorterSideAndCroppingKeeps) {
  const auto part = [](int h, int w, int out_h, int out_w, int side) {
    const ImagePart p = centre_part(h, w, out_h, out_w, side);
    return std::vector<int>{p.top, p.left, p.height, p.width};
  };
  // 500x375 becomes 256 high at 7/8 of the shorter side: 375 * 224 / 256 = 328.
  EXPECT_EQ(part(375, 500, 224, 224, 256), (std::vector<int>{23, 86, 328, 328}));
  EXPECT_EQ(part(500, 375, 224, 224, 256), (std::vector<int>{86, 23, 328, 328}));
  EXPECT_EQ(part(375, 500, 224, 224, 0), (std::vector<int>{0, 62, 375, 375}));
  EXPECT_EQ(part(256, 256, 224, 224, 256), (std::vector<int>{16, 16, 224, 224}));
  // Twice as wide as the crop asks for: no more than the image has.
  EXPECT_EQ(part(100, 50, 40, 80, 80), (std::vector<int>{37, 0, 25, 50}));
}

TEST(Image, ResizePartTakesThatPartOnly) {
  Image image{1, 6, 8, std::vector<std::uint8_t>(48, 0)};
  for (int y = 2; y < 4; ++y)
    for (int x = 3; x < 7; ++x) image.pixels[static_cast<std::size_t>(8 * y + x)] = 200;
  const ImagePart bright{2, 3, 2, 4};
  EXPECT_EQ(resize_part(image, bright, 5, 7).pixels, std::vector<std::uint8_t>(35, 200));
  EXPECT_EQ(resize_part(image, bright, 2, 4).pixels, std::vector<std::uint8_t>(8, 200));
}

TEST(Image, ResizeSurvivesExtremeShapes) {
  const Image line{1, 1, 1 << 20, std::vector<std::uint8_t>(1 << 20, 9)};
  EXPECT_EQ(resize_to(line, 16, 16).pixels, std::vector<std::uint8_t>(256, 9));
}

TEST(Image, WritePngNamesThePath) {
  const TempFolder folder;
  ASSERT_TRUE(write_file(folder / "file", "in the way").ok());
  const Status s = write_png(folder / "file/a.png", sample_image(1, 2, 2));
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, ErrorCode::kIo);
  EXPECT_NE(s.error().message.find("a.png"), std::string::npos);
}

}  // namespace
}  // namespace nbq
