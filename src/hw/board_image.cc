#include "hw/board_image.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "hw/engine.h"
#include "hw/memories.h"
#include "hw/memory_host.h"
#include "hw/pll.h"
#include "hw/program_model.h"
#include "hw/rtl_build.h"

namespace nbq::hw {
namespace fs = std::filesystem;
namespace {

using Words = std::vector<std::uint32_t>;

/// Notes what the driver streams into each memory: what the files hold is what the engine gets.
class Recorder final : public Device {
 public:
  Recorder(const EngineConfig& config, std::array<Words, 4>& streams)
      : engine_(make_program_model(config)), streams_(streams) {}
  void write(std::uint32_t reg, std::uint32_t value) override {
    if (reg == static_cast<std::uint32_t>(Reg::stream_mem)) mem_ = value & 3;
    if (reg == static_cast<std::uint32_t>(Reg::stream_data)) streams_[mem_].push_back(value);
  }
  std::uint32_t read(std::uint32_t reg) override { return engine_->read(reg); }
  void wait(std::uint64_t) override {}
  std::uint64_t clock() const override { return 0; }
  Result<DeviceMemory> memory(std::size_t bytes) override { return engine_->memory(bytes); }

 private:
  std::unique_ptr<Device> engine_;
  std::array<Words, 4>& streams_;
  std::uint32_t mem_ = 0;
};

Status write_binary(const fs::path& path, const Words& words) {
  std::vector<std::uint8_t> bytes;
  for (const std::uint32_t w : words)
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(w >> (8 * i)));
  return write_file(path, bytes);
}

/// $readmemh files of one memory, whose words are `columns` 32-bit words each.
Status write_arrays(const fs::path& dir, const EngineMemory& m, const Words& stream) {
  constexpr int kBlockWords = 512;
  const int columns = (m.width + 31) / 32;
  for (const RamPiece& piece : ram_pieces(m.depth)) {
    const int blocks = (piece.words + kBlockWords - 1) / kBlockWords;
    const int index = static_cast<int>(std::lround(std::log2(blocks))) + 1;
    for (int c = 0; c < columns; ++c) {
      const int bits = std::min(32, m.width - 32 * c);
      const std::uint32_t mask = bits == 32 ? ~0u : (1u << bits) - 1;
      std::string text;
      for (int w = piece.start; w < piece.start + piece.words; ++w) {
        const auto at = static_cast<std::size_t>(w) * static_cast<std::size_t>(columns) +
                        static_cast<std::size_t>(c);
        text += fmt::format("{:x}\n", at < stream.size() ? stream[at] & mask : 0);
      }
      NBQ_TRY(write_file(dir / fmt::format("{}_{:02}_{:03}.hex", m.name, index, c),
                         std::string_view(text)));
    }
  }
  return ok_status();
}

Result<std::string> config_header(const EngineConfig& config, const Board& board) {
  NBQ_ASSIGN(const RtlParameters parameters, engine_parameters(config));
  const bool axi = board.link == LinkKind::kAxi;
  std::string engine = axi ? "" : ".Preload(1), ";
  const char* comma = "";
  for (const auto& [name, value] : parameters)
    if (axi || name != "AxiBits")
      engine += fmt::format("{}.{}({})", std::exchange(comma, ", "), name, value);
  std::string s =
      fmt::format("// For board {}; made by nbq compile.\n`define NBQ_ENGINE_PARAMETERS {}\n",
                  board.name, engine);
  if (axi) return s;
  NBQ_ASSIGN(const Ecp5Pll pll, ecp5_pll(board.input_mhz, board.engine_mhz));
  const auto clocks_per_bit = static_cast<int>(std::lround(pll.mhz * 1e6 / board.baud));
  // A serial adapter may pause within a frame; the host waits longer (serial.cc).
  const auto silence = static_cast<int>(pll.mhz * 50e3);
  s += fmt::format("`define NBQ_INPUT_MHZ \"{}\"\n`define NBQ_ENGINE_MHZ \"{:.6g}\"\n",
                   board.input_mhz, pll.mhz);
  s += fmt::format(
      "`define NBQ_PLL_REFCLK {}\n`define NBQ_PLL_FEEDBACK {}\n`define NBQ_PLL_OUTPUT {}\n",
      pll.refclk, pll.feedback, pll.output);
  s += fmt::format("`define NBQ_CLOCKS_PER_BIT {}\n`define NBQ_SILENCE_CYCLES {}\n", clocks_per_bit,
                   silence);
  return s + fmt::format("`define NBQ_LED_ACTIVE_LOW 1'b{}\n", board.led_active_low ? 1 : 0);
}

Result<std::string> config_json(const BoardPlan& plan, const Board& board) {
  NBQ_ASSIGN(const RtlParameters parameters, engine_parameters(plan.program.config));
  nlohmann::ordered_json j{{"board", board.name}, {"device", board.device}};
  for (const auto& [name, value] : parameters) j["parameters"][name] = value;
  j["clock_mhz"] = plan.clock_mhz;
  j["cycles"] = plan.cycles();
  j["images_per_s"] = plan.images_per_s();
  const Resources& r = plan.resources;
  j["estimate"] = {{"lut", r.lut + r.lutram}, {"ff", r.ff}, {"dsp", r.dsp}, {"bram", r.bram}};
  for (std::size_t i = 0; i < plan.program.layers.size(); ++i) {
    const LayerSpan& l = plan.program.layers[i];
    j["layers"].push_back(
        {{"name", l.name}, {"macs", l.macs}, {"cycles", plan.timing.layers[i].total}});
  }
  return j.dump(2) + "\n";
}

}  // namespace

Status write_board_image(const BoardPlan& plan, const Board& board, const fs::path& dir) {
  const EngineConfig& c = plan.program.config;
  std::array<Words, 4> streams;
  NBQ_TRY(Engine::open(std::make_unique<Recorder>(c, streams), plan.program));
  for (const EngineMemory& m : engine_memories(c)) {
    const std::string name = m.name;
    Mem mem = Mem::program;
    if (name == "weights")
      mem = Mem::weights;
    else if (name == "params")
      mem = Mem::params;
    else if (name != "program")
      continue;  // filled by images and results
    const Words& stream = streams[static_cast<std::size_t>(mem)];
    NBQ_TRY(write_binary(dir / (name + ".bin"), stream));
    if (board.weights_stay_on_chip()) NBQ_TRY(write_arrays(dir, m, stream));
  }
  if (plan.program.stream_words > 0)
    NBQ_TRY(write_file(dir / "stream.bin", stream_bytes(plan.program)));
  NBQ_ASSIGN(const std::string header, config_header(c, board));
  NBQ_TRY(write_file(dir / "nbq_config.svh", std::string_view(header)));
  NBQ_ASSIGN(const std::string json, config_json(plan, board));
  return write_file(dir / "config.json", std::string_view(json));
}

}  // namespace nbq::hw
