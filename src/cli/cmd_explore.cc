#include <map>

#include "cli/board_options.h"
#include "core/file.h"
#include "core/log.h"
#include "hw/board.h"
#include "hw/choose.h"
#include "model/nbq_file.h"
#include "report/front.h"

namespace nbq::cli {
namespace {

namespace fs = std::filesystem;

struct ExploreCommand {
  std::string model, board, pe = "both", energy, out;
  std::vector<int> act_bits = {0};
  int mult_bits = 16, broadcast = -1, act_digits = 0;
  double clock_mhz = 0;
};

std::vector<hw::PeKind> kinds(const std::string& pe) {
  if (pe == "svpe") return {hw::PeKind::kSvpe};
  if (pe == "vpe") return {hw::PeKind::kVpe};
  return {hw::PeKind::kSvpe, hw::PeKind::kVpe};
}

/// What `nbq energy --json` printed: energy of a lane in a cycle, of both elements with the
/// network's own weights. Without a row for these multipliers only the shift elements'.
Result<std::map<hw::PeKind, double>> read_energy(const std::string& file, int mult_bits) {
  NBQ_ASSIGN(const std::string text, read_text_file(file));
  const auto j = nlohmann::json::parse(text, nullptr, false);
  const std::pair<hw::PeKind, std::string> rows[] = {
      {hw::PeKind::kSvpe, "svpe"}, {hw::PeKind::kVpe, fmt::format("vpe{}", mult_bits)}};
  std::map<hw::PeKind, double> pj;
  for (const auto& [kind, key] : rows) {
    const auto value = nlohmann::json::json_pointer("/" + key + "/pj_per_lane_cycle");
    if (j.is_object() && j.contains(value) && j.at(value).is_number())
      pj[kind] = j.at(value).get<double>();
  }
  if (pj.empty())
    return make_error(ErrorCode::kBadFile,
                      "{}: not what `nbq energy --json` prints: no svpe or vpe{} with a number "
                      "pj_per_lane_cycle in it",
                      file, mult_bits);
  return pj;
}

nlohmann::ordered_json point_json(const hw::DesignPoint& p) {
  const hw::EngineConfig& c = p.config;
  nlohmann::ordered_json j{{"pe", hw::pe_name(c.pe)},
                           {"lanes_in", c.lanes_in},
                           {"lanes_out", c.lanes_out},
                           {"pixels", c.pixels},
                           {"images_at_once", c.images},
                           {"out_cycles", c.out_cycles},
                           {"lanes", c.lanes()},
                           {"act_bits", c.act_bits},
                           {"act_digits", c.act_digits},
                           {"weight_depth", c.weight_depth},
                           {"streamed_weight_words", p.stream_words},
                           {"image_taps", p.image_taps},
                           {"cycles", p.cycles.total},
                           {"images_per_s", p.images_per_s},
                           {"lut", p.lut()},
                           {"ff", p.resources.ff},
                           {"dsp", p.resources.dsp},
                           {"bram", p.resources.bram},
                           {"lanes_used", p.lanes_used}};
  if (p.uj_per_image > 0) j["array_uj_per_image"] = p.uj_per_image;
  j["best_for_lut"] = p.best_for_lut;
  if (p.uj_per_image > 0) j["best_for_energy"] = p.best_for_energy;
  return j;
}

std::string csv(const hw::Exploration& found) {
  std::string text =
      "pe,lanes_in,lanes_out,pixels,images_at_once,out_cycles,lanes,act_bits,act_digits,weight_"
      "depth,"
      "streamed_weight_words,image_taps,cycles,images_per_s,"
      "lut,ff,dsp,bram,"
      "lanes_used,array_uj_per_image,best_for_lut,best_for_energy\n";
  for (const hw::DesignPoint& p : found.points) {
    const hw::EngineConfig& c = p.config;
    text += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{:.6g},{},{},{},{},{:.4f},{},{},{}\n",
        hw::pe_name(c.pe), c.lanes_in, c.lanes_out, c.pixels, c.images, c.out_cycles, c.lanes(),
        c.act_bits, c.act_digits, c.weight_depth, p.stream_words, p.image_taps, p.cycles.total,
        p.images_per_s, p.lut(), p.resources.ff, p.resources.dsp, p.resources.bram, p.lanes_used,
        p.uj_per_image > 0 ? fmt::format("{:.6g}", p.uj_per_image) : std::string(),
        int{p.best_for_lut}, int{p.best_for_energy});
  }
  return text;
}

std::string front_table(const hw::Exploration& found) {
  std::string text =
      "pe     lanes CxMxPxB  out digits   cycles  images/s     LUT     FF   DSP  BRAM  lanes%\n";
  for (const hw::DesignPoint& p : found.points) {
    if (!p.best_for_lut && !p.best_for_energy) continue;
    const hw::EngineConfig& c = p.config;
    text += fmt::format(
        "{:5} {:>15} {:>4} {:>6} {:>8} {:>9.1f} {:>7} {:>6} {:>5} {:>5} {:>6.1f}{}\n",
        hw::pe_name(c.pe), fmt::format("{}x{}x{}x{}", c.lanes_in, c.lanes_out, c.pixels, c.images),
        c.out_cycles, c.act_digits, p.cycles.total, p.images_per_s, p.lut(), p.resources.ff,
        p.resources.dsp, p.resources.bram, 100 * p.lanes_used,
        p.uj_per_image > 0 ? fmt::format("  {:.3g} uJ", p.uj_per_image) : std::string());
  }
  return text;
}

/// Speed against one cost, a series an element.
report::Plot plot(const hw::Exploration& found, const std::string& board, bool energy) {
  std::vector<report::FrontSeries> series;
  for (const hw::PeKind kind : {hw::PeKind::kSvpe, hw::PeKind::kVpe}) {
    report::FrontSeries& s = series.emplace_back();
    s.title = kind == hw::PeKind::kSvpe ? "shift elements" : "multiplier elements";
    for (const hw::DesignPoint& p : found.points)
      if (p.config.pe == kind && (!energy || p.uj_per_image > 0))
        s.points.push_back({energy ? p.uj_per_image : p.lut(), p.images_per_s,
                            energy ? p.best_for_energy : p.best_for_lut});
  }
  return report::front_plot(series, "Engines for " + board,
                            energy ? "array energy an image in uJ" : "LUT", "images/s");
}

Status write_results(const hw::Exploration& found, const nlohmann::ordered_json& j,
                     const std::string& board, const fs::path& folder) {
  NBQ_TRY(write_file(folder / "explore.csv", csv(found)));
  NBQ_TRY(write_file(folder / "explore.json", j.dump(2) + "\n"));
  std::vector<report::Plot> plots = {plot(found, board, false)};
  std::vector<std::string> names = {"images_per_s-lut.svg"};
  if (report::Plot energy = plot(found, board, true); !energy.commands.empty()) {
    plots.push_back(std::move(energy));
    names.emplace_back("images_per_s-energy.svg");
  }
  const auto drawn = report::draw(plots);
  if (!drawn.ok()) {
    log_warn("nothing is drawn: {}", drawn.error().message);
    return ok_status();
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    NBQ_TRY(write_file(folder / names[i], report::standalone_svg((*drawn)[i])));
  return ok_status();
}

Status explore_command(const ExploreCommand& o, Context& context) {
  NBQ_ASSIGN(const Graph graph, load_nbq(o.model));
  NBQ_ASSIGN(const hw::Board board, hw::find_board(o.board));
  NBQ_ASSIGN(hw::ExploreOptions options, hw::search_space(board));
  options.kinds = kinds(o.pe);
  options.act_bits = o.act_bits;
  options.act_digits = o.act_digits;
  options.mult_bits = o.mult_bits;
  if (o.broadcast >= 0) options.broadcast = o.broadcast;
  if (o.clock_mhz > 0) options.clock_mhz = o.clock_mhz;
  if (!o.energy.empty()) {
    NBQ_ASSIGN(options.pj_per_lane_cycle, read_energy(o.energy, o.mult_bits));
  }
  const double start = now_seconds();
  NBQ_ASSIGN(const hw::Exploration found, hw::explore(graph, options));

  nlohmann::ordered_json j{{"model", o.model},
                           {"board", board.name},
                           {"clock_mhz", options.clock_mhz},
                           {"engines_considered", found.considered},
                           {"seconds", now_seconds() - start},
                           {"engines", nlohmann::ordered_json::array()}};
  for (const hw::DesignPoint& p : found.points) j["engines"].push_back(point_json(p));
  if (!o.out.empty()) NBQ_TRY(write_results(found, j, board.name, o.out));
  context.print(
      j, fmt::format(
             "{} engines considered, {} fit {} ({:.1f} s); estimates, at {} MHz; the best:\n{}",
             found.considered, found.points.size(), board.name, now_seconds() - start,
             options.clock_mhz, front_table(found)));
  return ok_status();
}

}  // namespace

void add_explore(CLI::App& app, Context& context) {
  auto o = std::make_shared<ExploreCommand>();
  CLI::App* cmd = add_command(app, context, "explore",
                              "engines of every size for a model on a board: images/s against LUT "
                              "and energy, from models, without a tool",
                              [o, &context] { return explore_command(*o, context); });
  cmd->add_option("model", o->model, "integer .nbq file")->required();
  add_board(*cmd, o->board)->required();
  cmd->add_option("--pe", o->pe, "vector elements: svpe, vpe or both [both]")
      ->check(CLI::IsMember({"svpe", "vpe", "both"}));
  cmd->add_option("--engine-act-bits", o->act_bits,
                  "at least so many activation bits; several: each [the network's]")
      ->check(CLI::Range(2, 16));
  cmd->add_option("--act-digits", o->act_digits,
                  "cycles in which an activation enters a shift array [1; the board's for more "
                  "than 8 bits]")
      ->check(CLI::Range(1, 2));
  cmd->add_option("--mult-bits", o->mult_bits, "weight bits of the multipliers [16]")
      ->check(CLI::Range(2, 16));
  cmd->add_option("--broadcast", o->broadcast,
                  "register stages on the way to the images [the board's]")
      ->check(CLI::Range(0, hw::kMaxBroadcast));
  cmd->add_option("--clock-mhz", o->clock_mhz, "of the engine [the board's goal]")
      ->check(CLI::PositiveNumber);
  cmd->add_option("--energy", o->energy,
                  "what `nbq energy --pe both --json` printed: adds the array's energy an image")
      ->check(CLI::ExistingFile);
  cmd->add_option("-o,--out", o->out, "folder for explore.csv, explore.json and the plots");
}

}  // namespace nbq::cli
