// Fits the resource model to yosys: synthesises engines of many shapes, finds the coefficients of
// resource_terms() by least squares of the relative errors, prints the errors, and writes
// src/hw/resource_model.def.  fit_resources src/hw/resource_model.def
// Every synthesis is kept in nbq's cache, so that a second run costs nothing.
//   fit_resources --bus   prints the bus's rows alone
//   fit_resources src/hw/resource_model.def xcup   that family alone; the other's rows stay
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "core/file.h"
#include "hw/resource_model.h"

namespace nbq::hw {
namespace {

/// Small engines that vary everything that the terms name.
std::vector<EngineConfig> shapes(SynthTarget target) {
  struct Shape {
    int c, m, p, b, code, act, acc, slow = 1;
    bool pool = true;
    int align = 15, left = 15, digits = 1;
  };
  constexpr Shape kShapes[] = {{8, 8, 4, 2, 3, 8, 22},
                               {2, 2, 1, 1, 3, 8, 22},
                               {4, 8, 2, 1, 3, 8, 22},
                               {8, 8, 2, 1, 3, 16, 30},
                               {4, 4, 4, 1, 3, 8, 22},
                               {16, 16, 1, 1, 3, 8, 22},
                               {4, 4, 1, 1, 2, 8, 22},
                               {4, 4, 1, 1, 4, 8, 26},
                               {4, 4, 1, 1, 5, 8, 34},
                               {8, 8, 2, 1, 3, 8, 22, 8},
                               {8, 8, 1, 1, 3, 8, 22, 2},
                               // What the large boards get: copies of a core whose output stage
                               // takes its time and shifts little, without pooling.
                               {8, 8, 4, 2, 3, 8, 21, 1, false, 2, 0},
                               {8, 16, 2, 2, 3, 8, 21, 4, false, 4, 2},
                               {16, 16, 1, 2, 3, 8, 21, 8, false, 2, 0},
                               {16, 16, 1, 3, 3, 16, 21, 8, false, 2, 0},
                               {16, 16, 1, 2, 3, 16, 21, 4, false, 1, 0},
                               {16, 16, 1, 12, 3, 16, 21, 8, false, 2, 0},
                               {16, 16, 1, 20, 3, 8, 21, 8, false, 2, 0},
                               // Digit after digit.
                               {8, 8, 2, 1, 3, 16, 29, 2, false, 2, 0, 2},
                               {16, 16, 4, 1, 3, 16, 21, 8, false, 2, 0, 2}};
  std::vector<EngineConfig> all;
  for (const PeKind pe : {PeKind::kSvpe, PeKind::kVpe, PeKind::kVpe2})
    for (const Shape& s : kShapes) {
      if (pe != PeKind::kSvpe && s.code != 3) continue;  // codes make no difference there
      if (pe != PeKind::kSvpe && (s.digits > 1 || (!s.pool && s.slow > 1))) continue;
      // Two products share a block of UltraScale+ alone, if they have 8 bits.
      if (pe == PeKind::kVpe2 && (target != SynthTarget::kXcup || s.act != 8 || s.p < 2)) continue;
      EngineConfig e;
      e.pe = pe;
      e.lanes_in = s.c;
      e.lanes_out = s.m;
      e.pixels = s.p;
      e.images = s.b;
      e.code_bits = s.code;
      e.act_bits = s.act;
      e.act_digits = s.digits;
      e.out_cycles = s.slow;
      e.max_pool = s.pool;
      e.align_bits = s.align;
      e.left_bits = s.left;
      e.mult_bits = pe == PeKind::kVpe2 ? 8 : 16;
      e.acc_bits = pe == PeKind::kVpe ? s.acc + 12 : s.acc;
      e.act_depth = e.weight_depth = 1024;
      e.param_depth = 64;
      e.result_depth = 16;
      e.program_depth = 1024;
      all.push_back(e);
    }
  return all;
}

using Rows = std::vector<std::vector<double>>;

/// Coefficients >= 0 that make sum(rows x) = 1 in the least squares: terms whose coefficient would
/// be negative leave, the most negative first. A little ridge settles terms that no row tells
/// apart.
std::vector<double> fit(const Rows& rows) {
  const std::size_t terms = rows[0].size();
  std::vector<bool> in(terms);
  std::vector<double> scale(terms, 0);
  for (std::size_t t = 0; t < terms; ++t) {
    for (const auto& r : rows) scale[t] = std::max(scale[t], r[t]);
    in[t] = scale[t] > 0;
  }
  for (;;) {
    std::vector<std::size_t> used;
    for (std::size_t t = 0; t < terms; ++t)
      if (in[t]) used.push_back(t);
    Eigen::MatrixXd a(rows.size(), used.size());
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (std::size_t i = 0; i < used.size(); ++i)
        a(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(i)) =
            rows[r][used[i]] / scale[used[i]];
    const Eigen::MatrixXd normal =
        a.transpose() * a + 1e-6 * Eigen::MatrixXd::Identity(a.cols(), a.cols());
    const Eigen::VectorXd x = normal.ldlt().solve(a.transpose() * Eigen::VectorXd::Ones(a.rows()));
    const auto least = std::min_element(x.begin(), x.end());
    if (*least >= 0) {
      std::vector<double> all(terms, 0);
      for (std::size_t i = 0; i < used.size(); ++i)
        all[used[i]] = x(static_cast<Eigen::Index>(i)) / scale[used[i]];
      return all;
    }
    in[used[static_cast<std::size_t>(least - x.begin())]] = false;
  }
}

/// The coefficients for one count, and the largest relative error.
std::vector<double> fit_count(const std::vector<ResourceRun>& runs, int ResourceRun::*count,
                              double& worst) {
  Rows rows;
  for (const ResourceRun& r : runs) {
    rows.push_back(resource_terms(r.config));
    for (double& t : rows.back()) t /= r.*count;
  }
  const std::vector<double> x = fit(rows);
  worst = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    double ratio = 0;
    for (std::size_t t = 0; t < x.size(); ++t) ratio += rows[i][t] * x[t];
    worst = std::max(worst, std::abs(ratio - 1));
    const EngineConfig& c = runs[i].config;
    std::printf("  %s %dx%dx%dx%d code %d act %d: %d, model %.0f (%+.1f %%)\n", pe_name(c.pe),
                c.lanes_in, c.lanes_out, c.pixels, c.images, c.code_bits, c.act_bits,
                runs[i].*count, ratio * runs[i].*count, 100 * (ratio - 1));
  }
  return x;
}

/// The count that this program was built with, of the same engine.
const ResourceRun* known(const EngineConfig& c, SynthTarget target) {
  for (const ResourceRun& r : resource_runs())
    if (r.target == target && r.config == c) return &r;
  return nullptr;
}

/// `keep`: engines that the file has are not counted again.
Result<std::string> fit_target(SynthTarget target, bool keep) {
  std::vector<ResourceRun> runs;
  for (const EngineConfig& c : shapes(target)) {
    if (const ResourceRun* run = keep ? known(c, target) : nullptr; run != nullptr) {
      runs.push_back(*run);
      continue;
    }
    NBQ_ASSIGN(const Resources r, synthesise(c, target));
    std::printf("%s %s %dx%dx%dx%d: %d LUT, %d FF, %d DSP, %g BRAM\n", target_name(target),
                pe_name(c.pe), c.lanes_in, c.lanes_out, c.pixels, c.images, r.lut, r.ff, r.dsp,
                r.bram);
    std::fflush(stdout);
    runs.push_back({c, target, r.lut, r.ff, r.dsp, r.bram});
  }
  double lut_error = 0, ff_error = 0;
  const auto lut = fit_count(runs, &ResourceRun::lut, lut_error);
  const auto ff = fit_count(runs, &ResourceRun::ff, ff_error);
  std::string s = fmt::format(
      "\n// {}: {} engines; the largest error is {:.1f} % of the LUTs, {:.1f} % of the FFs.\n",
      target_name(target), runs.size(), 100 * lut_error, 100 * ff_error);
  std::printf("%s", s.c_str());
  for (std::size_t i = 0; i < lut.size(); ++i)
    if (lut[i] > 0 || ff[i] > 0)
      s += fmt::format("NBQ_RESOURCE_TERM({}, \"{}\", {:.6g}, {:.6g})\n", target_name(target),
                       resource_term_names()[i], lut[i], ff[i]);
  for (const ResourceRun& r : runs) {
    const EngineConfig& c = r.config;
    s += fmt::format(
        "NBQ_RESOURCE_RUN({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, "
        "{})\n",
        target_name(target), static_cast<int>(c.pe), c.lanes_in, c.lanes_out, c.pixels, c.images,
        c.code_bits, c.mult_bits, c.act_bits, c.act_digits, c.acc_bits, c.out_cycles,
        c.max_pool ? 1 : 0, c.align_bits, c.left_bits, r.lut, r.ff, r.dsp, r.bram);
  }
  return s;
}

/// What an AXI bus, its DMA and its registers take: hardly more for a wide bus than for a narrow
/// one.
Result<std::string> bus_row(SynthTarget target) {
  EngineConfig c = shapes(target)[2];
  NBQ_ASSIGN(const Resources without, synthesise(c, target));
  c.axi_bits = 128;
  NBQ_ASSIGN(const Resources with, synthesise(c, target));
  return fmt::format("NBQ_RESOURCE_BUS({}, {}, {})\n", target_name(target),
                     with.lut + with.lutram - without.lut - without.lutram, with.ff - without.ff);
}

Status print_buses() {
  for (const SynthTarget target : {SynthTarget::kEcp5, SynthTarget::kXcup}) {
    NBQ_ASSIGN(const std::string row, bus_row(target));
    std::fputs(row.c_str(), stdout);
  }
  return ok_status();
}

std::string lines_with(const std::string& file, const std::string& text) {
  std::string s;
  std::istringstream lines(file);
  for (std::string line; std::getline(lines, line);)
    if (line.find(text) != std::string::npos) s += line + "\n";
  return s;
}

/// A target's lines in the file as it is.
std::string kept_part(const std::string& file, std::string_view target) {
  return "\n" + lines_with(file, fmt::format("// {}:", target)) +
         lines_with(file, fmt::format("({}, ", target));
}

/// `only`: the other family's part stays as it is; empty: both are made anew. `keep`: of these,
/// counts that the file has stay, for a change that other engines don't see.
Status write_model(const char* path, std::string_view only, bool keep) {
  std::string before;
  if (!only.empty() || keep) {
    NBQ_ASSIGN(before, read_text_file(path));
  }
  std::string s =
      "// Made by bench/fit_resources from yosys's counts; run that instead of editing.\n"
      "// NBQ_RESOURCE_TERM(target, term, LUT each, FF each)\n"
      "// NBQ_RESOURCE_RUN(target, pe, C, M, P, B, code, mult, act, digits, acc bits, out cycles, "
      "pool, "
      "align, left, LUT, FF, DSP, BRAM)\n"
      "// NBQ_RESOURCE_BUS(target, LUT, FF)\n"
      "#ifndef NBQ_RESOURCE_TERM\n#define NBQ_RESOURCE_TERM(...)\n#endif\n"
      "#ifndef NBQ_RESOURCE_RUN\n#define NBQ_RESOURCE_RUN(...)\n#endif\n"
      "#ifndef NBQ_RESOURCE_BUS\n#define NBQ_RESOURCE_BUS(...)\n#endif\n";
  for (const SynthTarget target : {SynthTarget::kEcp5, SynthTarget::kXcup}) {
    if (!only.empty() && only != target_name(target)) {
      s += kept_part(before, target_name(target));
      continue;
    }
    NBQ_ASSIGN(const std::string part, fit_target(target, keep));
    if (keep) {
      s += part + lines_with(before, fmt::format("NBQ_RESOURCE_BUS({}, ", target_name(target)));
    } else {
      NBQ_ASSIGN(const std::string bus, bus_row(target));
      s += part + bus;
    }
  }
  s += "#undef NBQ_RESOURCE_TERM\n#undef NBQ_RESOURCE_RUN\n#undef NBQ_RESOURCE_BUS\n";
  return write_file(path, std::string_view(s));
}

}  // namespace
}  // namespace nbq::hw

int main(int argc, char** argv) {
  const bool keep = argc > 2 && std::strcmp(argv[argc - 1], "--keep") == 0;
  if (keep) --argc;
  const std::string_view only = argc == 3 ? argv[2] : "";
  if (argc < 2 || argc > 3 || (argc == 3 && only != "xcup" && only != "ecp5")) {
    std::fprintf(stderr,
                 "usage: fit_resources src/hw/resource_model.def [xcup|ecp5] [--keep] | --bus\n");
    return 2;
  }
  const bool buses = std::strcmp(argv[1], "--bus") == 0;
  if (const auto s = buses ? nbq::hw::print_buses() : nbq::hw::write_model(argv[1], only, keep);
      !s.ok()) {
    std::fprintf(stderr, "fit_resources: %s\n", s.error().message.c_str());
    return nbq::exit_code(s.error());
  }
  return 0;
}
