#include "hw/engine.h"

#include <algorithm>

#include "hw/host_words.h"

namespace nbq::hw {
namespace {

// Register ctrl.
constexpr std::uint32_t kStart = 1, kLoadImage = 4;

std::uint32_t reg(Reg r) { return static_cast<std::uint32_t>(r); }

/// Streams words of any width into one of the engine's memories.
class Stream {
 public:
  Stream(Device& device, Mem mem, std::uint32_t address) : device_(device) {
    device_.write(reg(Reg::stream_mem), static_cast<std::uint32_t>(mem));
    device_.write(reg(Reg::stream_addr), address);
  }
  void write(const WordPacker& word) {
    for (const std::uint32_t w : word.words()) device_.write(reg(Reg::stream_data), w);
  }

 private:
  Device& device_;
};

void load_weights(Device& device, const Program& p) {
  Stream stream(device, Mem::weights, 0);
  const auto per_word = static_cast<std::size_t>(p.config.lanes_in * p.config.lanes_out);
  const std::span<const std::int16_t> weights = p.weights;
  for (std::size_t at = 0; at < weights.size(); at += per_word)
    stream.write(weight_word(p.config, weights.subspan(at, per_word)));
}

void load_params(Device& device, const Program& p) {
  Stream stream(device, Mem::params, 0);
  const auto per_word = static_cast<std::size_t>(p.config.lanes_in / p.config.out_cycles);
  const std::span<const Program::Param> params = p.params;
  for (std::size_t at = 0; at < params.size(); at += per_word)
    stream.write(param_word(p.config, params.subspan(at, per_word)));
}

Status load_program(Device& device, const Program& p) {
  Stream stream(device, Mem::program, 0);
  for (const Instruction& i : p.instructions) {
    NBQ_ASSIGN(const auto words, encode(i));
    WordPacker word;
    for (const std::uint32_t w : words) word.append(w, 32);
    stream.write(word);
  }
  return ok_status();
}

Status expect(Device& device, Reg r, const char* name, std::uint32_t want) {
  const std::uint32_t have = device.read(reg(r));
  NBQ_TRY(device.health());
  if (have != want)
    return make_error(ErrorCode::kInvalidArgument,
                      "the engine's register {} is {:#x}, the program was "
                      "compiled for {:#x}",
                      name, have, want);
  return ok_status();
}

}  // namespace

Result<Engine> Engine::open(std::unique_ptr<Device> device, const Program& program) {
  const EngineConfig& c = program.config;
  const auto u = [](int v) { return static_cast<std::uint32_t>(v); };
  NBQ_TRY(expect(*device, Reg::id, "id", kEngineId));
  NBQ_TRY(expect(*device, Reg::lanes, "lanes", u(c.lanes_out) << 16 | u(c.lanes_in)));
  NBQ_TRY(expect(*device, Reg::widths, "widths",
                 u(static_cast<int>(c.pe)) << 28 | u(c.pixels) << 16 | u(c.code_bits) << 12 |
                     u(c.act_bits) << 6 | u(c.acc_bits)));
  NBQ_TRY(expect(*device, Reg::images, "images", c.images_register()));
  if (c.axi_bits > 0) NBQ_TRY(expect(*device, Reg::axi_bits, "axi_bits", u(c.axi_bits)));
  load_weights(*device, program);
  load_params(*device, program);
  NBQ_TRY(load_program(*device, program));
  // Far more than the longest tile: a kernel of 255 x 255 taps over 4095 planes, 255 times over, is
  // no network's; a stuck engine ends here.
  device->write(reg(Reg::watchdog), 1u << 28);
  Engine e;
  e.device_ = std::move(device);
  e.program_ = std::make_shared<const Program>(program);
  if (c.axi_bits > 0) {
    NBQ_ASSIGN(MemoryHost memory, MemoryHost::open(*e.device_, *e.program_));
    e.memory_ = std::move(memory);
  }
  return e;
}

void Engine::stream_image(int image, std::span<const std::uint8_t> pixels) {
  const EngineConfig& c = program_->config;
  Stream stream(*device_, Mem::activations,
                static_cast<std::uint32_t>(image) * c.act_image_stride() +
                    static_cast<std::uint32_t>(image_slot(*program_)));
  for (const WordPacker& word : image_words(*program_, pixels)) stream.write(word);
}

void Engine::read_logits(int image, std::vector<std::int64_t>& logits) {
  const ResultLayout& r = program_->result;
  const int lanes = program_->config.lanes_in;
  const std::uint32_t first =
      static_cast<std::uint32_t>(image) * program_->config.result_image_stride();
  for (int c = 0; c < r.shape.c; ++c)
    for (int y = 0; y < r.shape.h; ++y)
      for (int x = 0; x < r.shape.w; ++x) {
        const int at = (r.word(c, y, x, lanes) * lanes + c % lanes) * 2;
        device_->write(reg(Reg::result_addr), first + static_cast<std::uint32_t>(at));
        const std::uint64_t low = device_->read(reg(Reg::result_data));
        const std::uint64_t high = device_->read(reg(Reg::result_data));
        logits.push_back(static_cast<std::int64_t>(high << 32 | low));
      }
}

Result<std::size_t> Engine::count_images(std::span<const std::uint8_t> pixels) const {
  const auto bytes = static_cast<std::size_t>(program_->image.image.size());
  const std::size_t images = pixels.size() / bytes;
  if (pixels.size() % bytes != 0 || images < 1 ||
      images > static_cast<std::size_t>(program_->config.images))
    return make_error(ErrorCode::kInvalidArgument,
                      "{} bytes: the engine takes 1 to {} images of {}", pixels.size(),
                      program_->config.images, bytes);
  return images;
}

Status Engine::start_and_wait(std::uint32_t control) {
  device_->write(reg(Reg::ctrl), control);
  std::uint32_t status = 0;
  do {
    device_->wait(1 << 20);
    status = device_->read(reg(Reg::status));
  } while ((status & 1) != 0);
  NBQ_TRY(device_->health());
  if ((status & 4) == 0) return ok_status();
  const std::uint32_t pc = device_->read(reg(Reg::error_pc));
  std::string layer = "?";
  for (const LayerSpan& s : program_->layers)
    if (static_cast<int>(pc) >= s.first_instruction) layer = s.name;
  return make_error(ErrorCode::kIo, "the engine stopped at instruction {} (layer {}): {}", pc,
                    layer, describe(static_cast<EngineError>(device_->read(reg(Reg::error)))));
}

Status Engine::load_images(std::span<const std::uint8_t> pixels) {
  if (!memory_) {
    const auto bytes = static_cast<std::size_t>(program_->image.image.size());
    for (std::size_t i = 0; i < pixels.size() / bytes; ++i)
      stream_image(static_cast<int>(i), pixels.subspan(i * bytes, bytes));
    return ok_status();
  }
  if (std::equal(pixels.begin(), pixels.end(), loaded_.begin(), loaded_.end())) return ok_status();
  loaded_.clear();  // whatever becomes of the load
  NBQ_TRY(memory_->put_images(*device_, pixels));
  return start_and_wait(kLoadImage);
}

/// The running program loads the images of the next run, if it can and there are any.
Status Engine::prepare_next(std::span<const std::uint8_t> pixels) {
  if (!memory_) return ok_status();
  const bool loads = program_->loads_next && !pixels.empty();
  loaded_.assign(pixels.begin(), loads ? pixels.end() : pixels.begin());
  if (loads) return memory_->put_images(*device_, pixels);
  MemoryHost::put_nothing(*device_);
  return ok_status();
}

Result<EngineRun> Engine::run(std::span<const std::uint8_t> pixels,
                              std::span<const std::uint8_t> next) {
  NBQ_ASSIGN(const std::size_t images, count_images(pixels));
  if (!next.empty()) NBQ_TRY(count_images(next));
  EngineRun run;
  const std::uint64_t begin = device_->clock();
  NBQ_TRY(load_images(pixels));
  NBQ_TRY(prepare_next(next));
  const std::uint64_t start = device_->clock();
  if (Status ran = start_and_wait(kStart); !ran.ok()) {
    loaded_.clear();
    return ran.error();
  }
  run.compute_cycles = device_->read(reg(Reg::cycles));
  run.busy_cycles = device_->read(reg(Reg::busy_cycles));
  run.residual_cycles = device_->read(reg(Reg::residual_cycles));
  run.drain_cycles = device_->read(reg(Reg::drain_cycles));
  run.barrier_cycles = device_->read(reg(Reg::barrier_cycles));
  run.fetch_cycles = device_->read(reg(Reg::fetch_cycles));
  if (memory_) run.memory_cycles = device_->read(reg(Reg::memory_cycles));
  const std::uint64_t read_from = device_->clock();
  if (memory_) {
    NBQ_ASSIGN(run.logits, memory_->logits(*device_, images));
  } else {
    for (std::size_t i = 0; i < images; ++i) read_logits(static_cast<int>(i), run.logits);
  }
  run.load_cycles = (start - begin) + (device_->clock() - read_from);
  NBQ_TRY(device_->health());
  return run;
}

}  // namespace nbq::hw
