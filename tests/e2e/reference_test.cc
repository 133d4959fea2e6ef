// The manual page and the completions, which the program prints of itself, against its --help.
#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "nbq_command.h"

namespace nbq::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Reference : public CommandTest {
 protected:
  std::string generate(const std::string& format) const {
    const Ran r = run({"--generate", format});
    EXPECT_EQ(r.exit, 0) << r.err;
    EXPECT_EQ(r.err, "");
    return r.out;
  }

  /// First words of the indented lines under `heading` in a --help.
  static std::vector<std::string> listed(const std::string& help, const std::string& heading) {
    std::vector<std::string> words;
    std::istringstream lines(help.substr(std::min(help.size(), help.find(heading))));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line) && !line.empty())
      if (line.starts_with("  ") && line[2] != ' ')
        words.push_back(line.substr(2, line.find_first_of(" ,", 2) - 2));
    return words;
  }

  /// What bash offers for each line, whose last word is being typed: words after spaces.
  std::vector<std::string> completed(const std::vector<std::string>& typed) const {
    std::string script = generate("bash") +
                         "ask() {\n"
                         "  COMP_WORDS=(\"$@\")\n"
                         "  COMP_CWORD=$(($# - 1))\n"
                         "  _nbq\n"
                         "  echo \"${COMPREPLY[*]}\"\n"
                         "}\n";
    for (const std::string& line : typed) script += "ask " + line + "\n";
    EXPECT_TRUE(write_file(path("ask.bash"), script).ok());
    const Ran r = shell("bash " + path("ask.bash"));
    EXPECT_EQ(r.err, "");
    return split(r.out);
  }

  static std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
};

/// The text between a heading and the next one.
std::string section(const std::string& text, const std::string& heading, const std::string& next) {
  const auto at = text.find(heading);
  if (at == std::string::npos) return "";
  return text.substr(at, text.find(next, at + heading.size()) - at);
}

std::string roff(const std::string& option) {
  std::string s;
  for (const char c : option) s += c == '-' ? "\\-" : std::string(1, c);
  return s;
}

TEST_F(Reference, HoldsEveryCommandAndOptionOfTheHelp) {
  const std::string man = generate("man"), markdown = generate("markdown"), fish = generate("fish");
  const std::vector<std::string> commands = listed(run({"--help"}).out, "\nSubcommands:");
  ASSERT_THAT(commands, ::testing::Contains("synth"));
  std::vector<std::string> typed;
  for (const std::string& c : commands) typed.push_back("nbq " + c + " -");
  const std::vector<std::string> offered = completed(typed);
  ASSERT_EQ(offered.size(), commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const std::string& c = commands[i];
    const Ran help = run({c, "--help"});
    EXPECT_EQ(help.exit, 0) << c;
    const std::vector<std::string> options = listed(help.out, "\nOptions:");
    ASSERT_THAT(options, ::testing::Contains("--json")) << c;
    const std::string in_man = section(man, ".SS nbq " + c + "\n", "\n.S");
    const std::string in_markdown = section(markdown, "## nbq " + c + "\n", "\n## ");
    const std::string in_fish = section(fish, "from " + c + "'", "-f -n");
    for (const std::string& o : options) {
      EXPECT_THAT(in_man, HasSubstr("\\fB" + roff(o))) << c;
      EXPECT_THAT(in_markdown, HasSubstr("`" + o + "`")) << c;
      EXPECT_THAT(" " + offered[i] + " ", HasSubstr(" " + o + " ")) << c;
      const bool is_long = o.starts_with("--");
      EXPECT_THAT(in_fish, HasSubstr((is_long ? " -l " : " -s ") + o.substr(is_long ? 2 : 1) + " "))
          << c;
    }
    for (const std::string& p : listed(help.out, "\nPositionals:"))
      EXPECT_THAT(in_man, HasSubstr("\\fB" + p + "\\fR")) << c;
  }
}

TEST_F(Reference, BashCompletesCommandsOptionsAndValues) {
  const std::pair<const char*, const char*> kLines[] = {
      {"nbq sy", "synth"},
      {"nbq synth --bo", "--board"},
      {"nbq synth --target e", "ecp5"},
      {"nbq compile model.nbq --board zc", "zcu102"},
      {"nbq info mod", ""},  // bash goes on with files
      {"nbq info ''", ""},
  };
  std::vector<std::string> typed, want;
  for (const auto& [line, words] : kLines) {
    typed.emplace_back(line);
    want.emplace_back(words);
  }
  EXPECT_EQ(completed(typed), want);
}

TEST_F(Reference, ManualPageIsCleanRoff) {
  ASSERT_TRUE(write_file(path("nbq.1"), generate("man")).ok());
  const Ran found = shell("command -v groff");
  if (found.exit != 0) GTEST_SKIP() << "groff is not installed";
  const Ran shown = shell("groff -man -Tutf8 -ww -z " + path("nbq.1"));
  EXPECT_EQ(shown.exit, 0);
  EXPECT_EQ(shown.err, "");
  EXPECT_THAT(shell("groff -man -Tascii -P-cbou " + path("nbq.1")).out,
              HasSubstr("nbq synth [OPTION]... [model]"));
}

TEST_F(Reference, AnUnknownFormatIsAUsageError) {
  const Ran r = run({"--generate", "troff"});
  EXPECT_EQ(r.exit, 2);
  EXPECT_THAT(r.err, HasSubstr("troff not in {man,markdown,bash,fish}"));
  EXPECT_THAT(run({"--help"}).out, Not(HasSubstr("--generate")));
}

}  // namespace
}  // namespace nbq::testing
