#include "hw/energy/cell_library.h"

#include <fnmatch.h>

#include <algorithm>
#include <cctype>

#include "core/file.h"
#include "hw/energy/liberty.h"

namespace nbq::hw {
namespace {

/// Position of `v` among sorted points: the segment's first index and how far along it is.
std::pair<std::size_t, double> locate(const std::vector<double>& points, double v) {
  if (points.size() < 2) return {0, 0.0};
  const auto above = std::upper_bound(points.begin() + 1, points.end() - 1, v);
  const auto i = static_cast<std::size_t>(above - points.begin()) - 1;
  return {i, (v - points[i]) / (points[i + 1] - points[i])};
}

/// What the numbers of the file are multiples of.
struct Units {
  double ns = 1, pf = 1, pj = 1, w = 1e-9;
};

/// "1ns" with the scale of its prefix; nothing when it is not that unit.
std::optional<double> scaled(const std::string& text, std::string_view unit) {
  std::size_t used = 0;
  while (used < text.size() &&
         (std::isdigit(static_cast<unsigned char>(text[used])) != 0 || text[used] == '.'))
    ++used;
  const auto number = liberty_numbers(text.substr(0, used));
  std::string rest = text.substr(used);
  for (char& c : rest) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (!number || number->size() != 1 || !rest.ends_with(unit)) return std::nullopt;
  rest.resize(rest.size() - unit.size());
  constexpr std::pair<std::string_view, double> kPrefixes[] = {
      {"", 1}, {"m", 1e-3}, {"u", 1e-6}, {"n", 1e-9}, {"p", 1e-12}, {"f", 1e-15}};
  for (const auto& [prefix, factor] : kPrefixes)
    if (rest == prefix) return number->front() * factor;
  return std::nullopt;
}

class Loader {
 public:
  Loader(const LibertyGroup& root, std::string path, const std::vector<std::string>& dont_use)
      : root_(root), path_(std::move(path)), dont_use_(dont_use) {}

  Result<CellLibrary> load(std::string_view text) {
    NBQ_TRY(read_units());
    for (const LibertyGroup& g : root_.groups) {
      if (g.type == "lu_table_template") read_template(g);
      if (g.type == "power_lut_template") read_template(g);
    }
    std::size_t copied = 0;
    for (const LibertyGroup& g : root_.groups) {
      if (g.type != "cell") continue;
      auto cell = excluded(g) ? std::nullopt : read_cell(g);
      if (cell) {
        library_.cells.emplace(cell->name, std::move(*cell));
      } else {
        library_.text += text.substr(copied, g.begin - copied);
        copied = g.end;
      }
    }
    library_.text += text.substr(copied);
    // Wires are what the caller says, for both kinds alike; the tools would add their own.
    for (std::size_t at = 0;
         (at = library_.text.find("default_wire_load", at)) != std::string::npos;)
      library_.text.erase(at, library_.text.find('\n', at) - at);
    choose();
    bool register_found = false, inverter = false, gate = false;
    for (const auto& [name, c] : library_.cells) {
      register_found = register_found || c.flip_flop;
      inverter = inverter ||
                 (!c.flip_flop && c.inputs.size() == 1 && c.outputs.front().function.table == 0b01);
      gate = gate || (!c.flip_flop && c.inputs.size() == 2);
    }
    if (!register_found) return lacks("a flip-flop without asynchronous pins");
    if (!inverter) return lacks("an inverter");
    if (!gate) return lacks("a gate of two inputs");
    return std::move(library_);
  }

 private:
  Error lacks(const char* what) const {
    return make_error(ErrorCode::kBadFile, "{}: the library has no {}", path_, what);
  }

  bool excluded(const LibertyGroup& cell) const {
    const std::string* own = cell.find("dont_use");
    const std::string name = cell.argument();
    return (own != nullptr && *own == "true") ||
           std::any_of(dont_use_.begin(), dont_use_.end(), [&](const std::string& pattern) {
             return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
           });
  }

  Status read_units() {
    library_.name = root_.argument();
    double v = root_.number("nom_voltage").value_or(0);
    for (const LibertyGroup& g : root_.groups)
      if (g.type == "operating_conditions") v = g.number("voltage").value_or(v);
    if (v <= 0) return lacks("nom_voltage or operating condition with a voltage");
    library_.voltage = v;
    if (const std::string* t = root_.find("time_unit"))
      units_.ns = scaled(*t, "s").value_or(1e-9) * 1e9;
    if (const std::string* t = root_.find("leakage_power_unit"))
      units_.w = scaled(*t, "w").value_or(1e-9);
    double unit_v = 1;
    if (const std::string* t = root_.find("voltage_unit")) unit_v = scaled(*t, "v").value_or(1);
    if (const std::string* t = root_.find("capacitive_load_unit")) {
      const std::size_t comma = t->find(',');
      const auto number = liberty_numbers(t->substr(0, comma));
      std::string unit = comma == std::string::npos ? "pf" : t->substr(comma + 1);
      std::erase(unit, ' ');
      units_.pf = (number && !number->empty() ? number->front() : 1) *
                  scaled("1" + unit, "f").value_or(1e-12) * 1e12;
    }
    units_.pj = units_.pf * unit_v * unit_v;
    return ok_status();
  }

