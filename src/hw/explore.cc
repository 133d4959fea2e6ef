#include "hw/explore.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "hw/layer_table.h"
#include "hw/rtl_build.h"

namespace nbq::hw {
namespace {

/// Marks the points that no other one of their element beats in both speed and `cost`.
/// points: fastest first.
void mark_front(std::vector<DesignPoint>& points, PeKind kind,
                const std::function<double(const DesignPoint&)>& cost, bool DesignPoint::*mark) {
  std::vector<DesignPoint*> of_kind;
  for (DesignPoint& p : points)
    if (p.config.pe == kind) of_kind.push_back(&p);
  std::stable_sort(of_kind.begin(), of_kind.end(), [&](const DesignPoint* a, const DesignPoint* b) {
    if (a->images_per_s != b->images_per_s) return a->images_per_s > b->images_per_s;
    return cost(*a) < cost(*b);
  });
  std::optional<double> least;
  for (DesignPoint* p : of_kind) {
    if (least && cost(*p) >= *least) continue;
    least = cost(*p);
    p->*mark = true;
  }
}

class Explorer {
 public:
  Explorer(const ProgramSketch& sketch, const ExploreOptions& options)
      : sketch_(sketch), o_(options) {}

  Result<Exploration> run() {
    for (const PeKind kind : o_.kinds)
      for (const int act_bits : o_.act_bits)
        for (const int c : o_.lanes_in)
          for (const int times : o_.blocks)
            for (const int p : o_.pixels)
              for (const int slow : o_.out_cycles)
                if (slow <= c) NBQ_TRY(core(kind, act_bits, c, c * times, p, slow));
    if (found_.points.empty() && !smallest_ && !refusal_)
      return make_error(ErrorCode::kInvalidArgument,
                        "no core has these lanes: out-cycles must be at most lanes-in, and at "
                        "least the digits of an activation");
    if (found_.points.empty()) return nothing_fits();
    std::stable_sort(
        found_.points.begin(), found_.points.end(),
        [](const DesignPoint& a, const DesignPoint& b) { return a.images_per_s > b.images_per_s; });
    for (const PeKind kind : o_.kinds) {
      mark_front(
          found_.points, kind, [](const DesignPoint& d) { return double(d.lut()); },
          &DesignPoint::best_for_lut);
      if (o_.pj_per_lane_cycle.contains(kind))
        mark_front(
            found_.points, kind, [](const DesignPoint& d) { return d.uj_per_image; },
            &DesignPoint::best_for_energy);
    }
    return std::move(found_);
  }

 private:
  Status core(PeKind kind, int act_bits, int lanes_in, int lanes_out, int pixels, int out_cycles) {
    EngineConfig wanted = least_engine();
    wanted.pe = kind;
    wanted.lanes_in = lanes_in;
    wanted.lanes_out = lanes_out;
    wanted.pixels = pixels;
    wanted.mult_bits = o_.mult_bits;
    wanted.broadcast = o_.broadcast;
    wanted.out_cycles = out_cycles;
    wanted.axi_bits = o_.axi_bits;
    wanted.target = o_.target;
    wanted.act_bits = std::max(wanted.act_bits, act_bits);
    const bool wide = std::max(act_bits, sketch_.act_bits()) > kNarrowActBits;
    if (kind == PeKind::kSvpe)
      wanted.act_digits = o_.act_digits > 0 ? o_.act_digits : wide ? o_.wide_digits : 1;
    if (wanted.act_digits > out_cycles) return ok_status();  // written in so many cycles
    // The logic alone is often too large, which is known before any program is.
    const Resources least = o_.estimate(wanted);
    if (!fits(least, o_.budget)) {
      ++found_.considered;
      note(wanted, least);
      return ok_status();
    }
    int taps = 0;
    for (const auto packing : {ImagePacking::kWindow, ImagePacking::kRow, ImagePacking::kNone}) {
      MemoryLimits limits;
      limits.packing = packing;
      const auto program = sketch_.program(wanted, limits);
      if (program.ok()) {
        const ImageLayout& image = program->image;
        if (taps == image.taps_x * image.taps_y) continue;  // as before
        taps = image.taps_x * image.taps_y;
        packed(wanted, limits, *program);
      } else if (program.error().code == ErrorCode::kUnsupported) {
        // Too much for this core, not for one of wider words, perhaps.
        ++found_.considered;
        if (!refusal_) refusal_ = program.error();
      } else {
        return program.error();
      }
    }
    return ok_status();
  }

