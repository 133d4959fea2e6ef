#include "exchange/c_writer.h"

#include <algorithm>
#include <cctype>

namespace nbq::exchange {
namespace {

std::string upper(std::string s) {
  for (char& c : s) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return s;
}

/// A name in a comment: what could end it, or the line, is left out.
std::string comment(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += std::isprint(static_cast<unsigned char>(c)) != 0 && c != '*' && c != '/' && c != '\\' &&
                   c != '?'
               ? c
               : '_';
  return out;
}

/// Elements between commas, in lines.
template <class Values, class Text>
std::string list(const Values& values, Text text) {
  constexpr std::size_t kWidth = 96;
  std::string out, line;
  for (const auto& v : values) {
    const std::string e = text(v) + ",";
    if (line.size() + e.size() > kWidth) {
      out += "    " + line + "\n";
      line.clear();
    }
    line += e;
  }
  return out + "    " + line + "\n";
}

int sum_bits(const CLayer& l) { return l.sums64 ? 64 : 32; }
int element_bits(const CValue& v) { return v.wide ? 16 : 8; }

std::string row_function(const CLayer& l, const CPass& p) {
  if (p.maximum) return fmt::format("maximum_u{}", element_bits(p.from));
  return fmt::format("add_u{}_{}", element_bits(p.from), sum_bits(l));
}

std::string end_function(const CLayer& l) {
  if (l.raw) return fmt::format("give_logits_{}", sum_bits(l));
  return fmt::format("store_u{}_{}", element_bits(l.to), sum_bits(l));
}

}  // namespace

CWriter::CWriter(const Graph& graph, const CPlan& plan, const std::string& name)
    : graph_(graph), plan_(plan), name_(name), macro_(upper(name)) {}

CVariants CWriter::variants() const {
  CVariants v;
  for (const CLayer& l : plan_.layers) {
    v.sums.insert(sum_bits(l));
    for (const CPass& p : l.passes) {
      if (p.maximum)
        v.maxima.insert(element_bits(p.from));
      else
        v.adds.insert({element_bits(p.from), sum_bits(l)});
    }
    if (l.raw)
      v.raw = sum_bits(l);
    else
      v.stores.insert({element_bits(l.to), sum_bits(l)});
  }
  return v;
}

std::string CWriter::header() const {
  const Shape& in = graph_.input().shape;
  return fmt::format(
      R"(/* The network {comment}, written by nbq. C99; no multiplication in it. */
#ifndef {macro}_H
#define {macro}_H
#include <stdint.h>

#define {macro}_CHANNELS {c}
#define {macro}_HEIGHT {h}
#define {macro}_WIDTH {w}
#define {macro}_OUTPUTS {outputs}
#define {macro}_LOGIT_EXP ({exp}) /* logits are in units of 2 to this */

#ifdef __cplusplus
extern "C" {{
#endif

typedef int{bits}_t {name}_logit;

/* image: {macro}_CHANNELS x {macro}_HEIGHT x {macro}_WIDTH pixels, channel after channel, row after row.
 * logits: {macro}_OUTPUTS of them; the largest is the class. Uses static memory: one call at a time. */
void {name}_run(const uint8_t *image, {name}_logit *logits);

#ifdef __cplusplus
}}
#endif
#endif
)",
      fmt::arg("comment", comment(graph_.name)), fmt::arg("macro", macro_), fmt::arg("name", name_),
      fmt::arg("c", in.c), fmt::arg("h", in.h), fmt::arg("w", in.w),
      fmt::arg("outputs", graph_.output().shape.size()), fmt::arg("exp", plan_.logit_exp),
      fmt::arg("bits", plan_.logits64 ? 64 : 32));
}

std::string CWriter::buffers() {
  std::string text;
  int widest[2] = {0, 0};
  for (const CLayer& l : plan_.layers) {
    int& w = widest[l.sums64 ? 1 : 0];
    w = std::max(w, l.to.shape.w);
  }
  if (plan_.arena_bytes > 0)
    text += fmt::format(
        "/* Activations, each for as long as a layer needs them; in words for their alignment. */\n"
        "static uint16_t arena[{}];\n",
        plan_.arena_bytes / 2);
  text += "/* One row of a layer's sums. Unsigned, as those may wrap: two's complement. */\n";
  for (const int wide : {0, 1})
    if (widest[wide] > 0)
      text += fmt::format("static uint{0}_t sums_{0}[{1}];\n", wide != 0 ? 64 : 32, widest[wide]);
  out_.ram_bytes = plan_.arena_bytes + 4 * widest[0] + 8 * widest[1];
  return text;
}

std::string CWriter::array(const char* type, const std::string& name, const std::string& elements,
                           std::int64_t bytes, std::int64_t& total) {
  if (bytes == 0) return "NULL";
  const auto [at, is_new] = arrays_.try_emplace(type + elements, prefix_ + name);
  if (is_new) {
    constants_ += fmt::format("static const {} {}[] = {{\n{}}};\n", type, at->second, elements);
    total += bytes;
  }
  return at->second;
}

std::string CWriter::columns(const CPass& p, int sum_bytes) {
  const std::string elements = list(p.columns, [&](const CColumns& c) {
    return fmt::format("{{{}, {}, {}}}", c.at * p.from.element(), c.first * sum_bytes, c.count);
  });
  return array("struct columns", "columns", elements,
               static_cast<std::int64_t>(p.columns.size()) * kColumnsBytes, out_.table_bytes);
}

std::string CWriter::biases(const CLayer& l) {
  const auto count = static_cast<std::int64_t>(l.bias.size());
  if (l.sums64)
    return array("int64_t", "biases",
                 list(l.bias, [](std::int64_t b) { return fmt::format("INT64_C({})", b); }),
                 count * 8, out_.weight_bytes);
  return array("int32_t", "biases",
               list(l.bias, [](std::int64_t b) { return fmt::format("INT32_C({})", b); }),
               count * 4, out_.weight_bytes);
}