  /// Which variable is the slew, which the load.
  struct Template {
    bool slew[2] = {false, false};
    std::string index[2];
  };
  void read_template(const LibertyGroup& g) {
    Template t;
    for (int i = 0; i < 2; ++i) {
      const std::string* v = g.find(i == 0 ? "variable_1" : "variable_2");
      t.slew[i] = v != nullptr && v->find("transition") != std::string::npos;
      const std::string* points = g.find(i == 0 ? "index_1" : "index_2");
      if (points != nullptr) t.index[i] = *points;
    }
    templates_[g.argument()] = t;
  }

  LibertyTable table(const LibertyGroup* g, double unit) const {
    LibertyTable t;
    if (g == nullptr) return t;
    const std::string* values = g->find("values");
    const auto numbers = values != nullptr ? liberty_numbers(*values) : std::nullopt;
    if (!numbers || numbers->empty()) return t;
    const auto named = templates_.find(g->argument());
    const Template shape = named == templates_.end() ? Template{} : named->second;
    std::vector<double> index[2];
    for (int i = 0; i < 2; ++i) {
      const std::string* own = g->find(i == 0 ? "index_1" : "index_2");
      index[i] = liberty_numbers(own != nullptr ? *own : shape.index[i]).value_or(index[i]);
    }
    const std::size_t columns = std::max<std::size_t>(1, index[1].size());
    if (numbers->size() != std::max<std::size_t>(1, index[0].size()) * columns) {
      if (numbers->size() == 1) t.values = {numbers->front() * unit};
      return t;
    }
    const bool turned = !index[1].empty() && shape.slew[1];
    t.values.resize(numbers->size());
    for (std::size_t i = 0; i < numbers->size(); ++i) {
      const std::size_t row = i / columns, column = i % columns;
      t.values[turned ? column * (numbers->size() / columns) + row : i] = (*numbers)[i] * unit;
    }
    std::vector<double>& first =
        index[1].empty() ? (shape.slew[0] ? t.slew : t.load) : (turned ? t.load : t.slew);
    std::vector<double>& second = turned ? t.slew : t.load;
    first = index[0];
    if (!index[1].empty()) second = index[1];
    for (double& v : t.slew) v *= units_.ns;
    for (double& v : t.load) v *= units_.pf;
    return t;
  }

  InternalEnergy energy(const LibertyGroup& g) const {
    if (const LibertyGroup* both = g.group("power"))
      return {table(both, units_.pj), table(both, units_.pj)};
    return {table(g.group("rise_power"), units_.pj), table(g.group("fall_power"), units_.pj)};
  }

  void read_input(const LibertyGroup& pin, LibraryCell& c) const {
    const double pf = pin.number("capacitance").value_or(0) * units_.pf;
    InternalEnergy e;
    for (const LibertyGroup& g : pin.groups)
      if (g.type == "internal_power" && g.find("related_pin") == nullptr) e = energy(g);
    if (c.flip_flop && pin.argument() == c.clock) {
      c.clock_pf = pf;
      c.clock_energy = e;
      return;
    }
    c.inputs.push_back(pin.argument());
    c.input_pf.push_back(pf);
    c.input_energy.push_back(e);
  }

  bool read_output(const LibertyGroup& pin, LibraryCell& c) const {
    const std::string* function = pin.find("function");
    if (function == nullptr || pin.find("three_state") != nullptr) return false;
    CellOutput out;
    out.name = pin.argument();
    const std::vector<std::string> causes =
        c.flip_flop ? std::vector<std::string>{c.clock} : c.inputs;
    const auto parsed = parse_function(*function, c.flip_flop ? state_ : c.inputs);
    if (!parsed.ok()) return false;
    out.function = *parsed;
    // IQ is input 0 of the state's function, IQ_N input 1: fold it to one of the state alone.
    if (c.flip_flop)
      out.function.table = (out.function.at(0b01) ? 2u : 0u) | (out.function.at(0b10) ? 1u : 0u);
    out.arcs.resize(causes.size());
    out.energy.resize(causes.size());
    for (const LibertyGroup& g : pin.groups) {
      const std::string* related = g.find("related_pin");
      if (related == nullptr) continue;
      for (std::size_t i = 0; i < causes.size(); ++i) {
        if (!names(*related, causes[i])) continue;
        if (g.type == "timing" && out.arcs[i].rise_delay.empty() && out.arcs[i].fall_delay.empty())
          out.arcs[i] = {table(g.group("cell_rise"), units_.ns),
                         table(g.group("cell_fall"), units_.ns),
                         table(g.group("rise_transition"), units_.ns),
                         table(g.group("fall_transition"), units_.ns)};
        if (g.type == "internal_power" && out.energy[i].rise.empty() && out.energy[i].fall.empty())
          out.energy[i] = energy(g);
      }
    }
    c.outputs.push_back(std::move(out));
    return true;
  }

