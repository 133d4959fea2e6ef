// The page in a real browser: a silent console, no requests, nothing that makes a phone's or a
// desktop's page scroll sideways.
#include <gmock/gmock.h>

#include "report/plot.h"
#include "report/test_inputs.h"

namespace nbq::report {
namespace {

using testing::Each;
using testing::IsEmpty;
using testing::Not;

constexpr int kWidths[] = {390, 1280};

/// Looks into the frames before it, one a width, when all have loaded.
const char* const kProbe = R"html(<script>
function look(frame) {
  const doc = frame.contentDocument, room = doc.documentElement.clientWidth;
  const loose = e => !e.closest(".scroll, pre, svg") && e.getBoundingClientRect().right > room + 1;
  return {
    width: frame.clientWidth,
    overflow: doc.documentElement.scrollWidth - room,
    too_wide: [...doc.body.querySelectorAll("*")].filter(loose).map(e => e.outerHTML.slice(0, 80)),
    requests: frame.contentWindow.performance.getEntriesByType("resource").map(r => r.name),
    headings: [...doc.querySelectorAll("h2")].map(h => h.getBoundingClientRect().height),
  };
}
onload = () => {
  const found = JSON.stringify([...document.querySelectorAll("iframe")].map(look));
  document.body.innerHTML = "<pre></pre>";
  document.querySelector("pre").textContent = "FOUND" + encodeURIComponent(found) + "END";
};
</script>)html";

std::string decoded(const std::string& uri) {
  std::string out;
  for (std::size_t i = 0; i < uri.size(); ++i) {
    out += uri[i] == '%' ? static_cast<char>(std::stoi(uri.substr(i + 1, 2), nullptr, 16)) : uri[i];
    if (uri[i] == '%') i += 2;
  }
  return out;
}

std::string between(const std::string& s, const std::string& open, const std::string& close) {
  const std::size_t at = s.find(open);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + open.size(), end = s.find(close, begin);
  return end == std::string::npos ? "" : s.substr(begin, end - begin);
}

/// What the browser made of a page.
struct Seen {
  json frames = json::array();       ///< of look(), one a width
  std::vector<std::string> console;  ///< its lines
};

class PageBrowserTest : public ReportTest {
 protected:
  void SetUp() override {
    ReportTest::SetUp();
    chromium_ = find_tool("chromium", "chromium");
    if (!chromium_.ok()) GTEST_SKIP() << chromium_.error().message << " (scripts/setup --dev)";
  }

  void open(const std::string& page, Seen& seen) {
    std::string frames = "<!DOCTYPE html><meta charset=\"utf-8\"><body>";
    for (const int width : kWidths)
      frames +=
          fmt::format("<iframe style=\"width:{}px;height:900px;border:0\" srcdoc=\"{}\"></iframe>",
                      width, escape(page));
    put("frames.html", std::string_view(frames + kProbe));
    const auto ran = run_process({chromium_->string(), "--headless", "--no-sandbox",
                                  "--disable-gpu", "--user-data-dir=" + (dir_ / "browser").string(),
                                  "--enable-logging=stderr", "--virtual-time-budget=10000",
                                  "--dump-dom", "file://" + (dir_ / "frames.html").string()});
    ASSERT_TRUE(ran.ok()) << ran.error().message;
    const std::string found = between(ran->output, "FOUND", "END");
    ASSERT_NE(found, "") << ran->output.substr(0, 3000);
    seen.frames = json::parse(decoded(found));
    ASSERT_EQ(seen.frames.size(), std::size(kWidths));
    for (std::size_t i = 0; i < std::size(kWidths); ++i)
      ASSERT_EQ(seen.frames[i]["width"], kWidths[i]);
    for (std::size_t at = 0; (at = ran->output.find(":CONSOLE", at)) != std::string::npos; ++at)
      seen.console.push_back(ran->output.substr(at, ran->output.find('\n', at) - at));
  }

  void expect_quiet_and_fitting(const std::string& page) {
    Seen seen;
    open(page, seen);
    EXPECT_THAT(seen.console, IsEmpty());
    for (const json& frame : seen.frames) {
      SCOPED_TRACE(frame["width"]);
      EXPECT_EQ(frame["overflow"], 0);
      EXPECT_EQ(frame["too_wide"], json::array());
      EXPECT_EQ(frame["requests"], json::array());
      EXPECT_THAT(frame["headings"], Not(IsEmpty()));
      EXPECT_THAT(frame["headings"], Each(testing::Gt(0.0)));
    }
  }

  Result<fs::path> chromium_ = fs::path();
};

TEST_F(PageBrowserTest, WholeReportIsQuietAndFits) {
  if (!have_gnuplot()) GTEST_SKIP() << "no gnuplot";
  put_all();
  json info = json::parse(kInfo);
  info["name"] = std::string(80, 'n');
  info["layers"][0]["name"] = "stage4.block17.branch_with_a_long_name.convolution";
  put("info.json", info);
  json metrics = json::parse(kMetrics);
  metrics["weights"][0]["layer"] = std::string(70, 'w');
  for (int i = 0; i < 30; ++i)
    metrics["classes"].push_back("a class with a name " + std::to_string(i));
  metrics["confusion"] = std::vector(30, std::vector(30, 33));
  put("run/metrics.json", metrics);
  expect_quiet_and_fitting(report_html(made()).value());
}

TEST_F(PageBrowserTest, NearlyEmptyReportIsQuietAndFits) {
  put("eval.json", json{{"stage", "integer"}, {"images", 3}, {"correct", 2}, {"accuracy", 66.7}});
  expect_quiet_and_fitting(report_html(made()).value());
}

TEST_F(PageBrowserTest, TheProbeSeesFaults) {
  Seen seen;
  open(
      "<!DOCTYPE html><body><h2>x</h2><img src=\"http://nbq.invalid/x.png\">"
      "<div style=\"width:2000px\">wide</div><script>console.error('complaint')</script>",
      seen);
  EXPECT_THAT(seen.console, Each(testing::HasSubstr("complaint")));
  EXPECT_EQ(seen.console.size(), std::size(kWidths));
  for (const json& frame : seen.frames) {
    EXPECT_GT(frame["overflow"], 0);
    EXPECT_EQ(frame["too_wide"].size(), 1U);
    EXPECT_EQ(frame["requests"], json::array({"http://nbq.invalid/x.png"}));
  }
}

}  // namespace
}  // namespace nbq::report
