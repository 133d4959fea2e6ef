#include "cli/reference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/result.h"
#include "core/version.h"

namespace nbq::cli {
namespace {

struct Row {
  const char* name;
  const char* meaning;
};

constexpr std::array kExitCodes{
    Row{"0", "fine"},
    Row{"1", "a check failed"},
    Row{"2", "usage"},
    Row{"3", "bad file"},
    Row{"4", "a tool is missing"},
    Row{"5", "another process of the training was lost"},
    Row{"130", "interrupted"},
};

constexpr std::array kEnvironment{
    Row{"NBQ_LOG", "debug, info, warn or error: what is logged to stderr [info]"},
    Row{"NBQ_CACHE", "folder where simulators and boards' builds are kept [~/.cache/nbq]"},
    Row{"NBQ_ISA", "instruction set of the CPU engine, a row of `nbq bench --isas` [the best]"},
    Row{"NBQ_BOARDS_DIR", "folder of the boards [the installed one]"},
    Row{"NBQ_RTL_DIR", "folder of the accelerator's SystemVerilog [the installed one]"},
    Row{"NBQ_FPGA_DIR", "place and route tools lie in its folder bin [build/fpga, then PATH]"},
};

constexpr const char* kDefaults =
    "In brackets stands what holds without the option. With --json one JSON object is on stdout, "
    "and nothing else; messages go to stderr.";

/// An option, or a positional argument.
struct Item {
  std::vector<std::string> names;  ///< "-o", "--output"; a positional's own name
  std::string value;               ///< placeholder, empty for a flag
  std::vector<std::string> choices;
  std::string meaning;
  bool positional = false, required = false;
};

struct Command {
  std::string name, meaning;
  std::vector<Item> items;  ///< positionals first

