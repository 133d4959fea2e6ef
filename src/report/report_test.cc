#include "report/report.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "report/page.h"
#include "report/plot.h"
#include "report/roofline.h"
#include "report/test_inputs.h"

namespace nbq::report {
namespace {

using testing::HasSubstr;
using testing::Not;

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
  EXPECT_EQ(j["cpu"]["images_per_s"], 12345.4);
  EXPECT_EQ(j["energy"]["library"], "cells<130>");
  EXPECT_EQ(
      j["energy"]["arrays"][0],
      (json{
          {"pe", "svpe"}, {"pj_per_mac", 2.0}, {"uj_per_image", 80.0}, {"standard_error", 0.015}}));
  EXPECT_EQ(j["energy"]["arrays"][2]["dense_weights"], true);
  EXPECT_EQ(j["energy"]["arrays"][2]["power_ratio"], 0.25);
}

TEST_F(ReportTest, AStatedClockOverridesTheSimulations) {
  put_all();
  const json j = json::parse(report_json(made(100)));
  EXPECT_EQ(j["clock_mhz"], 100.0);
  EXPECT_EQ(j["svpe"]["images_per_s"], 10000.0);
  EXPECT_EQ(make_report({dir_, {}, -1}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ReportTest, UnlikeArraysHaveNoRatiosAndTheirOwnClocks) {
  json svpe = sim("svpe", 10000), vpe = sim("vpe", 20000);
  put("sim_svpe.json", svpe);
  put("sim_vpe.json", vpe);
  EXPECT_THAT(arrays_body(made()), HasSubstr("<p>Two arrays alike in lanes and clock. The"));
  for (json* j : {&svpe, &vpe})
    for (const char* key : {"act_depth", "weight_depth", "param_depth", "result_depth"})
      (*j)[key] = 1024;
  put("sim_svpe.json", svpe);
  put("sim_vpe.json", vpe);
  EXPECT_THAT(arrays_body(made()), HasSubstr("clock, with memories of the same depth. The"));
  vpe["weight_depth"] = 512;
  put("sim_vpe.json", vpe);
  EXPECT_THAT(arrays_body(made()), HasSubstr("<p>Two arrays alike in lanes and clock. The"));
  vpe["clock_mhz"] = 200.0;
  put("sim_vpe.json", vpe);
  const std::string body = arrays_body(made());
  EXPECT_THAT(body, HasSubstr("The arrays differ: 8×8×4 at 250 MHz against 8×8×4 at 200 MHz."));
  EXPECT_THAT(body, HasSubstr("<th scope=\"row\">images/s at 250, 200 MHz</th><td>25,000</td>"
                              "<td>10,000</td><td></td>"));
  EXPECT_THAT(body, Not(HasSubstr("class=\"ratio\"")));
  const json own = json::parse(report_json(made()));
  EXPECT_FALSE(own.contains("clock_mhz"));
  EXPECT_EQ(own["vpe"]["clock_mhz"], 200.0);
  EXPECT_THAT(arrays_body(made(100)), HasSubstr("Two arrays alike"));
  for (const char* key : {"lanes_in", "lanes_out", "pixels", "lanes"}) {
    json other = sim("vpe", 20000);
    other[key] = 16;
    put("sim_vpe.json", other);
    EXPECT_THAT(arrays_body(made(100)), HasSubstr("The arrays differ")) << key;
  }
}

TEST_F(ReportTest, AnArrayInCheckAndSimulationCountsOnce) {
  put_all();
  put("check.json", json{{"images", 50},
                         {"mismatches", 5},
                         {"executors",
                          {{{"name", "trainer"}, {"images", 50}, {"mismatches", 2}},
                           {{"name", "svpe rtl"}, {"images", 50}, {"mismatches", 3}}}}});
  // trainer 2, svpe 3 in the check and 1 in its simulation, vpe 1.
  EXPECT_EQ(made().mismatches(), 6);
}

TEST_F(ReportTest, ControlCharactersDoNotReachTheTerminal) {
  json info = json::parse(kInfo);
  info["name"] = "a\x1b[2J\n\x7f\u009bé";
  put("info.json", info);
  EXPECT_EQ(made().name(), "a?[2J???é");
}

TEST_F(ReportTest, WhatIsMissingIsNotMeasured) {
  json s = sim("svpe", 10000);
  s.erase("layers");
  put("sim_svpe.json", s);
  const DemoReport r = made();
  const json j = json::parse(report_json(r));
  for (const char* key : {"float_accuracy", "nbit_accuracy", "weight_bits", "model_bytes",
                          "images_evaluated", "vpe", "train_seconds", "checks", "energy", "cpu"})
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
  fs::remove(dir_ / "eval.json");
  json b = bench();
  b["threads"] = 0;
  put("bench.json", b);
  EXPECT_THAT(refusal(), HasSubstr("bench.json: \"threads\" is 0"));
}

TEST_F(ReportTest, PageIsSelfContainedAndEscaped) {
  if (!have_gnuplot()) GTEST_SKIP() << "no gnuplot";
  put_all();
  const DemoReport r = made();
  const Status written = write_report(r, dir_);
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(read_text_file(dir_ / "report.json").value(), report_json(r));
  const std::string page = read_text_file(dir_ / "report.html").value();
  // Loss, accuracy, rate, alpha, two of a layer, two rooflines.
  EXPECT_EQ(occurrences(page, "<svg"), 8U);
  EXPECT_EQ(occurrences(page, "</svg>"), 8U);
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
       {"https://", "src=\"", "url(", "@import", "<link", "<?xml", "<net>", "c<1>"})
    EXPECT_THAT(page, Not(HasSubstr(part)));
  // Links lead to the page's own sections.
  EXPECT_EQ(occurrences(page, "href"), occurrences(page, "href=\"#"));
  EXPECT_EQ(occurrences(page, "href"), occurrences(page, "<section id="));
  EXPECT_THAT(page, HasSubstr("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
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
  const auto r = make_report({dir_, {kInfo, {}}, 0});
  ASSERT_TRUE(r.ok()) << r.error().message;
  const std::string page = report_html(*r).value();
  EXPECT_THAT(page, HasSubstr("class the integer network gave the column’s"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">a&lt;b</th><td class=\"heat right\" "
                              "style=\"--v:90%\">90</td><td class=\"heat\" "
                              "style=\"--v:10%\">10</td>"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">conv&lt;1&gt;</th><td>1,200</td><td>5</td><td "
                              "class=\"heat\" style=\"--v:100%\">+2.0000 (-40.00)</td><td>–</td>"
                              "<td class=\"heat\" style=\"--v:50%\">+0.5000 (-1.50)</td>"));
  EXPECT_THAT(page, HasSubstr("123,456"));  // the layers of `info`
  EXPECT_THAT(page, Not(HasSubstr("SVPE against VPE")));
  // Not evaluated yet in the quantised phase: still the float network's.
  m["epochs"][1]["test_accuracy"] = nullptr;
  put("metrics.json", m);
  EXPECT_THAT(report_html(made()).value(),
              HasSubstr("class the network, as the training’s last evaluation had it, gave"));
  m["confusion"][1].push_back(3);
  put("metrics.json", m);
  EXPECT_THAT(refusal(), HasSubstr("\"confusion\": a row"));
}

TEST_F(ReportTest, LayersJoinWhatTheInputsSayOfThem) {
  put_all();
  fs::remove_all(dir_ / "run");
  const std::string page = report_html(made()).value();
  EXPECT_THAT(page, HasSubstr("<tr><th scope=\"row\">c&lt;1&gt;</th><td class=\"text\">conv2d</td>"
                              "<td>8×4×4</td><td>3</td><td>8</td><td>20</td><td>2,000</td>"
                              "<td>–</td><td>123,456</td><td class=\"heat\" style=\"--v:100%\">"
                              "+0.2500 at 2 bits</td><td>9,000</td><td>90.0 %</td>"
                              "<td class=\"heat right\" style=\"--v:50%\">50.0 %</td></tr>"));
  // A name of one file alone is a row, too.
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">a pool that is in no other file</th><td>–</td>"));
  EXPECT_THAT(page, HasSubstr("<td>10,000</td><td></td><td>45.0 %</td></tr></tfoot>"));
  fs::remove(dir_ / "info.json");
  fs::remove(dir_ / "sensitivity.json");
  const std::string less = report_html(made()).value();
  EXPECT_THAT(less, HasSubstr("<tr><th scope=\"row\">c&lt;1&gt;</th><td>9,000</td>"));
  EXPECT_THAT(less, HasSubstr("Not measured: bits, bytes and MACs, sensitivity."));
}

TEST_F(ReportTest, TheCompilersScheduleStandsInForTheSimulations) {
  json plan = sim("vpe", 500);
  put("compile.json", plan);
  EXPECT_THAT(report_html(made()).value(), HasSubstr("VPE cycles</th>"));
  EXPECT_THAT(layers_body(made()), HasSubstr("as the compiler counts them and the RTL takes them"));
  plan["axi_bits"] = 128;
  put("compile.json", plan);
  EXPECT_THAT(layers_body(made()), HasSubstr("counts them, within 1 % of the RTL’s;"));
  put("sim_svpe.json", sim("svpe", 10000));
  EXPECT_THAT(report_html(made()).value(), HasSubstr("SVPE cycles</th>"));
  plan["layers"][0].erase("busy_cycles");
  put("compile.json", plan);
  EXPECT_THAT(refusal(), HasSubstr("compile.json: \"busy_cycles\" is missing"));
}

TEST_F(ReportTest, BothArraysAndTheirRatio) {
  put_all();
  fs::remove_all(dir_ / "run");
  const std::string page = report_html(made()).value();
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">cycles per image</th><td>10,000</td>"
                              "<td>20,000</td><td class=\"ratio\">50.0 %"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">images/s at 250 MHz</th><td>25,000</td>"
                              "<td>12,500</td><td class=\"ratio\">200.0 %"));
  put("synth_vpe_xcup.json", synth("vpe", "xcup", 0, 2));
  EXPECT_THAT(report_html(made()).value(),
              HasSubstr("<th scope=\"row\">LUT</th><td>1,000</td><td>0</td><td></td>"));
}

