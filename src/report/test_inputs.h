#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/file.h"
#include "core/process.h"
#include "report/report.h"

namespace nbq::report {

namespace fs = std::filesystem;
using nlohmann::json;

inline const char* const kMetrics =
    R"({"name":"tiny<net>","float_accuracy":98.5,"nbit_accuracy":98.0,"seconds":12.5,
"epochs":[
 {"phase":0,"kind":"float","epoch":1,"loss":1.5,"train_accuracy":60,"validation_accuracy":null,
  "test_accuracy":90,"lr":0.1,"alpha":1,"images_per_second":10,"seconds":1},
 {"phase":1,"kind":"quantised","epoch":1,"loss":0.1,"train_accuracy":95,"validation_accuracy":null,
  "test_accuracy":98,"lr":0.01,"alpha":0.5,"images_per_second":10,"seconds":1}],
"weights":[{"layer":"c<1>&\"'","bits":3,"before":{"lo":-1,"hi":1,"counts":[1,2,3,4]},
 "after":{"lo":-2,"hi":2,"counts":[0,5,5,0]},"quantised":{"lo":-2,"hi":2,"counts":[1,4,4,1]},
 "levels":[{"level":-4,"count":1},{"level":0,"count":4},{"level":2,"count":5}]}]})";

inline const char* const kInfo =
    R"({"name":"tiny<net>","stage":"integer","model_bytes":1000,"float_bytes":8000,
"weight_bits":3,"act_bits":8,"params":2000,"macs":123456,"layers":[
 {"name":"c<1>","op":"conv2d","shape":[8,4,4],"params":2000,"macs":123456,"weight_bits":3,"act_bits":8,
  "acc_bits":20}]})";

inline json sim(const char* pe, int cycles) {
  return {{"model", "m.nbq"},
          {"pe", pe},
          {"lanes_in", 8},
          {"lanes_out", 8},
          {"pixels", 4},
          {"lanes", 256},
          {"code_bits", 3},
          {"weight_bits", 3},
          {"act_bits", 8},
          {"acc_bits", 20},
          {"clock_mhz", 250.0},
          {"images", 100},
          {"mismatches", 1},
          {"cycles_per_image", cycles},
          {"load_cycles_per_image", 70},
          {"busy_cycles_per_image", cycles - 300},
          {"residual_cycles_per_image", 40},
          {"drain_cycles_per_image", 100},
          {"barrier_cycles_per_image", 90},
          {"fetch_cycles_per_image", 60},
          {"macs", 123456},
          {"utilisation", 0.75},
          {"images_per_s", 1.0},
          {"accuracy", 99.0},
          {"images_at_once", 1},
          {"layers",
           {{{"name", "c<1>"},
             {"macs", 120000},
             {"cycles", 0.9 * cycles},
             {"busy_cycles", 0.8 * cycles},
             {"utilisation", 0.5}},
            {{"name", "a pool that is in no other file"},
             {"macs", 0},
             {"cycles", 0.1 * cycles},
             {"busy_cycles", 0},
             {"utilisation", 0}}}}};
}

inline json synth(const char* pe, const char* target, int lut, double bram) {
  return {{"pe", pe}, {"target", target}, {"lut", lut}, {"ff", 20}, {"dsp", 3}, {"bram", bram}};
}

inline json sensitivity() {
  return {{"images", 512},
          {"loss", 0.5},
          {"accuracy", 90.0},
          {"layers",
           {{{"layer", "c<1>"},
             {"weights", 1200},
             {"base_bits", 3},
             {"at",
              {{{"bits", 1}, {"loss_rise", 2.0}, {"accuracy_fall", 40.0}},
               {{"bits", 2}, {"loss_rise", 0.25}, {"accuracy_fall", 1.5}},
               {{"bits", 3}, {"loss_rise", 0.0}, {"accuracy_fall", 0.0}}}}}}}};
}

