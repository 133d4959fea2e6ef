#include "hw/board.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "core/data_dir.h"
#include "core/file.h"
#include "core/strict_toml.h"

namespace nbq::hw {
namespace fs = std::filesystem;
namespace {

/// A key that has no default.
void need(StrictTable& t, std::string_view key) {
  if (!t.has(key)) t.fail(key, fmt::format("{} is needed", key));
}

void read_number(StrictTable& t, std::string_view key, double& value, double lo, double hi) {
  t.get(key, value, lo, hi);
  need(t, key);
}

void read_name(StrictTable& t, std::string_view key, std::string& value) {
  t.get(key, value);
  need(t, key);
}

Status read_resources(StrictTable t, Resources& r) {
  constexpr int kMost = 1 << 24;
  int bram = 0;
  for (auto [key, value] :
       {std::pair{"lut", &r.lut}, {"ff", &r.ff}, {"dsp", &r.dsp}, {"bram", &bram}}) {
    t.get(key, *value, 0, kMost);
    need(t, key);
  }
  r.bram = bram;
  return t.finish();
}

Status read_clock(StrictTable t, Board& b) {
  read_number(t, "input_mhz", b.input_mhz, 1, 1000);
  read_number(t, "engine_mhz", b.engine_mhz, 1, 1000);
  return t.finish();
}

Status read_link(StrictTable t, Board& b) {
  std::string kind;
  t.get_choice("kind", kind, {"uart", "axi"});
  need(t, "kind");
  b.link = kind == "axi" ? LinkKind::kAxi : LinkKind::kUart;
  if (b.link == LinkKind::kAxi) {
    t.get("bits", b.axi_bits, 32, 512);
    need(t, "bits");
    if (!t.failed() && !std::has_single_bit(static_cast<unsigned>(b.axi_bits)))
      t.fail("bits", fmt::format("is {}, must be a power of two", b.axi_bits));
  } else {
    t.get("baud", b.baud, 300, 12'000'000);
    need(t, "baud");
    // The receiver samples each bit at least this often (rtl/boards/nbq_uart_rx.sv).
    if (!t.failed() && b.baud * 8.0 > b.engine_mhz * 1e6)
      t.fail("baud", fmt::format("is {}: the engine's {} MHz sample a bit fewer than 8 times",
                                 b.baud, b.engine_mhz));
  }
  return t.finish();
}

Status read_flow(StrictTable t, Board& b, const fs::path& folder) {
  t.get_choice("tool", b.tool, {"nextpnr-ecp5", "vivado"});
  need(t, "tool");
  read_name(t, "top", b.top);
  std::string constraints;
  read_name(t, "constraints", constraints);
  t.get("arguments", b.flow_arguments);
  t.get("led_active_low", b.led_active_low);
  b.constraints = folder / constraints;
  std::error_code ec;
  if (!t.failed() && !fs::is_regular_file(b.constraints, ec))
    t.fail("constraints", fmt::format("there is no file {}", b.constraints.string()));
  const bool for_ecp5 = b.tool == "nextpnr-ecp5";
  if (!t.failed() && for_ecp5 != (b.family == SynthTarget::kEcp5))
    t.fail("tool", fmt::format("{} does not place {} devices", b.tool, target_name(b.family)));
  return t.finish();
}

/// A section that must be there.
Result<StrictTable> section(StrictTable& t, std::string_view name) {
  auto s = t.table(name);
  if (!s) {
    need(t, name);
    return t.finish().error();
  }
  return *s;
}

}  // namespace

Resources Board::budget() const {
  const auto part = [this](int n) { return static_cast<int>(use * n); };
  Resources r;
  r.lut = part(resources.lut);
  r.ff = part(resources.ff);
  r.dsp = part(resources.dsp);
  r.bram = use * resources.bram;
  return r;
}

Result<Board> parse_board(std::string_view text, const fs::path& file) {
  NBQ_ASSIGN(const toml::table parsed, parse_toml(text, file.string()));
  StrictTable t(parsed, file.string(), "");
  Board b;
  read_name(t, "name", b.name);
  read_name(t, "device", b.device);
  std::string family;
  t.get_choice("family", family, {"xcup", "ecp5"});
  need(t, "family");
  b.family = family == "xcup" ? SynthTarget::kXcup : SynthTarget::kEcp5;
  t.get("use", b.use, 0.05, 1);
  t.get("broadcast", b.broadcast, 0, kMaxBroadcast);
  t.get("wide_digits", b.wide_digits, 1, 2);
  NBQ_ASSIGN(StrictTable resources, section(t, "resources"));
  NBQ_TRY(read_resources(resources, b.resources));
  NBQ_ASSIGN(StrictTable clock, section(t, "clock"));
  NBQ_TRY(read_clock(clock, b));
  NBQ_ASSIGN(StrictTable link, section(t, "link"));
  NBQ_TRY(read_link(link, b));
  NBQ_ASSIGN(StrictTable flow, section(t, "flow"));
  NBQ_TRY(read_flow(flow, b, file.parent_path()));
  NBQ_TRY(t.finish());
  return b;
}

fs::path boards_dir() {
  const char* dir = std::getenv("NBQ_BOARDS_DIR");
  return dir != nullptr && *dir != '\0' ? fs::path(dir) : data_dir() / "boards";
}

std::vector<std::string> board_names() {
  std::vector<std::string> names;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(boards_dir(), ec))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

Result<Board> find_board(const std::string& name) {
  const bool is_path = name.ends_with(".toml");
  const fs::path file = is_path ? fs::path(name) : boards_dir() / (name + ".toml");
  std::error_code ec;
  if (!is_path && (name.find('/') != std::string::npos || !fs::is_regular_file(file, ec)))
    return make_error(ErrorCode::kInvalidArgument,
                      "board {}: there is none; known are {} (or give the path of a .toml file)",
                      name, fmt::join(board_names(), ", "));
  NBQ_ASSIGN(const std::string text, read_text_file(file));
  NBQ_ASSIGN(Board board, parse_board(text, file));
  if (!is_path && board.name != name)
    return make_error(ErrorCode::kBadFile, "{}: name is {}, the file's is {}", file.string(),
                      board.name, name);
  return board;
}

}  // namespace nbq::hw