TEST_F(ReportTest, EnergyNamesItsArraysAndRatios) {
  put("energy.json", energy());
  const std::string page = report_html(made()).value();
  EXPECT_THAT(page, HasSubstr("cells&lt;130&gt; (1.8 V) at 50 MHz"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">SVPE</th><td>2</td><td>1.6</td><td>1.5 %</td>"
                              "<td>80</td><td>40</td><td>2,000</td><td>–</td>"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">VPE 16, the same weights</th>"));
  EXPECT_THAT(page,
              HasSubstr("<th scope=\"row\">VPE 16, 16-bit weights</th><td>8</td><td>6.4</td>"
                        "<td>1.5 %</td><td>320</td><td>160</td><td>2,000</td><td>25.0 %</td>"));
  put("energy.json", json{{"library", "x"},
                          {"voltage", 1},
                          {"clock_mhz", 1},
                          {"wire_ff", 0},
                          {"lanes", 1},
                          {"images", 1},
                          {"windows", 1},
                          {"cycles_a_window", 1}});
  EXPECT_THAT(refusal(), HasSubstr("energy.json: no array in it"));
}

TEST_F(ReportTest, RooflinesOfTheArrayAndTheProcessor) {
  put("bench.json", bench());
  put("compile.json", sim("svpe", 10000));
  const DemoReport r = made();
  const std::vector<Figure> figures = roofline_figures(r.in);
  ASSERT_EQ(figures.size(), 2U);
  const std::string array = figures[0].plots[0].commands, cpu = figures[1].plots[0].commands;
  // 8 x 8 x 4 lanes and a tap a cycle; 120,000 MACs in 8,000 taps, in 9,000 cycles.
  EXPECT_THAT(array, HasSubstr("\n256 256\n"));
  EXPECT_THAT(array, HasSubstr("$layers << EOD\n15 13.333333\nEOD"));
  EXPECT_THAT(array, HasSubstr("set label \"c1\""));  // no quotes and brackets of a name
  // Two threads: 200 GMACs/s, 20 GB/s; 500,000 MACs of 5,000 bytes in 10 us.
  EXPECT_THAT(cpu, HasSubstr("\n10 200\n"));
  EXPECT_THAT(cpu, HasSubstr("$layers << EOD\n100 50\nEOD"));
  EXPECT_THAT(figures[1].caption,
              HasSubstr("one core’s measured limits, times 2: 200 G MACs/s at best"));
  EXPECT_EQ(figures[0].heading, "SVPE array");
  if (!have_gnuplot()) GTEST_SKIP() << "no gnuplot";
  EXPECT_EQ(occurrences(report_html(r).value(), "<svg"), 2U);
  json b = bench();
  b.erase("layers");
  put("bench.json", b);
  EXPECT_EQ(roofline_figures(made().in).size(), 1U);
}

