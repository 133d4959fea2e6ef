#include "infer/steps/winograd_step.h"

#include <algorithm>
#include <cstdlib>

#include "infer/steps/conv_layer.h"
#include "infer/steps/tiling.h"
#include "infer/steps/winograd_tiles.h"

namespace nbq::infer {
namespace {

constexpr int kSliceSteps = 64;  // of channels that are summed up together

constexpr std::size_t whole_lines(std::size_t bytes) {
  constexpr std::size_t kLine = AlignedBytes::kAlignment;
  return (bytes + kLine - 1) / kLine * kLine;
}

int padded_channels(int channels, const KernelSet& kernels) {
  const int lanes = kernels.winograd.word_lanes;
  return (channels + lanes - 1) / lanes * lanes;
}

/// Of what a line of tiles is transformed to.
std::int64_t line_bytes(const Axis& columns, int channels, int block_lanes) {
  return std::int64_t{kWinogradPlanes} * columns.tiles() * (2 * channels + 4 * block_lanes);
}

/// Lines of a chunk: what is transformed stays in a core's second cache.
std::int64_t lines_of_chunk(const Lines& lines, int channels, int block_lanes) {
  constexpr std::int64_t kCache = std::int64_t{1} << 20;
  const std::int64_t most =
      std::max<std::int64_t>(kCache / line_bytes(lines.columns, channels, block_lanes), 1);
  const std::int64_t chunks = (lines.count() + most - 1) / most;
  return (lines.count() + chunks - 1) / chunks;
}

/// Cycles of parts of a layer.
class Cycles {
 public:
  Cycles(const ConvSpec& spec, const KernelSet& kernels)
      : kernels_(kernels),
        lines_(spec.out.shape, spec.images),
        channels_(spec.in.shape.c / spec.groups),
        outputs_(spec.out.shape.c / spec.groups),
        groups_(spec.groups) {
    tiling_ = choose_tiling(kernels, true, outputs_,
                            static_cast<int>(std::min<std::int64_t>(tiles(lines_.count()), 1024)));
    chunk_ = lines_of_chunk(lines_, padded_channels(channels_, kernels),
                            tiling_.block_vectors * kernels.lanes);
  }
  const Tiling& tiling() const { return tiling_; }
  const Lines& lines() const { return lines_; }
  std::int64_t chunk() const { return chunk_; }
  std::int64_t blocks() const {
    const int lanes = tiling_.block_vectors * kernels_.lanes;
    return (outputs_ + lanes - 1) / lanes;
  }

  double operator()(std::int64_t some_lines, std::int64_t some_blocks) const {
    const WinogradCosts& costs = kernels_.winograd.costs;
    const int steps = (channels_ + 1) / 2, word_lanes = kernels_.winograd.word_lanes;
    const auto count = static_cast<double>(tiles(some_lines));
    const std::int64_t chunks = (some_lines + chunk_ - 1) / chunk_;
    const double input = count * (padded_channels(channels_, kernels_) / word_lanes) * costs.input;
    const double weights =
        static_cast<double>(chunks * steps) * tiling_.block_vectors * costs.weights;
    const double output = count * tiling_.block_vectors * costs.output;
    const std::int64_t calls = chunks * kWinogradPlanes *
                               ((steps + kSliceSteps - 1) / kSliceSteps) *
                               ((tiles(chunk_) + tiling_.most - 1) / tiling_.most);
    const double sums = points_of(lines_.rows) * points_of(lines_.columns) * count * steps *
                            kernels_.step_cost(true, tiling_.block_vectors, tiling_.pixels) /
                            tiling_.pixels +
                        static_cast<double>(calls) * costs.call;
    return groups_ * (input + static_cast<double>(some_blocks) * (weights + output + sums));
  }

 private:
  /// Of a tile along an axis, on the average.
  static double points_of(const Axis& a) {
    return static_cast<double>(winograd_points(kFour) * a.fours +
                               winograd_points(kThree) * a.threes) /
           a.tiles();
  }
  std::int64_t tiles(std::int64_t some_lines) const { return some_lines * lines_.columns.tiles(); }

  const KernelSet& kernels_;
  Lines lines_;
  int channels_, outputs_, groups_;
  Tiling tiling_;
  std::int64_t chunk_ = 1;
};

class WinogradStep final : public Step {
 public:
  WinogradStep(const ConvSpec& spec, const std::vector<Buffer>& buffers, const KernelSet& kernels);
  void run(const Worker& worker) const override;
  void place(const std::vector<Buffer>& buffers) override { layer_.place(buffers); }
  std::size_t scratch_bytes() const override { return line_at_ + line_bytes_; }
  std::size_t weight_bytes() const override { return layer_.weight_bytes(); }
  std::string how() const override {
    return fmt::format("winograd {}x{}", cycles_.tiling().pixels, layer_.block_lanes());
  }