  /// Whether `name` is one of the names of a related_pin, which are parted by spaces.
  static bool names(const std::string& list, const std::string& name) {
    for (std::size_t at = list.find(name); at != std::string::npos; at = list.find(name, at + 1)) {
      const std::size_t end = at + name.size();
      if ((at == 0 || list[at - 1] == ' ') && (end == list.size() || list[end] == ' ')) return true;
    }
    return false;
  }

  std::optional<LibraryCell> read_cell(const LibertyGroup& g) {
    for (const char* no : {"latch", "statetable", "ff_bank", "latch_bank"})
      if (g.group(no) != nullptr) return std::nullopt;
    LibraryCell c;
    c.name = g.argument();
    c.area = g.number("area").value_or(0);
    c.leakage_w = g.number("cell_leakage_power").value_or(0) * units_.w;
    const LibertyGroup* ff = g.group("ff");
    if (ff != nullptr) {
      const std::string* clock = ff->find("clocked_on");
      if (clock == nullptr || ff->arguments.size() != 2 || ff->find("clear") != nullptr ||
          ff->find("preset") != nullptr)
        return std::nullopt;
      c.flip_flop = true;
      c.clock = *clock;
      state_ = ff->arguments;
    }
    for (const LibertyGroup& pin : g.groups) {
      const std::string* direction = pin.find("direction");
      if (pin.type == "pin" && direction != nullptr && *direction == "input") read_input(pin, c);
    }
    if (c.inputs.size() > kMaxCellInputs) return std::nullopt;
    if (ff != nullptr) {
      const std::string* next = ff->find("next_state");
      const auto parsed = parse_function(next != nullptr ? *next : std::string(), c.inputs);
      // Enables and clocks of the falling edge fail here or there: synthesis does without.
      if (!parsed.ok() || c.clock_pf <= 0) return std::nullopt;
      c.next_state = *parsed;
    }
    for (const LibertyGroup& pin : g.groups) {
      const std::string* direction = pin.find("direction");
      if (pin.type != "pin" || direction == nullptr || *direction == "input") continue;
      if (*direction != "output" || !read_output(pin, c)) return std::nullopt;
    }
    if (c.outputs.empty() || (c.inputs.empty() && ff != nullptr)) return std::nullopt;
    return c;
  }

  void choose() {
    double least_adder = 1e300, least_buffer = 1e300;
    for (const auto& [name, c] : library_.cells) {
      if (c.flip_flop) continue;
      if (c.inputs.size() == 3 && c.outputs.size() == 2 && c.area < least_adder) {
        const auto a = c.outputs[0].function.table, b = c.outputs[1].function.table;
        if (std::min(a, b) == 0x96 && std::max(a, b) == 0xe8) {
          library_.full_adder = name;
          least_adder = c.area;
        }
      }
      if (c.inputs.size() == 1 && c.outputs.size() == 1 && c.area < least_buffer &&
          c.outputs[0].function.table == 0b10) {
        library_.buffer = name;
        least_buffer = c.area;
      }
    }
  }

  const LibertyGroup& root_;
  std::string path_;
  const std::vector<std::string>& dont_use_;
  CellLibrary library_;
  Units units_;
  std::map<std::string, Template> templates_;
  std::vector<std::string> state_;
};

}  // namespace

double LibertyTable::at(double slew_ns, double load_pf) const {
  if (values.empty()) return 0;
  const std::size_t columns = std::max<std::size_t>(1, load.size());
  const auto [row, down] = locate(slew, slew_ns);
  const auto [column, along] = locate(load, load_pf);
  const auto line = [&, column = column, along = along](std::size_t r) {
    const double v = values[r * columns + column];
    return along == 0 ? v : v + along * (values[r * columns + column + 1] - v);
  };
  const double v = line(row);
  return down == 0 ? v : v + down * (line(row + 1) - v);
}

Result<CellLibrary> load_cell_library(const std::filesystem::path& path,
                                      const std::vector<std::string>& dont_use) {
  NBQ_ASSIGN(const std::string text, read_text_file(path));
  return read_cell_library(text, path.string(), dont_use);
}

Result<CellLibrary> read_cell_library(std::string_view text, const std::string& name,
                                      const std::vector<std::string>& dont_use) {
  NBQ_ASSIGN(const LibertyGroup root, parse_liberty(text, name));
  return Loader(root, name, dont_use).load(text);
}

}  // namespace nbq::hw