TEST_F(ReportTest, WhatIsAbsentIsListedWithItsCommand) {
  put("eval.json", json{{"stage", "integer"},
                        {"images", 3},
                        {"correct", 2},
                        {"accuracy", 66.7},
                        {"classes", {"a", "b"}},
                        {"confusion", {{1, 0}, {1, 1}}}});
  const std::string page = report_html(made()).value();
  EXPECT_THAT(page, HasSubstr("<code>nbq sim MODEL.nbq --data DATA --pe svpe --json &gt; "
                              "sim_svpe.json</code>"));
  EXPECT_THAT(page, HasSubstr("<h2>Confusions</h2>"));
  EXPECT_THAT(page, Not(HasSubstr("--confusion")));
  put_all();
  EXPECT_THAT(missing_body(made()), HasSubstr("confusions"));
  put("run/metrics.json", [] {
    json m = json::parse(kMetrics);
    m["classes"] = {"a"};
    m["confusion"] = json::array({json::array({1})});
    return m;
  }());
  EXPECT_EQ(missing_body(made()), "");
}

TEST_F(ReportTest, EachAbsentFileIsListedOnce) {
  const json evaluation{{"stage", "integer"}, {"images", 1},
                        {"correct", 1},       {"accuracy", 100},
                        {"classes", {"a"}},   {"confusion", json::array({json::array({1})})}};
  for (const char* file :
       {"run/metrics.json", "info.json", "eval.json", "check.json", "sim_svpe.json", "sim_vpe.json",
        "synth_svpe_xcup.json", "synth_vpe_xcup.json", "synth_svpe_ecp5.json",
        "synth_vpe_ecp5.json", "sensitivity.json", "energy.json", "bench.json"}) {
    put_all();
    put("eval.json", evaluation);
    json m = json::parse(kMetrics);
    m["nbit_accuracy"] = nullptr;
    put("run/metrics.json", m);
    EXPECT_EQ(missing_body(made()), "");
    fs::remove(dir_ / file);
    const std::string body = missing_body(made());
    EXPECT_EQ(occurrences(body, "<tr><th scope=\"row\">"), 1U) << file;
    const std::string name = file == std::string_view("run/metrics.json") ? "nbq train" : file;
    EXPECT_THAT(body, HasSubstr(name));
  }
  fs::remove(dir_ / "sim_svpe.json");
  fs::remove(dir_ / "sim_vpe.json");
  EXPECT_THAT(missing_body(made()), HasSubstr("compile.json"));
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