 private:
  struct Area {
    std::int64_t first_line, last_line;
    int first_block, last_block;
  };
  struct Slice {
    int first, count;  ///< steps
  };
  Area share(const Worker& w, const Lines& lines) const;
  void transform_inputs(const Worker& w, const Lines& lines, const Chunk& chunk, int group) const;
  void sum_up(const Worker& w, const Chunk& chunk, int group, int block) const;
  void sum_up_slice(const Worker& w, const Chunk& chunk, const std::int8_t* taps,
                    const Slice& slice) const;
  void sum_up_run(const Worker& w, int point, const Chunk::Run& run, const Slice& slice,
                  const std::int16_t* weights) const;
  void finish(const Worker& w, const Lines& lines, const Chunk& chunk, int group, int block) const;
  WinogradInput input_of(const Worker& w, const Lines& lines, const Lines::Line& line,
                         int group) const;

  Cycles cycles_;
  ConvLayer layer_;
  std::ptrdiff_t tile_words_, point_words_;  ///< of inputs: a tile's, one point's
  std::ptrdiff_t plane_;                     ///< tiles of a plane of sums
  // Where things begin in the scratch memory: inputs at all points, sums, taps, weights at a pair
  // of points of the rows, then of the columns; a line of accumulators.
  std::size_t sums_at_, taps_at_, rows_at_, columns_at_, line_at_, line_bytes_;
};

WinogradStep::WinogradStep(const ConvSpec& spec, const std::vector<Buffer>& buffers,
                           const KernelSet& kernels)
    : Step(spec.node->name),
      cycles_(spec, kernels),
      layer_(spec, buffers, kernels, true, cycles_.tiling().block_vectors),
      point_words_(padded_channels(layer_.group_in(), kernels)) {
  // A cache line more: tiles whose distance is a power of two would meet in few places of the
  // cache.
  constexpr std::ptrdiff_t kApart = 32;
  tile_words_ = kWinogradPlanes * point_words_ + kApart;
  plane_ = cycles_.chunk() * cycles_.lines().columns.tiles();
  const auto tiles = static_cast<std::size_t>(plane_);
  const auto lanes = static_cast<std::size_t>(layer_.block_lanes());
  sums_at_ = whole_lines(tiles * static_cast<std::size_t>(tile_words_) * sizeof(std::int16_t));
  const std::size_t plane = kSliceSteps * lanes * kStepBytes;
  taps_at_ = sums_at_ + whole_lines(kWinogradPlanes * tiles * lanes * sizeof(std::int32_t));
  rows_at_ = taps_at_ + whole_lines(layer_.weights(0).decoded_bytes(kernels.lanes));
  columns_at_ = rows_at_ + whole_lines(2 * kWinogradTaps * plane);
  line_at_ = columns_at_ + whole_lines(2 * plane);
  line_bytes_ = static_cast<std::size_t>(kFour * cycles_.lines().columns.end()) * lanes *
                sizeof(std::int32_t);
  reads = layer_.reads();
  writes = layer_.writes();
}

WinogradStep::Area WinogradStep::share(const Worker& w, const Lines& lines) const {
  const std::int64_t blocks = layer_.blocks();
  const Split split = choose_split(lines.count(), blocks, w.threads, cycles_);
  const Share s(split.by_lines ? lines.count() : blocks, w.thread, w.threads);
  if (split.by_lines) return {s.first, s.last, 0, static_cast<int>(blocks)};
  return {0, lines.count(), static_cast<int>(s.first), static_cast<int>(s.last)};
}

void WinogradStep::run(const Worker& w) const {
  const Lines lines(layer_.spec().out.shape, w.images);
  const Area area = share(w, lines);
  if (area.first_block == area.last_block) return;
  const std::int64_t count = area.last_line - area.first_line;
  const std::int64_t chunks = (count + cycles_.chunk() - 1) / cycles_.chunk();
  for (std::int64_t c = 0; c < chunks; ++c) {
    const Share part(count, static_cast<int>(c), static_cast<int>(chunks));
    const Chunk chunk(lines, area.first_line + part.first, area.first_line + part.last);
    // Of threads that share the blocks, the one that has the first.
    if (fills_margin && area.first_block == 0)
      for (int i = 0; i < chunk.lines(); ++i) {
        const Lines::Line line = lines[chunk.first() + i];
        const int y = lines.rows.start(line.tile), h = layer_.spec().out.shape.h;
        layer_.fill_margin(w, line.image, y, std::min(h, y + lines.rows.outputs(line.tile)));
      }
    for (int g = 0; g < layer_.spec().groups; ++g) {
      transform_inputs(w, lines, chunk, g);
      for (int block = area.first_block; block < area.last_block; ++block) {
        sum_up(w, chunk, g, block);
        finish(w, lines, chunk, g, block);
      }
    }
  }
}

/// The rows and columns of a line's tiles, up to what the map's outputs read: where a tile reaches
/// beyond them, what it reads instead meets no output that is kept.
WinogradInput WinogradStep::input_of(const Worker& w, const Lines& lines, const Lines::Line& line,
                                     int group) const {
  const Window& win = layer_.spec().window;
  WinogradInput t{};
  t.rows = lines.rows.outputs(line.tile);
  t.channels = layer_.group_in();
  const int last = layer_.spec().out.shape.h - 1 + kWinogradTaps - 1;
  for (int y = 0; y < winograd_points(t.rows); ++y)
    t.row[y] = layer_.in().at(w.arena, line.image,
                              std::min(lines.rows.start(line.tile) + y, last) - win.pad_top,
                              -win.pad_left) +
               std::ptrdiff_t{group} * layer_.group_in();
  return t;
}

void WinogradStep::transform_inputs(const Worker& w, const Lines& lines, const Chunk& chunk,
                                    int group) const {
  auto* words = reinterpret_cast<std::int16_t*>(w.scratch);
  const int last = layer_.spec().out.shape.w - 1 + kWinogradTaps - 1;
  for (int l = 0; l < chunk.lines(); ++l) {
    WinogradInput t = input_of(w, lines, lines[chunk.first() + l], group);
    t.point = point_words_;
    for (int c = 0; c < lines.columns.tiles(); ++c) {
      t.columns = lines.columns.outputs(c);
      for (int x = 0; x < winograd_points(t.columns); ++x)
        t.column[x] = std::min(lines.columns.start(c) + x, last) * layer_.in().pixel;
      t.out = words + chunk.tile(l, c) * tile_words_;
      layer_.kernels().winograd.input(t);
    }
  }
}

/// Some channels at a time, so that their weights stay in a core's first cache.
void WinogradStep::sum_up(const Worker& w, const Chunk& chunk, int group, int block) const {
  auto* taps = reinterpret_cast<std::int8_t*>(w.scratch + taps_at_);
  layer_.decode(group, block, taps);
  const int all = layer_.weights(0).steps;
  const int slices = (all + kSliceSteps - 1) / kSliceSteps, each = (all + slices - 1) / slices;
  for (int first = 0; first < all; first += each)
    sum_up_slice(w, chunk, taps, {first, std::min(each, all - first)});
}

void WinogradStep::sum_up_slice(const Worker& w, const Chunk& chunk, const std::int8_t* taps,
                                const Slice& slice) const {
  const WinogradKernels& kernels = layer_.kernels().winograd;
  auto* rows = reinterpret_cast<std::int16_t*>(w.scratch + rows_at_);
  auto* columns = reinterpret_cast<std::int16_t*>(w.scratch + columns_at_);
  const std::ptrdiff_t step = layer_.block_lanes() * 2, words = slice.count * step;
  const std::ptrdiff_t tap = layer_.weights(0).steps * step;
  for (int pair = 0; pair < 3; ++pair) {
    kernels.rows({taps + slice.first * step, tap, words, pair, rows});
    for (int r = 0; r < 2; ++r) {
      const int i = kWinogradPairs[pair][r];
      for (int other = 0; other < 3; ++other) {
        kernels.columns({rows + r * kWinogradTaps * words, words, other, columns});
        for (int c = 0; c < 2; ++c) {
          const int j = kWinogradPairs[other][c];
          sum_up_run(w, i * kWinogradPoints + j, chunk.at(i, j), slice, columns + c * words);
        }
      }
    }
  }
}

/// The slice's channels of some tiles at one point.
void WinogradStep::sum_up_run(const Worker& w, int point, const Chunk::Run& run, const Slice& slice,
                              const std::int16_t* weights) const {
  const Tiling& tiling = cycles_.tiling();
  auto* sums = reinterpret_cast<std::int32_t*>(w.scratch + sums_at_);
  DotTile t{};
  t.in_pixel = tile_words_ * static_cast<std::ptrdiff_t>(sizeof(std::int16_t));
  t.rows = t.taps = 1;
  t.steps = slice.count;
  t.weight_step = layer_.block_lanes() * kStepBytes;
  t.weights = reinterpret_cast<const std::int8_t*>(weights);
  t.add = slice.first > 0;
  const std::uint8_t* in = w.scratch + point * point_words_ * 2 + slice.first * kStepBytes;
  for (int x = 0; x < run.count;) {
    const int left = run.count - x, parts = (left + tiling.most - 1) / tiling.most;
    const int some = (left + parts - 1) / parts;
    t.in = in + (run.first + x) * t.in_pixel;
    t.acc = sums + (point * plane_ + run.first + x) * layer_.block_lanes();
    tiling.dot(some)(t);
    x += some;
  }
}

void WinogradStep::finish(const Worker& w, const Lines& lines, const Chunk& chunk, int group,
                          int block) const {
  const int lanes = layer_.block_lanes();
  const auto* sums = reinterpret_cast<const std::int32_t*>(w.scratch + sums_at_);
  const auto* rows = reinterpret_cast<std::int32_t*>(w.scratch + line_at_);
  const Shape& shape = layer_.spec().out.shape;
  const Finish f = layer_.finish(group, block);
  WinogradOutput t{};
  t.vectors = cycles_.tiling().block_vectors;
  t.acc_column = lanes;
  t.acc_row = std::ptrdiff_t{lines.columns.end()} * lanes;
  t.point = plane_ * lanes;
  for (int l = 0; l < chunk.lines(); ++l) {
    const Lines::Line line = lines[chunk.first() + l];
    t.rows = lines.rows.outputs(line.tile);
    for (int c = 0; c < lines.columns.tiles(); ++c) {
      t.columns = lines.columns.outputs(c);
      t.sums = sums + std::ptrdiff_t{chunk.tile(l, c)} * lanes;
      t.acc = reinterpret_cast<std::int32_t*>(w.scratch + line_at_) +
              std::ptrdiff_t{lines.columns.start(c)} * lanes;
      layer_.kernels().winograd.output(t);
    }
    const int first = lines.rows.start(line.tile);
    for (int y = 0; y < t.rows && first + y < shape.h; ++y)
      layer_.kernels().finish(layer_.finish_row(f, {group, block, line.image, first + y}, w),
                              rows + y * t.acc_row, shape.w, t.vectors);
  }
}

/// The largest sum that a channel's weights and bytes can give.
std::int64_t largest_sum(const Node& n) {
  const auto values = code_values(Po2Format{n.po2.bits});
  const std::size_t each = n.po2.codes.size() / static_cast<std::size_t>(n.shape.c);
  std::int64_t largest = 0;
  for (std::size_t first = 0; first < n.po2.codes.size(); first += each) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < each; ++i)
      sum += std::abs(std::int64_t{values[n.po2.codes[first + i].raw]});
    largest = std::max(largest, sum);
  }
  constexpr std::int64_t kByte = 255;
  return largest * kByte;
}

}  // namespace

