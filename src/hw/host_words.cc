#include "hw/host_words.h"

#include <bit>

#include "core/po2_code.h"

namespace nbq::hw {
namespace {

/// The channel of the packed image that lane holds, as a source pixel; 0 outside the image.
std::int32_t packed_pixel(const ImageLayout& l, std::span<const std::uint8_t> pixels, int channel,
                          int y, int x) {
  if (channel >= l.place.shape.c) return 0;
  const Shape& image = l.image;
  int iy = y, ix = x;
  if (l.taps_x * l.taps_y > 1) {
    const int tap = channel / image.c;
    ix = x * l.window.stride_w + (tap % l.taps_x) * l.window.dilation_w - l.window.pad_left;
    if (l.taps_y > 1)
      iy = y * l.window.stride_h + (tap / l.taps_x) * l.window.dilation_h - l.window.pad_top;
    channel %= image.c;
  }
  if (iy < 0 || iy >= image.h || ix < 0 || ix >= image.w) return 0;
  return pixels[(static_cast<std::size_t>(channel) * static_cast<std::size_t>(image.h) +
                 static_cast<std::size_t>(iy)) *
                    static_cast<std::size_t>(image.w) +
                static_cast<std::size_t>(ix)] -
         128;
}

}  // namespace

WordPacker weight_word(const EngineConfig& config, std::span<const std::int16_t> weights) {
  const Po2Format f{config.code_bits};
  WordPacker word;
  for (const int value : weights) {
    if (config.pe != PeKind::kSvpe) {
      word.append(static_cast<std::uint64_t>(value), config.weight_bits());
    } else {
      const auto magnitude = static_cast<unsigned>(value < 0 ? -value : value);
      word.append(Po2Code::make(f, value < 0, std::bit_width(magnitude)).raw, f.bits);
    }
  }
  return word;
}

WordPacker param_word(const EngineConfig& config, std::span<const Program::Param> params) {
  WordPacker word;
  for (const Program::Param& p : params) {
    word.append(static_cast<std::uint64_t>(p.bias), config.acc_bits);
    word.append(static_cast<std::uint64_t>(static_cast<std::int64_t>(p.shift)), 7);
  }
  return word;
}

std::int64_t image_word_count(const Program& program) {
  const EngineConfig& c = program.config;
  return program.image.place.words() * c.act_digits * c.pixels;
}

std::int64_t image_slot(const Program& program) {
  const EngineConfig& c = program.config;
  return std::int64_t{program.image.place.base} * c.act_digits * c.pixels;
}

std::vector<WordPacker> image_words(const Program& program, std::span<const std::uint8_t> pixels) {
  const ImageLayout& l = program.image;
  const EngineConfig& c = program.config;
  const TensorPlace& t = l.place;
  std::vector<WordPacker> words(static_cast<std::size_t>(image_word_count(program)));
  for (int p = 0; p < t.planes; ++p)
    for (int y = 0; y < t.shape.h; ++y)
      for (int x = 0; x < t.shape.w; ++x) {
        const std::int64_t at = t.word(p, y, x, c.pixels) - t.base;
        for (int digit = 0; digit < c.act_digits; ++digit) {
          WordPacker& word = words[static_cast<std::size_t>((at * c.act_digits + digit) * c.pixels +
                                                            t.bank(x, c.pixels))];
          for (int lane = 0; lane < c.lanes_in; ++lane) {
            const std::int64_t v = packed_pixel(l, pixels, p * c.lanes_in + lane, y, x);
            word.append(static_cast<std::uint64_t>(v >> (digit * c.digit_bits())), c.digit_bits());
          }
        }
      }
  WordPacker zero;  // columns beyond the map, which nobody reads
  for (int lane = 0; lane < c.lanes_in; ++lane) zero.append(0, c.digit_bits());
  for (WordPacker& word : words)
    if (word.words().empty()) word = zero;
  return words;
}

}  // namespace nbq::hw