inline json array_energy(const char* pe, double pj) {
  return {{"pe", pe},
          {"mult_bits", 16},
          {"pj_per_mac", pj},
          {"pj_per_mac_without_glitches", 0.8 * pj},
          {"uj_per_image", 40 * pj},
          {"array_mw", 20 * pj},
          {"standard_error", 0.015},
          {"slice_lanes", 16},
          {"area", 32000.0},
          {"pj_per_cycle",
           {{"nets", 5}, {"gates", 10}, {"registers", 5}, {"clock", 19.5}, {"leakage", 0.5}}}};
}

inline json energy() {
  return {{"library", "cells<130>"},
          {"voltage", 1.8},
          {"clock_mhz", 50.0},
          {"wire_ff", 0.0},
          {"lanes", 256},
          {"images", 4},
          {"windows", 64},
          {"cycles_a_window", 64},
          {"svpe", array_energy("svpe", 2)},
          {"vpe16", array_energy("vpe", 4)},
          {"vpe16_dense", array_energy("vpe", 8)},
          {"power_ratio", {{"vpe16", 0.5}, {"vpe16_dense", 0.25}}}};
}

inline json bench() {
  return {{"isa", "avx512vnni"},
          {"threads", 2},
          {"batch", 1},
          {"images_per_s", 12345.4},
          {"median_ms", 0.081},
          {"peak_gmacs", 100.0},
          {"memory_gbytes", 10.0},
          {"layers",
           {{{"name", "c<1>"}, {"us", 10.0}, {"macs", 500000}, {"bytes", 5000}},
            {{"name", "pool"}, {"us", 1.0}, {"macs", 0}, {"bytes", 5000}}}}};
}

/// A folder with what the commands print, removed at the end.
class ReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / ("nbq_report_test_" + std::to_string(::getpid()));
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }

  void put(const fs::path& name, std::string_view text) {
    ASSERT_TRUE(write_file(dir_ / name, text).ok());
  }
  void put(const fs::path& name, const json& j) { put(name, std::string_view(j.dump())); }
  void put_all() {
    put("run/metrics.json", std::string_view(kMetrics));
    put("info.json", std::string_view(kInfo));
    put("eval.json", json{{"model", "m.nbq"},
                          {"data", "digits"},
                          {"executor", "ref"},
                          {"stage", "integer"},
                          {"images", 797},
                          {"correct", 780},
                          {"accuracy", 97.87},
                          {"seconds", 1.5}});
    put("check.json", json{{"model", "m.nbq"},
                           {"images", 50},
                           {"mismatches", 2},
                           {"executors",
                            {{{"name", "ref"}, {"images", 50}, {"mismatches", 0}},
                             {{"name", "trainer"}, {"images", 50}, {"mismatches", 2}}}}});
    put("sim_svpe.json", sim("svpe", 10000));
    put("sim_vpe.json", sim("vpe", 20000));
    put("synth_svpe_xcup.json", synth("svpe", "xcup", 1000, 1.5));
    put("synth_vpe_xcup.json", synth("vpe", "xcup", 2000, 2));
    put("synth_svpe_ecp5.json", synth("svpe", "ecp5", 3000, 4));
    put("synth_vpe_ecp5.json", synth("vpe", "ecp5", 4000, 4));
    put("sensitivity.json", sensitivity());
    put("energy.json", energy());
    put("bench.json", bench());
  }
  DemoReport made(double clock_mhz = 0) {
    auto r = make_report({dir_, {}, clock_mhz});
    EXPECT_TRUE(r.ok()) << (r.ok() ? "" : r.error().message);
    return r.ok() ? r.value() : DemoReport{};
  }
  std::string refusal() {
    const auto r = make_report({dir_, {}, 0});
    if (r.ok()) return "accepted";
    EXPECT_EQ(r.error().code, ErrorCode::kBadFile);
    return r.error().message;
  }

  fs::path dir_;
};

inline std::size_t occurrences(const std::string& s, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = s.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

inline bool have_gnuplot() { return find_tool("gnuplot", "gnuplot-nox").ok(); }

}  // namespace nbq::report
