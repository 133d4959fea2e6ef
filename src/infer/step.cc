#include "infer/step.h"

#include <cstring>

namespace nbq::infer {

Place place_of(const View& view, const std::vector<Buffer>& buffers) {
  const Buffer& b = buffers[static_cast<std::size_t>(view.buffer)];
  Place p;
  p.image = b.image_bytes();
  p.row = b.row_bytes();
  p.pixel = b.pixel_bytes();
  p.offset = b.offset + b.top * p.row + b.left * p.pixel + view.first_channel * b.element();
  p.zero = b.zero;
  p.wide = b.wide;
  return p;
}

void fill_zeros(std::uint8_t* to, std::ptrdiff_t bytes, const Buffer& b) {
  if (!b.wide) {
    std::memset(to, b.zero, static_cast<std::size_t>(bytes));
    return;
  }
  const auto zero = static_cast<std::int16_t>(b.zero);
  for (std::ptrdiff_t i = 0; i < bytes; i += 2) std::memcpy(to + i, &zero, 2);
}

void fill_margin(const Buffer& b, std::uint8_t* arena, std::int64_t image, int first_row,
                 int last_row) {
  if (!b.has_margin()) return;
  std::uint8_t* base = arena + b.offset + image * b.image_bytes();
  const std::ptrdiff_t row = b.row_bytes(), pixel = b.pixel_bytes();
  if (first_row == 0 && b.top > 0) fill_zeros(base, b.top * row, b);
  if (last_row == b.height && b.bottom > 0)
    fill_zeros(base + (b.top + b.height) * row, b.bottom * row, b);
  if (b.left + b.right == 0) return;
  for (int y = first_row; y < last_row; ++y) {
    std::uint8_t* line = base + (b.top + y) * row;
    fill_zeros(line, b.left * pixel, b);
    fill_zeros(line + (b.left + b.width) * pixel, b.right * pixel, b);
  }
}

}  // namespace nbq::infer
