#pragma once
#include <algorithm>
#include <cstdint>

#include "infer/kernels/winograd.h"
#include "model/graph.h"

// How Winograd's tiles cover the maps of some images (kernels/winograd.h).
namespace nbq::infer {

inline constexpr int kFour = 4, kThree = 3;             // outputs of a tile along one axis
inline constexpr int kLastPoint = kWinogradPoints - 1;  // which only tiles of four have

/// How one axis of a map is cut: tiles of four outputs, then tiles of three, with the fewest
/// products. The last one may reach beyond the map.
struct Axis {
  int fours = 0, threes = 0;

  explicit Axis(int size) {
    int least = 0;
    for (int b = 0; b <= kThree; ++b) {
      const int a = std::max(0, (size - kThree * b + kFour - 1) / kFour);
      const int points = winograd_points(kFour) * a + winograd_points(kThree) * b;
      if (b > 0 && points >= least) continue;
      least = points;
      fours = a;
      threes = b;
    }
  }
  int tiles() const { return fours + threes; }
  int outputs(int tile) const { return tile < fours ? kFour : kThree; }
  int start(int tile) const { return kThree * tile + std::min(tile, fours); }
  int end() const { return kFour * fours + kThree * threes; }
};

/// A map's tiles, line by line: of all images those that are four high, then the others.
struct Lines {
  Axis rows, columns;
  int images;

  Lines(const Shape& out, int some_images) : rows(out.h), columns(out.w), images(some_images) {}
  std::int64_t count() const { return std::int64_t{images} * rows.tiles(); }
  std::int64_t fours() const { return std::int64_t{images} * rows.fours; }
  struct Line {
    std::int64_t image;
    int tile;
  };
  Line operator[](std::int64_t i) const {
    if (i < fours()) return {i / rows.fours, static_cast<int>(i % rows.fours)};
    i -= fours();
    return {i / rows.threes, rows.fours + static_cast<int>(i % rows.threes)};
  }
};

/// Lines [first, last), which are transformed together, and the order of their tiles: three high
/// and four wide, four and four, four and three, three and three. So the tiles that have a product
/// at a point are neighbours.
class Chunk {
 public:
  Chunk(const Lines& lines, std::int64_t first, std::int64_t last)
      : first_(first), columns_(lines.columns) {
    lines_ = static_cast<int>(last - first);
    high_ = static_cast<int>(std::clamp<std::int64_t>(lines.fours() - first, 0, last - first));
  }
  std::int64_t first() const { return first_; }
  int lines() const { return lines_; }
  int tiles() const { return lines_ * columns_.tiles(); }
  /// Index of a line's first tile of four (or three) columns.
  int fours(int line) const {
    return columns_.fours * (line < high_ ? lines_ - high_ + line : line - high_);
  }
  int threes(int line) const { return columns_.fours * lines_ + columns_.threes * line; }
  int tile(int line, int column) const {
    return column < columns_.fours ? fours(line) + column : threes(line) + column - columns_.fours;
  }
  /// The tiles with products at a point.
  struct Run {
    int first, count;
  };
  Run at(int row_point, int column_point) const {
    const int skipped = row_point == kLastPoint ? columns_.fours * (lines_ - high_) : 0;
    const int fours = columns_.fours * lines_ - skipped;
    if (column_point == kLastPoint) return {skipped, fours};
    return {skipped, fours + columns_.threes * (row_point == kLastPoint ? high_ : lines_)};
  }

 private:
  std::int64_t first_;
  Axis columns_;
  int lines_, high_;  ///< of the lines, four high: they come first
};

}  // namespace nbq::infer
