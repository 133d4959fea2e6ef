#include "report/report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>

#include "core/file.h"
#include "report/table.h"

namespace nbq::report {
namespace {

using Json = nlohmann::ordered_json;

/// Whole numbers without ".0".
Json plain(double v) { return std::floor(v) == v ? Json(static_cast<std::int64_t>(v)) : Json(v); }

template <class T>
void put(Json& j, const char* key, const std::optional<T>& v) {
  if (v) j[key] = *v;
}

void put_resources(Json& j, const Resources& r) {
  j["lut"] = plain(r.lut);
  j["ff"] = plain(r.ff);
  j["dsp"] = plain(r.dsp);
  j["bram"] = plain(r.bram);
}

Json array_json(const DemoReport& report, const Array& a) {
  Json j = Json::object();
  if (a.sim) {
    const Simulation& s = *a.sim;
    j["lanes"] = s.lanes;
    j["images"] = s.images;
    j["mismatches"] = s.mismatches;
    put(j, "accuracy", s.accuracy);
    j["cycles_per_image"] = plain(s.cycles);
    j["busy_cycles_per_image"] = plain(s.busy);
    j["residual_cycles_per_image"] = plain(s.residual);
    j["drain_cycles_per_image"] = plain(s.drain);
    j["barrier_cycles_per_image"] = plain(s.barrier);
    j["fetch_cycles_per_image"] = plain(s.fetch);
    j["load_cycles_per_image"] = plain(s.load);
    j["utilisation"] = s.utilisation;
    put(j, "images_per_s", report.images_per_s(a));
    if (!report.clock_mhz) put(j, "clock_mhz", report.clock_of(a));
  }
  if (a.xcup) put_resources(j, *a.xcup);
  if (a.ecp5) put_resources(j["ecp5"], *a.ecp5);
  return j;
}

Json energy_json(const Energy& e) {
  Json list = Json::array();
  for (const ArrayEnergy& a : e.arrays) {
    Json j = {{"pe", a.pe}};
    if (a.pe != "svpe") j.update({{"mult_bits", a.mult_bits}, {"dense_weights", a.dense}});
    j["pj_per_mac"] = a.pj_per_mac;
    j["uj_per_image"] = a.uj_per_image;
    j["standard_error"] = a.standard_error;
    put(j, "power_ratio", a.power_ratio);
    list.push_back(std::move(j));
  }
  return {{"library", e.library}, {"clock_mhz", e.clock_mhz}, {"arrays", list}};
}

std::int64_t mismatches_of(const Check& check, const std::string& executor) {
  std::int64_t sum = 0;
  for (const Checked& c : check.executors)
    if (c.name == executor) sum += c.mismatches;
  return sum;
}

}  // namespace

std::string DemoReport::name() const {
  if (in.info && !in.info->name.empty()) return printable(in.info->name);
  if (in.training && !in.training->name.empty()) return printable(in.training->name);
  return "nbq";
}

std::optional<std::int64_t> DemoReport::images_checked() const {
  std::optional<std::int64_t> least;
  for (const Array* a : {&in.svpe, &in.vpe})
    if (a->sim) least = std::min(least.value_or(a->sim->images), a->sim->images);
  if (!least && in.check) least = in.check->images;
  return least;
}

std::optional<std::int64_t> DemoReport::mismatches() const {
  std::optional<std::int64_t> sum;
  if (in.check) sum = in.check->mismatches;
  for (const auto& [executor, a] :
       {std::pair{"svpe rtl", &in.svpe}, std::pair{"vpe rtl", &in.vpe}}) {
    if (!a->sim) continue;
    // `nbq check` counted them too, of the same images.
    const std::int64_t counted = in.check ? mismatches_of(*in.check, executor) : 0;
    sum = sum.value_or(0) + std::max<std::int64_t>(0, a->sim->mismatches - counted);
  }
  return sum;
}

std::optional<double> DemoReport::images_per_s(const Array& array) const {
  if (!array.sim) return std::nullopt;
  return *clock_of(array) * 1e6 / array.sim->cycles;
}

std::optional<double> DemoReport::clock_of(const Array& array) const {
  return clock_mhz || !array.sim ? clock_mhz : array.sim->clock_mhz;
}

bool DemoReport::arrays_differ() const {
  if (!in.svpe.sim || !in.vpe.sim) return false;
  const auto key = [&](const Array& a) {
    const Simulation& s = *a.sim;
    return std::tuple(s.lanes_in, s.lanes_out, s.pixels, s.lanes, *clock_of(a));
  };
  return key(in.svpe) != key(in.vpe);
}

Result<DemoReport> make_report(const ReportInputs& inputs) {
  if (!(inputs.clock_mhz >= 0) || !std::isfinite(inputs.clock_mhz))
    return make_error(ErrorCode::kInvalidArgument, "clock of {} MHz", inputs.clock_mhz);
  NBQ_ASSIGN(Inputs in, read_inputs(inputs.dir, inputs.stand_ins));
  DemoReport report{std::move(in), std::nullopt};
  if (inputs.clock_mhz > 0)
    report.clock_mhz = inputs.clock_mhz;
  else if (const auto& svpe = report.in.svpe.sim, &vpe = report.in.vpe.sim; svpe || vpe)
    if (!svpe || !vpe || svpe->clock_mhz == vpe->clock_mhz)
      report.clock_mhz = (svpe ? svpe : vpe)->clock_mhz;
  return report;
}

std::string report_json(const DemoReport& report) {
  const Inputs& in = report.in;
  Json j = {{"name", report.name()}};
  if (in.training) put(j, "float_accuracy", in.training->float_accuracy);
  if (in.eval)
    j["nbit_accuracy"] = in.eval->accuracy;
  else if (in.training)
    put(j, "nbit_accuracy", in.training->nbit_accuracy);
  if (in.info) {
    j["weight_bits"] = in.info->weight_bits;
    j["act_bits"] = in.info->act_bits;
    j["float_bytes"] = in.info->float_bytes;
    j["model_bytes"] = in.info->model_bytes;
    j["params"] = in.info->params;
    j["macs"] = in.info->macs;
  }
  if (in.eval) j["images_evaluated"] = in.eval->images;
  put(j, "images_checked", report.images_checked());
  put(j, "mismatches", report.mismatches());
  if (in.check) {
    Json& list = j["checks"] = Json::array();
    for (const Checked& c : in.check->executors)
      list.push_back({{"name", c.name}, {"images", c.images}, {"mismatches", c.mismatches}});
  }
  for (const auto& [key, array] : {std::pair{"svpe", &in.svpe}, std::pair{"vpe", &in.vpe}}) {
    Json a = array_json(report, *array);
    if (!a.empty()) j[key] = std::move(a);
  }
  put(j, "clock_mhz", report.clock_mhz);
  if (in.energy) j["energy"] = energy_json(*in.energy);
  if (in.bench)
    j["cpu"] = {{"isa", in.bench->isa},
                {"threads", in.bench->threads},
                {"batch", in.bench->batch},
                {"images_per_s", in.bench->images_per_s}};
  if (in.training) j["train_seconds"] = in.training->seconds;
  return j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Status write_report(const DemoReport& report, const std::filesystem::path& dir) {
  NBQ_TRY(write_file(dir / "report.json", report_json(report)));
  NBQ_ASSIGN(const std::string page, report_html(report));
  return write_file(dir / "report.html", page);
}

}  // namespace nbq::report
