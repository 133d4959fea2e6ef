#include "infer/steps/conv_step.h"

#include <algorithm>

#include "infer/steps/conv_layer.h"
#include "infer/steps/tiling.h"

namespace nbq::infer {
namespace {

Tiling tiling_of(const ConvSpec& spec, const std::vector<Buffer>& buffers,
                 const KernelSet& kernels) {
  const Shape& shape = spec.node->shape;
  return choose_tiling(kernels, buffers[static_cast<std::size_t>(spec.in.buffer)].wide,
                       shape.c / spec.groups, shape.h * shape.w == 1 ? spec.images : shape.w);
}

class ConvStep final : public Step {
 public:
  ConvStep(const ConvSpec& spec, const std::vector<Buffer>& buffers, const KernelSet& kernels);
  void run(const Worker& worker) const override;
  void place(const std::vector<Buffer>& buffers) override;
  std::size_t scratch_bytes() const override {
    return packed_direct_ ? tile_bytes_ : decoded_bytes_ + tile_bytes_;
  }
  std::size_t weight_bytes() const override { return layer_.weight_bytes(); }
  std::string how() const override;

 private:
  struct Area {                        // one thread's share
    std::int64_t first_row, last_row;  ///< of images x height; images themselves for 1x1 maps
    int first_block, last_block;
  };
  int pixels() const {
    return layer_.across_images() ? layer_.spec().images : layer_.spec().out.shape.w;
  }
  void count_cycles();
  Area share(const Worker& w) const;
  void fill_margins(const Worker& w, const Area& area) const;
  void run_group(const Worker& w, int group, const Area& area) const;
  void run_row(const Worker& w, const Finish& finish, const DotTile& tile,
               const ConvSpot& at) const;
  void run_parts(const Finish& f, const DotTile& tile, int pixels) const;

