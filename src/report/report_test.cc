#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/process.h"
#include "report/plot.h"

namespace nbq::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const char* const kMetrics =
    R"({"name":"tiny<net>","float_accuracy":98.5,"nbit_accuracy":98.0,"seconds":12.5,
"epochs":[
 {"phase":0,"kind":"float","epoch":1,"loss":1.5,"train_accuracy":60,"validation_accuracy":null,
  "test_accuracy":90,"lr":0.1,"alpha":1,"images_per_second":10,"seconds":1},
 {"phase":1,"kind":"quantised","epoch":1,"loss":0.1,"train_accuracy":95,"validation_accuracy":null,
  "test_accuracy":98,"lr":0.01,"alpha":0.5,"images_per_second":10,"seconds":1}],
"weights":[{"layer":"c<1>&\"'","bits":3,"before":{"lo":-1,"hi":1,"counts":[1,2,3,4]},
 "after":{"lo":-2,"hi":2,"counts":[0,5,5,0]},"quantised":{"lo":-2,"hi":2,"counts":[1,4,4,1]},
 "levels":[{"level":-4,"count":1},{"level":0,"count":4},{"level":2,"count":5}]}]})";

const char* const kInfo =
    R"({"name":"tiny<net>","stage":"integer","model_bytes":1000,"float_bytes":8000,
"weight_bits":3,"act_bits":8,"params":2000,"macs":123456,"layers":[
 {"name":"c<1>","op":"conv2d","shape":[8,4,4],"params":2000,"macs":123456,"weight_bits":3,"act_bits":8,
  "acc_bits":20}]})";

json sim(const char* pe, int cycles) {
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
          {"accuracy", 99.0}};
}

json synth(const char* pe, const char* target, int lut, double bram) {
  return {{"pe", pe}, {"target", target}, {"lut", lut}, {"ff", 20}, {"dsp", 3}, {"bram", bram}};
}