  void packed(const EngineConfig& wanted, const MemoryLimits& limits, const Program& program) {
    if (const auto rtl = engine_parameters(program.config); !rtl.ok()) {  // vpe2 of one pixel
      ++found_.considered;
      if (!refusal_) refusal_ = rtl.error();
    } else {
      copies(wanted, limits, program);
    }
  }

  /// One core, as many times as is tried and as fits. program: with all weights on the chip.
  void copies(const EngineConfig& wanted, const MemoryLimits& limits, Program program) {
    std::optional<DesignPoint> most;  // not yet among the points
    for (int images = std::max(1, o_.images); images <= (o_.images > 0 ? o_.images : kMaxImages);
         ++images) {
      program.config.images = images;
      ++found_.considered;
      note(program.config, o_.estimate(program.config));
      std::optional<DesignPoint> next;
      if (fits(o_.estimate(program.config), o_.budget))
        next = point(program, limits);
      else
        next = streamed(wanted, limits, program.config);
      if (!next) break;
      most = next;
      // 2^n and 3 * 2^n
      const int odd = images >> std::countr_zero(static_cast<unsigned>(images));
      if (odd != 1 && odd != 3) continue;
      found_.points.push_back(*most);
      most.reset();
    }
    if (most) found_.points.push_back(*most);
  }

  /// With weights that stream through the largest memory that still fits; none: there is no bus, or
  /// the largest block of weights does not fit.
  std::optional<DesignPoint> streamed(const EngineConfig& wanted, MemoryLimits limits,
                                      EngineConfig resident) const {
    if (o_.axi_bits == 0) return std::nullopt;
    int fitting = 0, too_deep = resident.weight_depth / kDepthStep;
    while (too_deep - fitting > 1) {
      const int middle = (fitting + too_deep) / 2;
      resident.weight_depth = middle * kDepthStep;
      (fits(o_.estimate(resident), o_.budget) ? fitting : too_deep) = middle;
    }
    if (fitting == 0) return std::nullopt;
    limits.weight_depth = fitting * kDepthStep;
    auto program = sketch_.program(wanted, limits);
    if (!program.ok()) return std::nullopt;
    program->config.images = resident.images;
    if (!fits(o_.estimate(program->config), o_.budget)) return std::nullopt;
    return point(*program, limits);
  }

  DesignPoint point(const Program& program, const MemoryLimits& limits) const {
    const EngineConfig& c = program.config;
    const CycleCounts cycles = predict(program).all;
    DesignPoint d;
    d.config = c;
    d.limits = limits;
    d.stream_words = program.stream_words;
    d.image_taps = program.image.taps_x * program.image.taps_y;
    d.resources = o_.estimate(c);
    d.cycles = cycles;
    d.images_per_s = c.images * o_.clock_mhz * 1e6 / static_cast<double>(cycles.total);
    d.lanes_used = lanes_used(c, program.macs, cycles);
    // Those are of lanes that take whole activations.
    if (const auto pj = o_.pj_per_lane_cycle.find(c.pe);
        pj != o_.pj_per_lane_cycle.end() && c.act_digits == 1)
      d.uj_per_image = pj->second * c.lanes() / c.images * static_cast<double>(cycles.total) * 1e-6;
    return d;
  }

  /// Keeps the smallest engine for the error that says that even it does not fit.
  void note(const EngineConfig& c, const Resources& r) {
    if (smallest_ && r.lut + r.lutram >= smallest_->lut()) return;
    smallest_ = DesignPoint{};
    smallest_->config = c;
    smallest_->resources = r;
  }

  Error nothing_fits() const {
    if (!smallest_) return *refusal_;
    const Resources& r = smallest_->resources;
    const EngineConfig& c = smallest_->config;
    return make_error(ErrorCode::kUnsupported,
                      "none of {} engines fits {} LUT, {} FF, {} DSP, {} block RAMs; the smallest "
                      "({}, {}x{}x{} lanes) takes {}, {}, {}, {}",
                      found_.considered, o_.budget.lut, o_.budget.ff, o_.budget.dsp, o_.budget.bram,
                      pe_name(c.pe), c.lanes_in, c.lanes_out, c.pixels, r.lut + r.lutram, r.ff,
                      r.dsp, r.bram);
  }

  const ProgramSketch& sketch_;
  const ExploreOptions& o_;
  Exploration found_;
  std::optional<DesignPoint> smallest_;
  std::optional<Error> refusal_;  ///< why the first core could not have the network
};

}  // namespace

Result<Exploration> explore(const Graph& graph, const ExploreOptions& options) {
  NBQ_CHECK(options.estimate && options.clock_mhz > 0);
  NBQ_ASSIGN(const ProgramSketch sketch, ProgramSketch::create(graph));
  return Explorer(sketch, options).run();
}

}  // namespace nbq::hw