std::string CWriter::place(const CValue& v, int first_channel) const {
  if (v.buffer < 0) return "NULL";
  return fmt::format("ARENA({})", plan_.buffers[static_cast<std::size_t>(v.buffer)].offset +
                                      first_channel * v.plane_bytes());
}

std::string CWriter::pass(const CLayer& l, const CPass& p, std::size_t number) {
  const std::string columns_name = columns(p, sum_bits(l) / 8);
  const std::string codes = array("uint8_t", fmt::format("codes{}", number),
                                  list(p.codes, [](std::uint8_t c) { return std::to_string(c); }),
                                  static_cast<std::int64_t>(p.codes.size()), out_.weight_bytes);
  const int level_mask = p.bits > 1 ? (1 << (p.bits - 1)) - 1 : 0;
  const int level = p.bits > 1 ? 0 : p.shift + 1;
  return fmt::format(
      "    {{{row}, {from}, {columns}, {codes},\n"
      "     {origin}, {first_row}, {rows}, {row_step}, {next_output}, {dilation}, {next_row}, "
      "{next_channel}, {next_group},\n"
      "     {group_outputs}, {channels}, {kernel_h}, {kernel_w}, {step}, {zero}, {bits}, "
      "{level_mask}, {sign_bit}, {level}}},\n",
      fmt::arg("row", row_function(l, p)), fmt::arg("from", place(p.from, 0)),
      fmt::arg("columns", columns_name), fmt::arg("codes", codes), fmt::arg("origin", p.origin),
      fmt::arg("first_row", p.first_row), fmt::arg("rows", p.from.shape.h),
      fmt::arg("row_step", p.row_step), fmt::arg("next_output", p.row_step * p.from.row_bytes()),
      fmt::arg("dilation", p.dilation), fmt::arg("next_row", p.dilation * p.from.row_bytes()),
      fmt::arg("next_channel", p.from.plane_bytes()), fmt::arg("next_group", p.next_group),
      fmt::arg("group_outputs", p.group_outputs), fmt::arg("channels", p.channels),
      fmt::arg("kernel_h", p.kernel_h), fmt::arg("kernel_w", p.columns.size()),
      fmt::arg("step", p.column_step), fmt::arg("zero", p.from.zero), fmt::arg("bits", p.bits),
      fmt::arg("level_mask", level_mask), fmt::arg("sign_bit", std::max(p.bits - 1, 0)),
      fmt::arg("level", level));
}

void CWriter::layer(const CLayer& l) {
  std::string passes;
  for (std::size_t i = 0; i < l.passes.size(); ++i) passes += pass(l, l.passes[i], i);
  const auto pass_count = static_cast<std::int64_t>(l.passes.size());
  const std::string passes_name =
      array("struct pass", "passes", passes, pass_count * kPassBytes, out_.table_bytes);
  const std::string biases_name = biases(l);
  const std::string shifts =
      array("int8_t", "shifts", list(l.shifts, [](int r) { return std::to_string(r); }),
            static_cast<std::int64_t>(l.shifts.size()), out_.weight_bytes);
  const std::string terms =
      array("struct term", "terms",
            list(l.terms,
                 [](const Po2Reciprocal::Term& t) {
                   return fmt::format("{{{}, {}}}", t.shift, int{t.negative});
                 }),
            static_cast<std::int64_t>(l.terms.size()) * kTermBytes, out_.table_bytes);
  const std::int64_t row = l.raw ? l.to.shape.w * (sum_bits(l) / 8) : l.to.row_bytes();
  layers_ += fmt::format(
      "    /* {} */\n"
      "    {{{}, {}, {}, {}, begin_{}, {},\n"
      "     (uint8_t *)sums_{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}},\n",
      comment(l.name), passes_name, biases_name, shifts, terms, sum_bits(l), end_function(l),
      sum_bits(l), place(l.to, l.first_channel), pass_count, l.terms.size(), l.channels,
      l.to.shape.h, l.to.shape.w, row, l.lo, l.hi, l.zero, l.shifts.size() > 1 ? 1 : 0);
  out_.table_bytes += kLayerBytes;
}

CSource CWriter::write(const std::string& header_file) {
  const std::string memory = buffers();
  std::size_t max_passes = 1, number = 0;
  for (const CLayer& l : plan_.layers) {
    max_passes = std::max(max_passes, l.passes.size());
    prefix_ = fmt::format("l{}_", number++);
    layer(l);
  }
  out_.header = header();
  out_.source = fmt::format(
      "/* The network {}, written by nbq. C99; no multiplication in it. */\n"
      "#include \"{}\"\n\n#include <stdbool.h>\n#include <stddef.h>\n\n"
      "#define MAX_PASSES {}\n{}\n{}{}{}\n",
      comment(graph_.name), header_file, max_passes, c_types(), memory, c_row_functions(variants()),
      c_layer_functions());
  if (plan_.arena_bytes > 0)
    out_.source += "#define ARENA(offset) ((uint8_t *)arena + (offset))\n\n";
  out_.source += fmt::format(
      "{}\nstatic const struct layer layers[] = {{\n{}}};\n\n"
      "void {}_run(const uint8_t *image, {}_logit *logits)\n{{\n"
      "    const struct layer *l;\n"
      "    for (l = layers; l != layers + {}; ++l)\n"
      "        run_layer(l, image, logits);\n}}\n",
      constants_, layers_, name_, name_, plan_.layers.size());
  return out_;
}

}  // namespace nbq::exchange