class ReportTest : public testing::Test {
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

std::size_t occurrences(const std::string& s, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = s.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

bool have_gnuplot() { return find_tool("gnuplot", "gnuplot-nox").ok(); }

TEST_F(ReportTest, JsonHoldsTheFigures) {
  put_all();
  const json j = json::parse(report_json(made()));
  EXPECT_EQ(j["name"], "tiny<net>");
  EXPECT_EQ(j["float_accuracy"], 98.5);
  EXPECT_EQ(j["nbit_accuracy"], 97.87);
  EXPECT_EQ(j["weight_bits"], 3);
  EXPECT_EQ(j["act_bits"], 8);
  EXPECT_EQ(j["float_bytes"], 8000);
  EXPECT_EQ(j["model_bytes"], 1000);
  EXPECT_EQ(j["images_evaluated"], 797);
  EXPECT_EQ(j["images_checked"], 100);
  EXPECT_EQ(j["mismatches"], 4);
  EXPECT_EQ(j["clock_mhz"], 250.0);
  EXPECT_EQ(j["train_seconds"], 12.5);
  EXPECT_EQ(j["svpe"]["cycles_per_image"], 10000);
  EXPECT_TRUE(j["svpe"]["cycles_per_image"].is_number_integer());
  EXPECT_EQ(j["svpe"]["images_per_s"], 25000.0);
  EXPECT_EQ(j["vpe"]["images_per_s"], 12500.0);
  EXPECT_EQ(j["vpe"]["utilisation"], 0.75);
  EXPECT_EQ(j["svpe"]["lut"], 1000);
  EXPECT_EQ(j["svpe"]["bram"], 1.5);
  EXPECT_EQ(j["svpe"]["ecp5"], (json{{"lut", 3000}, {"ff", 20}, {"dsp", 3}, {"bram", 4}}));
  EXPECT_EQ(j["vpe"]["ecp5"]["lut"], 4000);
}

TEST_F(ReportTest, AStatedClockOverridesTheSimulations) {
  put_all();
  const json j = json::parse(report_json(made(100)));
  EXPECT_EQ(j["clock_mhz"], 100.0);
  EXPECT_EQ(j["svpe"]["images_per_s"], 10000.0);
  EXPECT_EQ(make_report({dir_, {}, -1}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ReportTest, WhatIsMissingIsNotMeasured) {
  put("sim_svpe.json", sim("svpe", 10000));
  const DemoReport r = made();
  const json j = json::parse(report_json(r));
  for (const char* key : {"float_accuracy", "nbit_accuracy", "weight_bits", "model_bytes",
                          "images_evaluated", "vpe", "train_seconds", "checks"})
    EXPECT_FALSE(j.contains(key)) << key;
  EXPECT_FALSE(j["svpe"].contains("lut"));
  EXPECT_FALSE(j["svpe"].contains("ecp5"));
  EXPECT_EQ(j["mismatches"], 1);
  const std::string table = text_table(r);
  EXPECT_THAT(table, HasSubstr("n-bit accuracy"));
  EXPECT_THAT(table, HasSubstr("not measured"));
  // Nothing to plot: no gnuplot needed.
  const auto page = report_html(r);
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(*page, HasSubstr("not measured"));
  EXPECT_THAT(*page, Not(HasSubstr("<svg")));
}

TEST_F(ReportTest, TableIsAlignedAscii) {
  put_all();
  const std::string table = text_table(made());
  for (const char c : table) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~'));
  for (const char* part : {"98.50 %", "3-bit accuracy", "97.87 %", "8.0 times smaller",
                           "images/s at 250 MHz", "25,000", "75.0 %", "load cycles per image",
                           "svpe rtl, vpe rtl on 100 images; trainer on 50", "ECP5"})
    EXPECT_THAT(table, HasSubstr(part));
  // Both columns end where their headings end.
  const std::size_t head = table.find("accelerator");
  const std::size_t width = table.find('\n', head) - head;
  for (std::size_t at = table.find('\n', head) + 1; at < table.size();) {
    const std::size_t end = table.find('\n', at);
    if (table[at] == ' ') {
      EXPECT_EQ(end - at, width) << table.substr(at, end - at);
    }
    at = end + 1;
  }
}

TEST_F(ReportTest, RefusesDamagedInputNamingTheFile) {
  EXPECT_THAT(refusal(), HasSubstr("nothing to report"));
  put_all();
  put("info.json", std::string_view(kInfo).substr(0, 100));
  EXPECT_THAT(refusal(), HasSubstr("info.json: damaged JSON"));
  put("info.json", std::string_view(kInfo));
  json s = sim("svpe", 10000);
  s.erase("utilisation");
  put("sim_svpe.json", s);
  EXPECT_THAT(refusal(),
              testing::AllOf(HasSubstr("sim_svpe.json"), HasSubstr("\"utilisation\" is missing")));
  put("sim_svpe.json", sim("vpe", 10000));
  EXPECT_THAT(refusal(), HasSubstr("\"pe\" is \"vpe\", expected \"svpe\""));
  put("sim_svpe.json", sim("svpe", 10000));
  put("run/metrics.json", std::string_view("[1, 2]"));
  EXPECT_THAT(refusal(), HasSubstr("metrics.json: \"name\" is missing"));
  put("run/metrics.json", std::string_view(kMetrics));
  for (const json& bad :
       {json("many"), json(-1), json(1.5), json(1e300), json(nullptr), json::array()}) {
    json e{{"stage", "integer"}, {"images", bad}, {"correct", 1}, {"accuracy", 1}};
    put("eval.json", e);
    EXPECT_THAT(refusal(), testing::AllOf(HasSubstr("eval.json"), HasSubstr("\"images\""))) << bad;
  }
  put("eval.json", json{{"stage", "float"}, {"images", 1}, {"correct", 1}, {"accuracy", 100}});
  EXPECT_THAT(refusal(), HasSubstr("expected \"integer\""));
}

TEST_F(ReportTest, PageIsSelfContainedAndEscaped) {
  if (!have_gnuplot()) GTEST_SKIP() << "no gnuplot";
  put_all();
  const DemoReport r = made();
  const Status written = write_report(r, dir_);
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(read_text_file(dir_ / "report.json").value(), report_json(r));
  const std::string page = read_text_file(dir_ / "report.html").value();
  EXPECT_EQ(occurrences(page, "<svg"), 6U);  // loss, accuracy, rate, alpha, two of a layer
  EXPECT_EQ(occurrences(page, "</svg>"), 6U);
  for (const char* tag :
       {"section", "figure", "table", "tbody", "div", "g", "details", "script", "tr", "td"}) {
    const std::string t(tag);
    EXPECT_EQ(occurrences(page, "<" + t + ">") + occurrences(page, "<" + t + " "),
              occurrences(page, "</" + t + ">"))
        << tag;
  }
  EXPECT_EQ(occurrences(page, "http://"),
            occurrences(page, "xmlns=\"http://www.w3.org/2000/svg\""));
  for (const char* part :
       {"https://", "src=", "href", "url(", "@import", "<link", "<?xml", "<net>", "c<1>"})
    EXPECT_THAT(page, Not(HasSubstr(part)));
  EXPECT_EQ(occurrences(page, " id="), 1U);  // the JSON's
  EXPECT_THAT(page, HasSubstr("<h1>tiny&lt;net&gt;</h1>"));
  EXPECT_THAT(page, HasSubstr("c&lt;1&gt;&amp;&quot;&#39;"));
  EXPECT_THAT(page, HasSubstr("var(--p2)"));
  EXPECT_THAT(page, Not(HasSubstr("rgb(")));
  const std::string open = "<script type=\"application/json\" id=\"report\">";
  const std::size_t at = page.find(open) + open.size();
  EXPECT_EQ(json::parse(page.substr(at, page.find("</script>", at) - at)),
            json::parse(report_json(r)));
}

TEST_F(ReportTest, WithoutGnuplotTheFiguresAreWrittenAllTheSame) {
  put_all();
  const DemoReport r = made();
  const char* path = std::getenv("PATH");
  const std::string saved = path != nullptr ? path : "";
  ::setenv("PATH", dir_.c_str(), 1);
  const Status written = write_report(r, dir_);
  ::setenv("PATH", saved.c_str(), 1);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kToolMissing);
  EXPECT_EQ(written.error().message, "gnuplot is not installed: apt-get install gnuplot-nox");
  EXPECT_TRUE(fs::exists(dir_ / "report.json"));
  EXPECT_FALSE(fs::exists(dir_ / "report.html"));
}

TEST_F(ReportTest, PlotsSurviveOddHistories) {
  if (!have_gnuplot()) GTEST_SKIP() << "no gnuplot";
  json m = json::parse(kMetrics);
  m["epochs"].erase(1);  // one epoch
  m["epochs"][0]["loss"] = nullptr;
  m["epochs"][0]["kind"] = "a\"; system('touch x'); \"";
  m["weights"][0]["before"]["counts"] = json::array();
  m["weights"][0]["levels"] = json::array();
  for (const int sign : {-1, 1})
    for (int k = 0; k < 15; ++k)
      m["weights"][0]["levels"].push_back({{"level", sign * (1 << k)}, {"count", 0}});
  put("run/metrics.json", m);
  auto page = report_html(made());
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_EQ(occurrences(*page, "<svg"), 5U);  // no loss
  EXPECT_THAT(*page, HasSubstr(">asystemtouchx<"));
  m["epochs"] = json::array();
  m["weights"] = json::array();
  put("run/metrics.json", m);
  page = report_html(made());
  ASSERT_TRUE(page.ok()) << page.error().message;
  EXPECT_THAT(*page, Not(HasSubstr("<svg")));
}

TEST_F(ReportTest, ARunFolderWithConfusionsAndSensitivity) {
  if (!have_gnuplot()) GTEST_SKIP() << "no gnuplot";
  json m = json::parse(kMetrics);
  m["classes"] = {"a<b", "c"};
  m["confusion"] = {{90, 10}, {0, 50}};
  put("metrics.json", m);
  json s{{"images", 512}, {"loss", 0.5}, {"accuracy", 90.0}, {"layers", json::array()}};
  s["layers"].push_back({{"layer", "conv<1>"},
                         {"weights", 1200},
                         {"base_bits", 5},
                         {"at",
                          {{{"bits", 1}, {"loss_rise", 2.0}, {"accuracy_fall", 40.0}},
                           {{"bits", 3}, {"loss_rise", 0.5}, {"accuracy_fall", 1.5}},
                           {{"bits", 2}, {"loss_rise", nullptr}, {"accuracy_fall", 80.0}}}}});
  put("sensitivity.json", s);
  const auto r = make_report({dir_, kInfo, 0});
  ASSERT_TRUE(r.ok()) << r.error().message;
  const std::string page = report_html(*r).value();
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">a&lt;b</th><td class=\"heat right\" "
                              "style=\"--v:90%\">90</td><td class=\"heat\" "
                              "style=\"--v:10%\">10</td>"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">conv&lt;1&gt;</th><td>1,200</td><td>5</td><td "
                              "class=\"heat\" style=\"--v:100%\">+2.0000 (-40.00)</td><td>–</td>"
                              "<td class=\"heat\" style=\"--v:50%\">+0.5000 (-1.50)</td>"));
  EXPECT_THAT(page, HasSubstr("123,456"));  // the layers of `info`
  EXPECT_THAT(page, Not(HasSubstr("Accelerator")));
  m["confusion"][1].push_back(3);
  put("metrics.json", m);
  EXPECT_THAT(refusal(), HasSubstr("\"confusion\": a row"));
}

TEST_F(ReportTest, ManyClassesAreListedByTheirConfusions) {
  if (!have_gnuplot()) GTEST_SKIP() << "no gnuplot";
  json m = json::parse(kMetrics);
  m["confusion"] = json::array();
  for (int i = 0; i < 100; ++i) {
    m["classes"].push_back("class" + std::to_string(i));
    m["confusion"].push_back(std::vector<int>(100, i == 7 ? 2 : 1));
  }
  m["confusion"][7][9] = 50;
  put("metrics.json", m);
  const std::string page = report_html(made()).value();
  EXPECT_EQ(occurrences(page, "class=\"heat\""), 30U);
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">class7</th><td>class9</td><td>50</td>"));
}

}  // namespace
}  // namespace nbq::report
