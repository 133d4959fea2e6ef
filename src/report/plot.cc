#include "report/plot.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/file.h"
#include "core/process.h"

namespace nbq::report {
namespace {

namespace fs = std::filesystem;

/// Blue value n of a colour in the commands -> custom property of the style sheet.
constexpr std::array<const char*, 7> kInks = {"--ink",  "--p1",   "--p2",   "--p3",
                                              "--rule", "--grid", "--muted"};

void replace_all(std::string& s, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = s.find(from, at)) != std::string::npos; at += to.size())
    s.replace(at, from.size(), to);
}

/// Removes each stretch from `open` to `close`, both included.
void remove_all(std::string& s, std::string_view open, std::string_view close) {
  for (std::size_t at = 0; (at = s.find(open, at)) != std::string::npos;) {
    const std::size_t end = s.find(close, at + open.size());
    if (end == std::string::npos) return;
    s.erase(at, end + close.size() - at);
  }
}

/// gnuplot opens a group for each change of its pen; most stay empty.
void remove_empty_groups(std::string& s) {
  for (std::size_t close = 0; (close = s.find("</g>", close)) != std::string::npos;) {
    std::size_t before = close;
    while (before > 0 && std::isspace(static_cast<unsigned char>(s[before - 1]))) --before;
    const std::size_t open =
        before > 0 && s[before - 1] == '>' ? s.rfind('<', before - 1) : std::string::npos;
    if (open != std::string::npos && s.compare(open, 3, "<g ") == 0) {
      s.erase(open, close + 4 - open);
      close = open;
    } else {
      close += 4;
    }
  }
}

/// A fresh folder, gone with the object.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> make() {
    std::error_code ec;
    std::string name = (fs::temp_directory_path(ec) / "nbq-report-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      return make_error(ErrorCode::kIo, "{}: no temporary folder: {}", name, std::strerror(errno));
    return TemporaryFolder(name);
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

}  // namespace

std::string plot_text(std::string_view text) {
  constexpr std::string_view kPlain = " -_./";
  std::string out;
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) || kPlain.find(c) != std::string_view::npos)
      out += c;
  return out.substr(0, 60);
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

Result<std::string> inline_svg(std::string s, const std::string& title) {
  const std::size_t begin = s.find("<svg"), end = s.rfind("</svg>");
  if (begin == std::string::npos || end == std::string::npos || end < begin)
    return make_error(ErrorCode::kIo, "gnuplot wrote no SVG");
  s = s.substr(begin, end + 6 - begin);
  remove_all(s, "<title>", "</title>");
  remove_all(s, "<desc>", "</desc>");
  remove_all(s, "<defs>", "</defs>");
  remove_all(s, " xmlns:xlink=\"", "\"");
  remove_all(s, " id=\"", "\"");
  remove_all(s, " id='", "'");
  // The only marker used is the filled circle, pt 7.
  replace_all(s, "<use xlink:href='#gpPt6'", "<circle r='1' stroke='none'");
  replace_all(s, " color='", " fill='");
  remove_all(s, " color=\"", "\"");
  remove_all(s, " font-family=\"", "\"");
  replace_all(s, "\"black\"", "\"var(--ink)\"");
  for (std::size_t i = 0; i < kInks.size(); ++i) {
    replace_all(s, fmt::format("rgb(  0,   0,   {})", i), fmt::format("var({})", kInks[i]));
    replace_all(s, fmt::format("rgb(0,0,{})", i), fmt::format("var({})", kInks[i]));
  }
  remove_empty_groups(s);
  replace_all(s, "\n\n", "\n");
  const std::string name = escape(title);
  s.replace(0, 4, fmt::format("<svg role=\"img\" aria-label=\"{}\"", name));
  return s;
}

std::string standalone_svg(std::string svg) {
  // The page's light colours (page_style.h), in the order of kInks; most viewers know no var().
  constexpr std::array<const char*, kInks.size()> kColours = {
      "#1d2228", "#2468b4", "#c2570c", "#2f8f5b", "#c3cad2", "#e4e8ec", "#5c6773"};
  for (std::size_t i = 0; i < kInks.size(); ++i)
    replace_all(svg, fmt::format("var({})", kInks[i]), kColours[i]);
  const std::size_t end = svg.find('>');
  if (end != std::string::npos)
    svg.insert(end + 1, "<style>svg{background:#fff}text{font-family:sans-serif}</style>");
  return svg + "\n";
}

Result<std::vector<std::string>> draw(const std::vector<Plot>& plots) {
  std::vector<std::string> out;
  if (plots.empty()) return out;
  NBQ_ASSIGN(const fs::path gnuplot, find_tool("gnuplot", "gnuplot-nox"));
  NBQ_ASSIGN(const TemporaryFolder folder, TemporaryFolder::make());
  std::string script = "set encoding utf8\n";
  for (std::size_t i = 0; i < plots.size(); ++i)
    script += fmt::format(
        "reset\nset terminal svg size {},{} dynamic noenhanced font \"Sans,{}\"\n"
        "set output \"{}.svg\"\n{}\nunset output\n",
        plots[i].width, plots[i].height, plots[i].font_px, i, plots[i].commands);
  NBQ_TRY(write_file(folder.path() / "plots.gp", script));
  NBQ_ASSIGN(const ProcessResult run,
             run_process({gnuplot.string(), "-d", "plots.gp"}, folder.path()));
  if (run.exit_code != 0)
    return make_error(
        ErrorCode::kIo, "gnuplot failed (exit {}): {}", run.exit_code,
        run.output.substr(run.output.size() - std::min<std::size_t>(run.output.size(), 500)));
  for (std::size_t i = 0; i < plots.size(); ++i) {
    NBQ_ASSIGN(std::string file, read_text_file(folder.path() / fmt::format("{}.svg", i)));
    NBQ_ASSIGN(std::string svg, inline_svg(std::move(file), plots[i].title));
    out.push_back(std::move(svg));
  }
  return out;
}

}  // namespace nbq::report
