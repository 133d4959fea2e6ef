#include "train/phase_fields.h"
#include "train/recipe.h"
#include "train/recipe_model.h"

namespace nbq {
namespace {

std::string quoted(const std::string& s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    else
      out += c;
  }
  return out + "\"";
}

/// The shortest digits that read back to the same number, always with a point or an exponent.
template <class Real>
std::string real(Real v) {
  std::string s = fmt::format("{}", v);
  return s.find_first_of(".e") == std::string::npos ? s + ".0" : s;
}

std::string reals(const std::vector<float>& v) {
  std::string out = "[";
  for (const float x : v) out += (out.size() > 1 ? ", " : "") + real(x);
  return out + "]";
}

std::string model_toml(const ModelSpec& m) {
  std::string out = "\n[model]\n";
  if (!m.mean.empty()) out += "mean = " + reals(m.mean) + "\nstd = " + reals(m.std) + "\n";
  if (m.layers.empty() && !m.build.family.empty()) out += family_toml(m.build);
  for (const Node& n : m.layers) {
    std::string inputs;
    for (const int in : n.inputs)
      inputs += (inputs.empty() ? "" : ", ") +
                quoted(in < 0 ? "image" : m.layers[static_cast<std::size_t>(in)].name);
    out += fmt::format("[[model.layer]]\nname = {}\nop = {}\ninputs = [{}]\n{}", quoted(n.name),
                       quoted(op_name(n.kind())), inputs, attrs_toml(n.attrs));
  }
  return out;
}

/// Only where there is one: runs that began before there were budgets go on.
std::string budget_toml(const BudgetSpec& b) {
  if (b.bytes == 0) return {};
  return fmt::format("budget_bytes = {}\nbudget_images = {}\n", b.bytes, b.images);
}

std::string quant_section(const QuantSpec& q, const std::string& more) {
  std::string out =
      fmt::format("\n[quant]\nweight_bits = {}\nact_bits = {}\nquantizer = {}\ngranularity = {}\n",
                  q.weight_bits, q.act_bits, quoted(q.quantizer),
                  q.granularity == ScaleGranularity::kPerLayer ? "\"layer\"" : "\"channel\"");
  out += more;
  for (const auto& l : q.layers) {
    out += fmt::format("[[quant.layer]]\nmatch = {}\n", quoted(l.match));
    if (l.weight_bits != 0) out += fmt::format("weight_bits = {}\n", l.weight_bits);
    if (l.act_bits != 0) out += fmt::format("act_bits = {}\n", l.act_bits);
  }
  return out;
}

/// Writes a phase's fields.
struct FieldWriter {
  std::string& out;
  template <class Low, class High>
  void number(const char* key, int field, Low, High) {
    out += fmt::format("{} = {}\n", key, field);
  }
  template <class Low, class High>
  void number(const char* key, double field, Low, High) {
    out += fmt::format("{} = {}\n", key, real(field));
  }
  void flag(const char* key, bool field) { out += fmt::format("{} = {}\n", key, field); }
  void choice(const char* key, const std::string& field, const std::vector<std::string>&) {
    out += fmt::format("{} = {}\n", key, quoted(field));
  }
};

std::string phase_toml(const PhaseSpec& p) {
  std::string out =
      fmt::format("\n[[phase]]\nkind = {}\n", p.quantised ? "\"quantised\"" : "\"float\"");
  visit_phase(p, FieldWriter{out});
  if (!p.quantised && p.has_method()) {
    out += fmt::format("method = {}\n", quoted(p.method));
    visit_method(p, method_rows().front(), FieldWriter{out});
  }
  if (!p.quantised) return out;
  visit_quantised(p, FieldWriter{out});
  return out + fmt::format("one_minus_alpha = [{}, {}]\n",
                           real(static_cast<float>(p.one_minus_alpha_from)),
                           real(static_cast<float>(p.one_minus_alpha_to)));
}

}  // namespace

std::string quant_toml(const QuantSpec& quant) { return quant_section(quant, {}); }

std::string recipe_toml(const Recipe& r) {
  std::string out = fmt::format("name = {}\nseed = {}\nprecision = {}\n", quoted(r.name), r.seed,
                                quoted(r.precision));
  if (!r.init.empty()) out += "init = " + quoted(r.init) + "\n";
  if (r.restore_norms != 0) out += fmt::format("restore_norms = {}\n", r.restore_norms);
  if (!r.teacher.empty()) out += "teacher = " + quoted(r.teacher) + "\n";
  const DataSpec& d = r.data;
  out += fmt::format(
      "\n[data]\nsource = {}\nchannels = {}\nheight = {}\nwidth = {}\npad_crop = {}\nflip = {}\n"
      "resize = {}\ncrop = {}\nvalidation = {}\n",
      quoted(d.source), d.channels, d.height, d.width, d.pad_crop, d.flip, d.resize, d.crop,
      real(d.validation));
  if (d.max_area > 0)
    out += fmt::format("random_resized_crop = [{}, {}]\n", real(static_cast<float>(d.min_area)),
                       real(static_cast<float>(d.max_area)));
  out += model_toml(r.model) + quant_section(r.quant, budget_toml(r.budget));
  for (const PhaseSpec& p : r.phases) out += phase_toml(p);
  return out;
}

}  // namespace nbq