  Tiling tiling_;
  ConvLayer layer_;
  bool packed_direct_;
  double line_cost_ = 0,
         decode_cost_ = 0;  ///< cycles, about: a row of one block, a block's weights
  std::size_t decoded_bytes_ = 0, tile_bytes_ = 0;
  DotTile tile_{};
};

ConvStep::ConvStep(const ConvSpec& spec, const std::vector<Buffer>& buffers,
                   const KernelSet& kernels)
    : Step(spec.node->name),
      tiling_(tiling_of(spec, buffers, kernels)),
      layer_(spec, buffers, kernels, buffers[static_cast<std::size_t>(spec.in.buffer)].wide,
             tiling_.block_vectors),
      packed_direct_(tiling_.packed) {
  decoded_bytes_ = layer_.weights(0).decoded_bytes(kernels.lanes);
  tile_bytes_ = static_cast<std::size_t>(kMaxTilePixels * kGroupVectors * kernels.lanes) * 4;
  reads = layer_.reads();
  writes = layer_.writes();
}

void ConvStep::place(const std::vector<Buffer>& buffers) {
  layer_.place(buffers);
  const Place& in = layer_.in();
  const Window& w = layer_.spec().window;
  tile_.in_pixel = layer_.across_images() ? in.image : w.stride_w * in.pixel;
  tile_.in_tap = w.dilation_w * in.pixel;
  tile_.in_row = w.dilation_h * in.row;
  tile_.rows = w.kernel_h;
  tile_.taps = w.kernel_w;
  tile_.steps = layer_.weights(0).steps;
  tile_.widen = steps_in_16_bits(layer_.weights(0).bits);
  tile_.weight_step = layer_.block_lanes() * kStepBytes;
  const bool shared = tiling_.tile_vectors == 1 && tile_.in_tap == tile_.in_pixel &&
                      tile_.taps == layer_.kernels().shared_taps;
  if (!shared && tile_.in_tap == tile_.steps * kStepBytes) {  // neighbouring taps are one run
    tile_.steps *= tile_.taps;
    tile_.taps = 1;
    tile_.in_tap = 0;
  }
  if (tile_.taps == 1 && tile_.in_row == tile_.steps * kStepBytes) {
    tile_.steps *= tile_.rows;
    tile_.rows = 1;
    tile_.in_row = 0;
  }
  // Packed weights are read straight through, so the input must be one run, too.
  packed_direct_ = tiling_.packed && tile_.rows == 1 && tile_.taps == 1;
  count_cycles();
}

void ConvStep::count_cycles() {
  line_cost_ = row_cycles(layer_.kernels(), tiling_, layer_.wide_in(), pixels(),
                          std::int64_t{tile_.rows} * tile_.taps * tile_.steps);
  decode_cost_ = packed_direct_ ? 0 : layer_.weights(0).decode_cycles();
}

ConvStep::Area ConvStep::share(const Worker& w) const {
  const std::int64_t lines =
      layer_.across_images() ? 1 : std::int64_t{w.images} * layer_.spec().out.shape.h;
  const std::int64_t blocks = layer_.blocks();
  const Split split =
      choose_split(lines, blocks, w.threads, [&](auto some_lines, auto some_blocks) {
        return static_cast<double>(some_blocks) *
               (static_cast<double>(some_lines) * line_cost_ + decode_cost_);
      });
  const Share s(split.by_lines ? lines : blocks, w.thread, w.threads);
  if (split.by_lines) return {s.first, s.last, 0, static_cast<int>(blocks)};
  return {0, lines, static_cast<int>(s.first), static_cast<int>(s.last)};
}

void ConvStep::fill_margins(const Worker& w, const Area& area) const {
  if (layer_.across_images()) {
    for (int i = 0; i < w.images; ++i) layer_.fill_margin(w, i, 0, 1);
    return;
  }
  const int h = layer_.spec().out.shape.h;
  for (std::int64_t line = area.first_row; line < area.last_row;) {
    const std::int64_t image = line / h;
    const std::int64_t end = std::min(area.last_row, (image + 1) * h);
    layer_.fill_margin(w, image, static_cast<int>(line - image * h),
                       static_cast<int>(end - image * h));
    line = end;
  }
}

void ConvStep::run(const Worker& w) const {
  const Area area = share(w);
  if (area.first_row == area.last_row) return;
  // Of threads that share the blocks, the one that has the first.
  if (fills_margin && area.first_block == 0 && area.last_block > 0) fill_margins(w, area);
  for (int g = 0; g < layer_.spec().groups; ++g) run_group(w, g, area);
}

void ConvStep::run_group(const Worker& w, int group, const Area& area) const {
  auto* decoded = reinterpret_cast<std::int8_t*>(w.scratch + tile_bytes_);
  const int h = layer_.across_images() ? 1 : layer_.spec().out.shape.h;
  for (int block = area.first_block; block < area.last_block; ++block) {
    DotTile tile = tile_;
    tile.acc = reinterpret_cast<std::int32_t*>(w.scratch);
    tile.weights = reinterpret_cast<const std::int8_t*>(layer_.codes(group, block));
    if (!packed_direct_) {
      layer_.decode(group, block, decoded);
      tile.weights = decoded;
    }
    const Finish finish = layer_.finish(group, block);
    for (std::int64_t line = area.first_row; line < area.last_row; ++line)
      run_row(w, finish, tile, {group, block, line / h, static_cast<int>(line % h)});
  }
}

/// One row of output pixels (or one pixel of each image), tile by tile. The last tile overlaps the
/// one before when the row is no multiple: it writes the same again.
void ConvStep::run_row(const Worker& w, const Finish& finish, const DotTile& block_tile,
                       const ConvSpot& at) const {
  const Window& win = layer_.spec().window;
  const int all = layer_.across_images() ? w.images : layer_.spec().out.shape.w;
  DotTile tile = block_tile;
  const std::uint8_t* in = layer_.in().at(
      w.arena, at.image, std::int64_t{at.y} * win.stride_h - win.pad_top, -win.pad_left);
  in += std::ptrdiff_t{at.group} * layer_.group_in() * (layer_.wide_in() ? 2 : 1);
  Finish f = layer_.finish_row(finish, at, w);
  const KernelSet& kernels = layer_.kernels();
  const int largest = std::min(tiling_.pixels, all);
  for (int x = 0, last = 0; x < all; x += largest) {
    const int first = std::min(x, all - largest);
    tile.in = in + first * tile.in_pixel;
    advance(f, first - last);
    last = first;
    if (packed_direct_) {
      kernels.packed_dot8(layer_.weights(0).bits, tile);
      kernels.finish(f, tile.acc, 1, tiling_.block_vectors);
    } else if (tiling_.tile_vectors == tiling_.block_vectors) {
      tiling_.dot(largest)(tile);
      kernels.finish(f, tile.acc, largest, tiling_.tile_vectors);
    } else {
      run_parts(f, tile, largest);
    }
  }
}

/// A block whose weights are laid out wider than a tile is.
void ConvStep::run_parts(const Finish& f, const DotTile& tile, int pixels) const {
  const int lanes = layer_.kernels().lanes, step = tiling_.tile_vectors;
  DotTile part = tile;
  for (int v = 0; v < tiling_.block_vectors && v * lanes < f.lanes; v += step) {
    part.weights = tile.weights + std::ptrdiff_t{v} * lanes * kStepBytes;
    tiling_.dot(pixels)(part);
    layer_.kernels().finish(from_channel(f, v * lanes), part.acc, pixels, step);
  }
}

std::string ConvStep::how() const {
  return fmt::format(
      "{}{} {}x{}", packed_direct_ ? "packed " : "", layer_.wide_in() ? "16-bit" : "8-bit",
      packed_direct_ ? 1 : tiling_.pixels,
      (packed_direct_ ? tiling_.block_vectors : tiling_.tile_vectors) * layer_.kernels().lanes);
}

}  // namespace

StepPtr make_conv_step(const ConvSpec& spec, const std::vector<Buffer>& buffers,
                       const KernelSet& kernels) {
  return std::make_unique<ConvStep>(spec, buffers, kernels);
}

}  // namespace nbq::infer
