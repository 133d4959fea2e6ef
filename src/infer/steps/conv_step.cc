#include "infer/steps/conv_step.h"

#include <algorithm>

#include "core/fixed_point.h"
#include "infer/steps/shifts.h"
#include "infer/steps/tiling.h"

namespace nbq::infer {
namespace {

class ConvStep final : public Step {
 public:
  ConvStep(const ConvSpec& spec, const std::vector<Buffer>& buffers, const KernelSet& kernels);
  void run(const Worker& worker) const override;
  void place(const std::vector<Buffer>& buffers) override;
  std::size_t scratch_bytes() const override {
    return packed_direct_ ? tile_bytes_ : decoded_bytes_ + tile_bytes_;
  }
  std::size_t weight_bytes() const override {
    std::size_t sum = 0;
    for (const PackedWeights& w : weights_) sum += w.bytes.size();
    return sum;
  }
  std::string how() const override;

 private:
  struct Area {                        // one thread's share
    std::int64_t first_row, last_row;  ///< of images x height; images themselves for 1x1 maps
    int first_block, last_block;
  };
  void pack();
  void set_channels(int group, const std::vector<std::int64_t>& sums);
  void count_cycles();
  Area share(const Worker& w) const;
  void fill_margins(const Worker& w, const Area& area) const;
  void run_group(const Worker& w, int group, const Area& area) const;
  void run_block(const Worker& w, const Finish& finish, DotTile tile, int group, int block,
                 const Area& area) const;
  void run_line(const Worker& w, const Finish& finish, const DotTile& tile, int block,
                std::int64_t image, int y, int group) const;
  void run_parts(const Finish& f, const DotTile& tile, int pixels) const;
  Finish block_finish(int group, int block) const;