bool winograd_fits(const ConvSpec& spec, const std::vector<Buffer>& buffers,
                   const KernelSet& kernels) {
  const Window& w = spec.window;
  if (kernels.winograd.input == nullptr || w.kernel_h != kWinogradTaps ||
      w.kernel_w != kWinogradTaps || w.stride_h != 1 || w.stride_w != 1 || w.dilation_h != 1 ||
      w.dilation_w != 1 || buffers[static_cast<std::size_t>(spec.in.buffer)].wide)
    return false;
  // A line of tiles is transformed at once: far beyond any cache that neither pays nor is it right
  // to ask so much memory for a map of few channels.
  constexpr std::int64_t kMostBytes = std::int64_t{4} << 20;
  return line_bytes(Axis(spec.out.shape.w), padded_channels(spec.in.shape.c / spec.groups, kernels),
                    kGroupVectors * kernels.lanes) <= kMostBytes &&
         largest_sum(*spec.node) < std::int64_t{1} << (31 - kWinogradShift);
}

bool winograd_pays(const ConvSpec& spec, const KernelSet& kernels) {
  const Cycles winograd(spec, kernels);
  const Shape& out = spec.out.shape;
  const int outputs = out.c / spec.groups;
  const Tiling tiling = choose_tiling(kernels, false, outputs, out.w);
  const std::int64_t steps = std::int64_t{kWinogradTaps} * kWinogradTaps *
                             ((spec.in.shape.c / spec.groups + kStepBytes - 1) / kStepBytes);
  const double row = row_cycles(kernels, tiling, false, out.w, steps);
  const double decode = static_cast<double>(steps * tiling.block_vectors) * kDecodeCycles;
  const auto taps = [&](std::int64_t some_lines, std::int64_t some_blocks) {
    return spec.groups * static_cast<double>(some_blocks) *
           (static_cast<double>(some_lines) * row + decode);
  };
  const int lanes = tiling.block_vectors * kernels.lanes;
  const std::int64_t lines = std::int64_t{spec.images} * out.h;
  return choose_split(winograd.lines().count(), winograd.blocks(), spec.threads, winograd).cycles <
         choose_split(lines, (outputs + lanes - 1) / lanes, spec.threads, taps).cycles;
}

StepPtr make_winograd_step(const ConvSpec& spec, const std::vector<Buffer>& buffers,
                           const KernelSet& kernels) {
  return std::make_unique<WinogradStep>(spec, buffers, kernels);
}

}  // namespace nbq::infer