  /// "nbq synth [OPTION]... [model]"
  std::string usage() const {
    std::string s = "nbq " + name;
    for (const Item& i : items)
      if (!i.positional && i.required) s += fmt::format(" {} {}", i.names.back(), i.value);
    s += " [OPTION]...";
    for (const Item& i : items)
      if (i.positional) s += i.required ? " " + i.names[0] : " [" + i.names[0] + "]";
    return s;
  }
};

/// "{svpe,vpe}" -> svpe, vpe; empty where the value is no list.
std::vector<std::string> choices_of(const std::string& value) {
  const auto open = value.find('{'), close = value.find('}');
  if (open == std::string::npos || close == std::string::npos) return {};
  return CLI::detail::split(value.substr(open + 1, close - open - 1), ',');
}

/// CLI11's "TEXT", "INT:NONNEGATIVE", "INT:INT in [1 - 4]", "TEXT:{a,b}", as a reader wants it.
std::string value_of(const std::string& type) {
  const std::string what = type.substr(type.find(':') + 1);
  if (what == "NONNEGATIVE") return "0 or more";
  if (what == "POSITIVE") return "above 0";
  const auto from = what.find(" in ["), to = what.find(" - ");
  if (from == std::string::npos || to == std::string::npos) return what;
  return what.substr(from + 5, to - from - 5) + ".." + what.substr(to + 3, what.size() - to - 4);
}

std::string others(const char* what, const std::set<CLI::Option*>& options) {
  std::vector<std::string> names;
  for (const CLI::Option* o : options) names.push_back(o->get_name());
  std::sort(names.begin(), names.end());  // the set is ordered by address
  return names.empty() ? "" : fmt::format(" {} {}.", what, fmt::join(names, ", "));
}

Item item_of(const CLI::Option& o) {
  Item i;
  i.positional = o.get_positional();
  i.required = o.get_required();
  for (const std::string& s : o.get_snames()) i.names.push_back("-" + s);
  for (const std::string& l : o.get_lnames()) i.names.push_back("--" + l);
  if (i.positional) i.names = {o.get_name(true)};
  if (o.get_items_expected_max() > 0) {
    i.value = value_of(o.get_type_name());
    i.choices = choices_of(i.value);
    if (o.get_expected_max() > 1) i.value += " ...";
  }
  i.meaning = o.get_description();
  const std::string more = others("Needs", o.get_needs()) + others("Not with", o.get_excludes());
  if (!more.empty()) i.meaning += "." + more;
  return i;
}

std::vector<Item> items_of(const CLI::App& app) {
  std::vector<Item> items;
  for (const CLI::Option* o : app.get_options({}))
    if (!o->get_group().empty()) items.push_back(item_of(*o));  // those without are hidden
  std::stable_partition(items.begin(), items.end(), [](const Item& i) { return i.positional; });
  return items;
}

std::vector<Command> commands_of(const CLI::App& app) {
  std::vector<Command> commands;
  for (const CLI::App* c : app.get_subcommands({}))
    commands.push_back({c->get_name(), c->get_description(), items_of(*c)});
  return commands;
}

std::string replaced(std::string_view text,
                     std::initializer_list<std::pair<char, const char*>> by) {
  std::string out;
  for (const char c : text) {
    const auto* const row =
        std::find_if(by.begin(), by.end(), [c](const auto& r) { return r.first == c; });
    if (row == by.end())
      out += c;
    else
      out += row->second;
  }
  return out;
}

// --- The manual page -----------------------------------------------------------------------------

/// Text of a line of its own: no request, no ligature of minus signs.
std::string roff(std::string_view text) {
  const std::string out = replaced(text, {{'\\', "\\e"}, {'-', "\\-"}});
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string man_items(const std::vector<Item>& items) {
  std::string s;
  for (const Item& i : items) {
    s += fmt::format(".TP\n\\fB{}\\fR", roff(fmt::format("{}", fmt::join(i.names, ", "))));
    if (!i.value.empty()) s += fmt::format(" \\fI{}\\fR", roff(i.value));
    s += fmt::format("\n{}\n", roff(i.meaning));
  }
  return s;
}

template <std::size_t N>
std::string man_rows(const std::array<Row, N>& rows) {
  std::string s;
  for (const Row& r : rows) s += fmt::format(".TP\n\\fB{}\\fR\n{}\n", r.name, roff(r.meaning));
  return s;
}

std::string man_page(const CLI::App& app) {
  std::string s = fmt::format(
      ".TH NBQ 1 \"\" \"nbq {}\" \"User Commands\"\n.SH NAME\nnbq \\- {}\n.SH SYNOPSIS\n"
      ".B nbq\n\\fICOMMAND\\fR [\\fIOPTION\\fR]...\n.SH DESCRIPTION\n{}\n"
      ".SH OPTIONS\n{}.SH COMMANDS\n",
      kVersion, roff(app.get_description()), roff(kDefaults), man_items(items_of(app)));
  for (const Command& c : commands_of(app))
    s += fmt::format(".SS {}\n{}.\n.PP\n.B {}\n{}", roff("nbq " + c.name), roff(c.meaning),
                     roff(c.usage()), man_items(c.items));
  return s + ".SH EXIT STATUS\n" + man_rows(kExitCodes) + ".SH ENVIRONMENT\n" +
         man_rows(kEnvironment);
}

// --- Markdown ------------------------------------------------------------------------------------

/// Text of a table's cell; what stands between backticks stays as it is, but for the bar.
std::string cell(std::string_view text) {
  std::string out;
  bool code = false;
  for (const char c : text) {
    code ^= c == '`';
    out += c == '|'   ? "\\|"
           : code     ? std::string(1, c)
           : c == '<' ? "&lt;"
                      : replaced({&c, 1}, {{'*', "\\*"}, {'[', "\\["}, {'_', "\\_"}});
  }
  return out;
}

std::string markdown_items(const std::vector<Item>& items) {
  std::string s = "| | value | |\n|---|---|---|\n";
  for (const Item& i : items) {
    s += fmt::format("| `{}`{} | {} | {} |\n", fmt::join(i.names, "`, `"),
                     i.required ? " (needed)" : "", cell(i.value), cell(i.meaning));
  }
  return s;
}

template <std::size_t N>
std::string markdown_rows(const std::array<Row, N>& rows) {
  std::string s = "| | |\n|---|---|\n";
  for (const Row& r : rows) s += fmt::format("| `{}` | {} |\n", r.name, cell(r.meaning));
  return s;
}

std::string markdown(const CLI::App& app) {
  std::string s = fmt::format("# The nbq command\n\n{}\n\n{}\n", cell(kDefaults),
                              markdown_items(items_of(app)));
  for (const Command& c : commands_of(app))
    s += fmt::format("## nbq {}\n\n{}.\n\n    {}\n\n{}\n", c.name, cell(c.meaning), c.usage(),
                     markdown_items(c.items));
  return s + "## Exit codes\n\n" + markdown_rows(kExitCodes) + "\n## Environment\n\n" +
         markdown_rows(kEnvironment);
}

// --- Completion ----------------------------------------------------------------------------------

std::string words_of(const std::vector<Item>& items) {
  std::vector<std::string> words;
  for (const Item& i : items)
    if (!i.positional) words.insert(words.end(), i.names.begin(), i.names.end());
  return fmt::format("{}", fmt::join(words, " "));
}

std::string bash(const CLI::App& app) {
  std::string names, options, values;
  for (const Command& c : commands_of(app)) {
    names += c.name + " ";
    options += fmt::format("    {}) words='{}' ;;\n", c.name, words_of(c.items));
    for (const Item& i : c.items)
      if (!i.positional && !i.choices.empty())
        for (const std::string& name : i.names)
          values +=
              fmt::format("    {}:{}) words='{}' ;;\n", c.name, name, fmt::join(i.choices, " "));
  }
  return fmt::format(
      "# bash completion of nbq\n"
      "_nbq() {{\n"
      "  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} words=\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W '{}{}' -- \"$cur\"))\n"
      "    return\n"
      "  fi\n"
      "  # After an option that takes one of few values: those. Else options, after a dash; else "
      "files.\n"
      "  case ${{COMP_WORDS[1]}}:$prev in\n{}  esac\n"
      "  [[ -z $words && $cur == -* ]] && case ${{COMP_WORDS[1]}} in\n{}  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
      "}}\n"
      "complete -o bashdefault -o default -F _nbq nbq\n",
      names, words_of(items_of(app)), values, options);
}

std::string fish_quoted(std::string_view text) {
  return "'" + replaced(text, {{'\'', "\\'"}, {'\\', "\\\\"}}) + "'";
}

std::string fish(const CLI::App& app) {
  std::string s = "# fish completion of nbq\n";
  for (const Command& c : commands_of(app)) {
    s += fmt::format("complete -c nbq -f -n __fish_use_subcommand -a {} -d {}\n", c.name,
                     fish_quoted(c.meaning));
    for (const Item& i : c.items) {
      if (i.positional) continue;
      s += fmt::format("complete -c nbq -n '__fish_seen_subcommand_from {}'", c.name);
      for (const std::string& name : i.names)
        s += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!i.value.empty()) s += " -r";
      if (!i.choices.empty()) s += fmt::format(" -a '{}'", fmt::join(i.choices, " "));
      s += fmt::format(" -d {}\n", fish_quoted(i.meaning));
    }
  }
  return s;
}

struct Format {
  const char* name;
  std::string (*print)(const CLI::App& app);
};

constexpr std::array kFormats{Format{"man", man_page}, Format{"markdown", markdown},
                              Format{"bash", bash}, Format{"fish", fish}};

}  // namespace

std::vector<std::string> reference_formats() {
  std::vector<std::string> names;
  for (const Format& f : kFormats) names.emplace_back(f.name);
  return names;
}

std::string reference(const CLI::App& app, const std::string& format) {
  const auto* const f = std::find_if(kFormats.begin(), kFormats.end(),
                                     [&](const Format& row) { return format == row.name; });
  NBQ_CHECK(f != kFormats.end());
  return f->print(app);
}

std::string reference_footer() {
  std::string s = "Exit codes: ";
  for (const Row& r : kExitCodes) s += fmt::format("{} {}, ", r.name, r.meaning);
  s.replace(s.size() - 2, 2, ".\nEnvironment:");
  for (const Row& r : kEnvironment) s += fmt::format("\n  {:<16}{}", r.name, r.meaning);
  return s;
}

}  // namespace nbq::cli