  ConvSpec spec_;
  const KernelSet& kernels_;
  Buffer out_buffer_;  ///< for its margin
  bool wide_in_ = false;
  std::int32_t in_zero_ = 0;
  Tiling tiling_;
  std::vector<PackedWeights> weights_;  ///< one a group
  std::vector<StageInts> channels_;     ///< one a group
  int per_group_out_ = 0, per_group_in_ = 0;
  bool across_images_ = false;  ///< a 1x1 map: images are its pixels
  bool packed_direct_ = false;
  double line_cost_ = 0,
         decode_cost_ = 0;  ///< cycles, about: a row of one block, a block's weights
  std::size_t decoded_bytes_ = 0, tile_bytes_ = 0;
  int widen_ = 0;
  Place in_, out_, residual_;
  DotTile tile_{};
};

ConvStep::ConvStep(const ConvSpec& spec, const std::vector<Buffer>& buffers,
                   const KernelSet& kernels)
    : Step(spec.node->name), spec_(spec), kernels_(kernels) {
  const Buffer& in = buffers[static_cast<std::size_t>(spec.in.buffer)];
  wide_in_ = in.wide;
  in_zero_ = in.zero;
  per_group_in_ = spec.in.shape.c / spec.groups;
  per_group_out_ = spec.node->shape.c / spec.groups;
  const Shape& shape = spec.node->shape;
  across_images_ = shape.h * shape.w == 1;
  const int pixels = across_images_ ? spec.images : shape.w;
  tiling_ = choose_tiling(kernels, wide_in_, per_group_out_, pixels);
  packed_direct_ = tiling_.packed;
  pack();
  reads = {spec.in.buffer};
  if (spec.second.residual.buffer >= 0) reads.push_back(spec.second.residual.buffer);
  if (!spec.logits) writes = {spec.out.buffer};
  spec_.node = nullptr;  // its codes are packed now; the graph may go
}

void ConvStep::pack() {
  const Node& n = *spec_.node;
  const Window& w = spec_.window;
  const WeightShape shape{per_group_out_, per_group_in_, w.kernel_h, w.kernel_w};
  const std::size_t count =
      static_cast<std::size_t>(per_group_out_) * per_group_in_ * w.kernel_h * w.kernel_w;
  const auto values = code_values(Po2Format{n.po2.bits});
  for (int g = 0; g < spec_.groups; ++g) {
    const auto codes = std::span(n.po2.codes).subspan(static_cast<std::size_t>(g) * count, count);
    weights_.push_back(
        pack_weights(shape, codes, n.po2.bits, wide_in_, kernels_.lanes, tiling_.block_vectors));
    std::vector<std::int64_t> sums(static_cast<std::size_t>(per_group_out_), 0);
    const std::size_t each = count / static_cast<std::size_t>(per_group_out_);
    for (std::size_t o = 0; o < sums.size(); ++o)
      for (const Po2Code code : codes.subspan(o * each, each)) sums[o] += values[code.raw];
    set_channels(g, sums);
  }
  const PackedWeights& first = weights_.front();
  widen_ = steps_in_16_bits(first.bits);
  decoded_bytes_ = first.decoded_bytes(kernels_.lanes);
  tile_bytes_ = static_cast<std::size_t>(kMaxTilePixels * kGroupVectors * kernels_.lanes) * 4;
}

/// Biases with what undoes the zero of the stored activations, and half of what is shifted away.
void ConvStep::set_channels(int group, const std::vector<std::int64_t>& sums) {
  const std::size_t padded =
      static_cast<std::size_t>(weights_.back().blocks * tiling_.block_vectors * kernels_.lanes);
  const std::size_t first = static_cast<std::size_t>(group) * sums.size();
  StageInts c(spec_.stage, first, sums.size(), padded);
  const std::vector<std::int64_t>& biases = spec_.node->po2.bias;
  for (std::size_t o = 0; o < sums.size(); ++o)
    c.bias[o] = wrap(c.bias[o] + (biases.empty() ? 0 : biases[first + o]) - in_zero_ * sums[o]);
  channels_.push_back(std::move(c));
}

void ConvStep::place(const std::vector<Buffer>& buffers) {
  in_ = place_of(spec_.in, buffers);
  if (!spec_.logits) {
    out_ = place_of(spec_.out, buffers);
    out_buffer_ = buffers[static_cast<std::size_t>(spec_.out.buffer)];
  }
  if (spec_.second.residual.buffer >= 0) residual_ = place_of(spec_.second.residual, buffers);
  const Window& w = spec_.window;
  tile_.in_pixel = across_images_ ? in_.image : w.stride_w * in_.pixel;
  tile_.in_tap = w.dilation_w * in_.pixel;
  tile_.in_row = w.dilation_h * in_.row;
  tile_.rows = w.kernel_h;
  tile_.taps = w.kernel_w;
  tile_.steps = weights_.front().steps;
  tile_.widen = widen_;
  tile_.weight_step = tiling_.block_vectors * kernels_.lanes * kStepBytes;
  if (tile_.in_tap == tile_.steps * kStepBytes) {  // neighbouring taps are one run
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
  constexpr double kDecode = 2;  // a vector of weights
  const PackedWeights& w = weights_.front();
  const int pixels = across_images_ ? spec_.images : spec_.out.shape.w;
  const double tiles = (pixels + tiling_.pixels - 1) / tiling_.pixels;
  const double parts = tiling_.block_vectors / tiling_.tile_vectors;
  line_cost_ =
      tiles * parts * tile_.rows * tile_.taps * tile_.steps *
      static_cast<double>(kernels_.step_cost(wide_in_, tiling_.tile_vectors, tiling_.pixels));
  decode_cost_ =
      packed_direct_ ? 0 : static_cast<double>(w.groups_per_block) * kGroupVectors * kDecode;
}

/// Lines or blocks of channels, whichever leaves the slowest thread less: threads that share lines
/// decode all weights each, and few lines (or blocks) can't be shared evenly.
ConvStep::Area ConvStep::share(const Worker& w) const {
  const std::int64_t lines = across_images_ ? 1 : std::int64_t{w.images} * spec_.out.shape.h;
  const std::int64_t blocks = weights_.front().blocks;
  const auto most = [&](std::int64_t count) { return (count + w.threads - 1) / w.threads; };
  const auto cost = [&](std::int64_t some_lines, std::int64_t some_blocks) {
    return static_cast<double>(some_blocks) *
           (static_cast<double>(some_lines) * line_cost_ + decode_cost_);
  };
  if (w.threads == 1 || cost(most(lines), blocks) <= cost(lines, most(blocks))) {
    const Share s(lines, w.thread, w.threads);
    return {s.first, s.last, 0, static_cast<int>(blocks)};
  }
  const Share s(blocks, w.thread, w.threads);
  return {0, lines, static_cast<int>(s.first), static_cast<int>(s.last)};
}

void ConvStep::fill_margins(const Worker& w, const Area& area) const {
  if (across_images_) {
    for (int i = 0; i < w.images; ++i) fill_margin(out_buffer_, w.arena, i, 0, 1);
    return;
  }
  const int h = spec_.out.shape.h;
  for (std::int64_t line = area.first_row; line < area.last_row;) {
    const std::int64_t image = line / h;
    const std::int64_t end = std::min(area.last_row, (image + 1) * h);
    fill_margin(out_buffer_, w.arena, image, static_cast<int>(line - image * h),
                static_cast<int>(end - image * h));
    line = end;
  }
}

void ConvStep::run(const Worker& w) const {
  const Area area = share(w);
  if (area.first_row == area.last_row) return;
  // Of threads that share the blocks, the one that has the first.
  if (fills_margin && !spec_.logits && area.first_block == 0 && area.last_block > 0)
    fill_margins(w, area);
  for (int g = 0; g < spec_.groups; ++g) run_group(w, g, area);
}

Finish ConvStep::block_finish(int group, int block) const {
  const StageInts& c = channels_[static_cast<std::size_t>(group)];
  const int first = block * tiling_.block_vectors * kernels_.lanes;
  Finish f{};
  f.bias = c.bias.data() + first;
  f.right = c.right.data() + first;
  f.left = c.left_from(static_cast<std::size_t>(first));
  f.lo = static_cast<std::int32_t>(spec_.stage.lo);
  f.hi = static_cast<std::int32_t>(spec_.stage.hi);
  f.lanes = per_group_out_ - first;
  f.out_wide = out_.wide;
  f.zero = out_.zero;
  f.out_pixel = across_images_ ? out_.image : out_.pixel;
  const Shape& shape = spec_.out.shape;
  f.logit_pixel = across_images_ ? spec_.logits_per_image : 1;
  f.logit_channel = std::int64_t{shape.h} * shape.w;
  const SecondStage& s = spec_.second;
  if (s.stage.shifts.empty()) return f;
  f.second = true;
  const int r = s.stage.shifts[0];
  f.own_left = s.own_left;
  f.residual_left = s.residual_left;
  f.residual_zero = residual_.zero;
  f.residual_wide = residual_.wide;
  f.residual_pixel = across_images_ ? residual_.image : residual_.pixel;
  f.half2 = half_of(r);
  f.right2 = std::max(r, 0);
  f.left2 = std::max(-r, 0);
  f.lo2 = static_cast<std::int32_t>(s.stage.lo);
  f.hi2 = static_cast<std::int32_t>(s.stage.hi);
  return f;
}

void ConvStep::run_group(const Worker& w, int group, const Area& area) const {
  const PackedWeights& packed = weights_[static_cast<std::size_t>(group)];
  auto* acc = reinterpret_cast<std::int32_t*>(w.scratch);
  auto* decoded = reinterpret_cast<std::int8_t*>(w.scratch + tile_bytes_);
  const std::size_t block_bytes = packed.block_bytes(kernels_.lanes);
  for (int block = area.first_block; block < area.last_block; ++block) {
    const std::uint8_t* codes = packed.bytes.data() + block_bytes * static_cast<std::size_t>(block);
    DotTile tile = tile_;
    tile.acc = acc;
    if (packed_direct_) {
      tile.weights = reinterpret_cast<const std::int8_t*>(codes);
    } else {
      (wide_in_ ? kernels_.decode16 : kernels_.decode8)(packed.bits, codes, packed.groups_per_block,
                                                        decoded);
      tile.weights = decoded;
    }
    const Finish finish = block_finish(group, block);
    run_block(w, finish, tile, group, block, area);
  }
}

void ConvStep::run_block(const Worker& w, const Finish& finish, DotTile tile, int group, int block,
                         const Area& area) const {
  if (across_images_) return run_line(w, finish, tile, block, 0, 0, group);
  const int h = spec_.out.shape.h;
  for (std::int64_t line = area.first_row; line < area.last_row; ++line)
    run_line(w, finish, tile, block, line / h, static_cast<int>(line % h), group);
}

/// One row of output pixels (or one pixel of each image), tile by tile. The last tile overlaps the
/// one before when the row is no multiple: it writes the same again.
void ConvStep::run_line(const Worker& w, const Finish& block_finish, const DotTile& block_tile,
                        int block, std::int64_t image, int y, int group) const {
  const Window& win = spec_.window;
  const int pixels = across_images_ ? w.images : spec_.out.shape.w;
  const int lanes = kernels_.lanes;
  const std::ptrdiff_t out_channel =
      std::ptrdiff_t{group} * per_group_out_ + block * tiling_.block_vectors * lanes;
  DotTile tile = block_tile;
  Finish f = block_finish;
  const std::uint8_t* in =
      in_.at(w.arena, image, std::int64_t{y} * win.stride_h - win.pad_top, -win.pad_left) +
      std::ptrdiff_t{group} * per_group_in_ * (wide_in_ ? 2 : 1);
  const std::ptrdiff_t out_bytes = out_channel * (out_.wide ? 2 : 1);
  std::uint8_t* out = spec_.logits ? nullptr : out_.at(w.arena, image, y, 0) + out_bytes;
  const std::uint8_t* residual =
      spec_.second.residual.buffer < 0
          ? nullptr
          : residual_.at(w.arena, image, y, 0) + out_channel * (residual_.wide ? 2 : 1);
  std::int64_t* logits = spec_.logits ? w.logits + image * spec_.logits_per_image +
                                            out_channel * f.logit_channel +
                                            std::int64_t{y} * spec_.out.shape.w
                                      : nullptr;
  const int largest = std::min(tiling_.pixels, pixels);
  for (int x = 0; x < pixels; x += largest) {
    const int first = std::min(x, pixels - largest);
    tile.in = in + first * tile.in_pixel;
    f.out = out == nullptr ? nullptr : out + first * f.out_pixel;
    f.residual = residual == nullptr ? nullptr : residual + first * f.residual_pixel;
    f.logits = logits == nullptr ? nullptr : logits + first * f.logit_pixel;
    if (packed_direct_) {
      kernels_.packed_dot8(weights_.front().bits, tile);
      kernels_.finish(f, tile.acc, 1, tiling_.block_vectors);
    } else if (tiling_.tile_vectors == tiling_.block_vectors) {
      tiling_.dot(largest)(tile);
      kernels_.finish(f, tile.acc, largest, tiling_.tile_vectors);
    } else {
      run_parts(f, tile, largest);
    }
  }
}

/// A block whose weights are laid out wider than a tile is.
void ConvStep::run_parts(const Finish& f, const DotTile& tile, int pixels) const {
  const int lanes = kernels_.lanes, step = tiling_.tile_vectors;
  DotTile part = tile;
  Finish g = f;
  for (int v = 0; v < tiling_.block_vectors && v * lanes < f.lanes; v += step) {
    const int channel = v * lanes;
    part.weights = tile.weights + std::ptrdiff_t{channel} * kStepBytes;
    tiling_.dot(pixels)(part);
    g.bias = f.bias + channel;
    g.right = f.right + channel;
    g.left = f.left == nullptr ? nullptr : f.left + channel;
    g.lanes = f.lanes - channel;
    g.out = f.out == nullptr ? nullptr : f.out + channel * (f.out_wide ? 2 : 1);
    g.residual = f.residual == nullptr ? nullptr : f.residual + channel * (f.residual_wide ? 2 : 1);
    g.logits = f.logits == nullptr ? nullptr : f.logits + channel * f.logit_channel;
    kernels_.finish(g, part.acc, pixels, step);
  }
}

std::string ConvStep::how() const {
  return fmt::format(
      "{}{} {}x{}", packed_direct_ ? "packed " : "", wide_in_ ? "16-bit" : "8-bit",
      packed_direct_ ? 1 : tiling_.pixels,
      (packed_direct_ ? tiling_.block_vectors : tiling_.tile_vectors) * kernels_.lanes);
}

}  // namespace

StepPtr make_conv_step(const ConvSpec& spec, const std::vector<Buffer>& buffers,
                       const KernelSet& kernels) {
  return std::make_unique<ConvStep>(spec, buffers, kernels);
}

}  // namespace nbq::infer
