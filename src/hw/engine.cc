#include "hw/engine.h"

#include <bit>

#include "hw/word_packer.h"

namespace nbq::hw {
namespace {

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
  const Po2Format f{p.config.code_bits};
  for (std::size_t at = 0; at < p.weights.size(); at += per_word) {
    WordPacker word;
    for (std::size_t i = at; i < at + per_word; ++i) {
      const int value = p.weights[i];
      if (p.config.pe != PeKind::kSvpe) {
        word.append(static_cast<std::uint64_t>(value), p.config.mult_bits);
      } else {
        const auto magnitude = static_cast<unsigned>(value < 0 ? -value : value);
        word.append(Po2Code::make(f, value < 0, std::bit_width(magnitude)).raw, f.bits);
      }
    }
    stream.write(word);
  }
}

void load_params(Device& device, const Program& p) {
  Stream stream(device, Mem::params, 0);
  const auto per_word = static_cast<std::size_t>(p.config.lanes_in);
  for (std::size_t at = 0; at < p.params.size(); at += per_word) {
    WordPacker word;
    for (std::size_t i = at; i < at + per_word; ++i) {
      word.append(static_cast<std::uint64_t>(p.params[i].bias), p.config.acc_bits);
      word.append(static_cast<std::uint64_t>(static_cast<std::int64_t>(p.params[i].shift)), 7);
    }
    stream.write(word);
  }
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

/// The channel of the packed image that lane holds, as a source pixel; 0 outside the image.
std::int32_t packed_pixel(const ImageLayout& l, std::span<const std::uint8_t> pixels, int channel,
                          int y, int x) {
  if (channel >= l.place.shape.c) return 0;
  const Shape& image = l.image;
  int iy = y, ix = x;
  if (l.taps_x * l.taps_y > 1) {
    const int tap = channel / image.c;
    ix = x * l.window.stride_w + (tap % l.taps_x) * l.window.dilation_w - l.window.pad_left;
    if (l.taps_y > 1)
      iy = y * l.window.stride_h + (tap / l.taps_x) * l.window.dilation_h - l.window.pad_top;
    channel %= image.c;
  }
  if (iy < 0 || iy >= image.h || ix < 0 || ix >= image.w) return 0;
  return pixels[(static_cast<std::size_t>(channel) * static_cast<std::size_t>(image.h) +
                 static_cast<std::size_t>(iy)) *
                    static_cast<std::size_t>(image.w) +
                static_cast<std::size_t>(ix)] -
         128;
}

}  // namespace

Result<Engine> Engine::open(std::unique_ptr<Device> device, const Program& program) {
  const EngineConfig& c = program.config;
  const auto u = [](int v) { return static_cast<std::uint32_t>(v); };
  NBQ_TRY(expect(*device, Reg::id, "id", 0x4E425131));
  NBQ_TRY(expect(*device, Reg::lanes, "lanes", u(c.lanes_out) << 16 | u(c.lanes_in)));
  NBQ_TRY(expect(*device, Reg::widths, "widths",
                 u(static_cast<int>(c.pe)) << 28 | u(c.pixels) << 16 | u(c.code_bits) << 12 |
                     u(c.act_bits) << 6 | u(c.acc_bits)));
  NBQ_TRY(expect(
      *device, Reg::images, "images",
      c.log2_out_cycles() << 28 | u(c.broadcast) << 24 | u(c.mult_bits) << 16 | u(c.images)));
  load_weights(*device, program);
  load_params(*device, program);
  NBQ_TRY(load_program(*device, program));
  // Far more than the longest tile: a kernel of 255 x 255 taps over 4095 planes, 255 times over, is
  // no network's; a stuck engine ends here.
  device->write(reg(Reg::watchdog), 1u << 28);
  Engine e;
  e.device_ = std::move(device);
  e.program_ = std::make_shared<const Program>(program);
  return e;
}

void Engine::stream_image(int image, std::span<const std::uint8_t> pixels) {
  const ImageLayout& l = program_->image;
  const EngineConfig& c = program_->config;
  // The image lies contiguously in the order of addresses: word by word, bank by bank.
  const TensorPlace& t = l.place;
  const int slots = t.words() * c.pixels;
  std::vector<WordPacker> words(static_cast<std::size_t>(slots));
  std::vector<bool> filled(static_cast<std::size_t>(slots), false);
  for (int p = 0; p < t.planes; ++p)
    for (int y = 0; y < t.shape.h; ++y)
      for (int x = 0; x < t.shape.w; ++x) {
        const int slot = (t.word(p, y, x, c.pixels) - t.base) * c.pixels + t.bank(x, c.pixels);
        filled[static_cast<std::size_t>(slot)] = true;
        for (int lane = 0; lane < c.lanes_in; ++lane)
          words[static_cast<std::size_t>(slot)].append(
              static_cast<std::uint64_t>(
                  std::int64_t{packed_pixel(l, pixels, p * c.lanes_in + lane, y, x)}),
              c.act_bits);
      }
  WordPacker zero;
  for (int lane = 0; lane < c.lanes_in; ++lane) zero.append(0, c.act_bits);
  Stream stream(*device_, Mem::activations,
                static_cast<std::uint32_t>(image) * c.act_image_stride() +
                    static_cast<std::uint32_t>(t.base * c.pixels));
  for (std::size_t i = 0; i < words.size(); ++i) stream.write(filled[i] ? words[i] : zero);
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

Result<EngineRun> Engine::run(std::span<const std::uint8_t> pixels) {
  const auto bytes = static_cast<std::size_t>(program_->image.image.size());
  const std::size_t images = pixels.size() / bytes;
  if (pixels.size() % bytes != 0 || images < 1 ||
      images > static_cast<std::size_t>(program_->config.images))
    return make_error(ErrorCode::kInvalidArgument,
                      "{} bytes: the engine takes 1 to {} images of {}", pixels.size(),
                      program_->config.images, bytes);
  EngineRun run;
  const std::uint64_t begin = device_->clock();
  for (std::size_t i = 0; i < images; ++i)
    stream_image(static_cast<int>(i), pixels.subspan(i * bytes, bytes));
  const std::uint64_t start = device_->clock();
  device_->write(reg(Reg::ctrl), 1);
  std::uint32_t status = 0;
  do {
    device_->wait(1 << 20);
    status = device_->read(reg(Reg::status));
  } while ((status & 1) != 0);
  NBQ_TRY(device_->health());
  if ((status & 4) != 0) {
    const std::uint32_t pc = device_->read(reg(Reg::error_pc));
    std::string layer = "?";
    for (const LayerSpan& s : program_->layers)
      if (static_cast<int>(pc) >= s.first_instruction) layer = s.name;
    return make_error(ErrorCode::kIo, "the engine stopped at instruction {} (layer {}): {}", pc,
                      layer, describe(static_cast<EngineError>(device_->read(reg(Reg::error)))));
  }
  run.compute_cycles = device_->read(reg(Reg::cycles));
  run.busy_cycles = device_->read(reg(Reg::busy_cycles));
  run.residual_cycles = device_->read(reg(Reg::residual_cycles));
  run.drain_cycles = device_->read(reg(Reg::drain_cycles));
  run.barrier_cycles = device_->read(reg(Reg::barrier_cycles));
  run.fetch_cycles = device_->read(reg(Reg::fetch_cycles));
  const std::uint64_t read_from = device_->clock();
  for (std::size_t i = 0; i < images; ++i) read_logits(static_cast<int>(i), run.logits);
  run.load_cycles = (start - begin) + (device_->clock() - read_from);
  NBQ_TRY(device_->health());
  return run;
}

double utilisation(const Program& program, std::uint64_t compute_cycles) {
  return static_cast<double>(program.macs) * program.config.images /
         (static_cast<double>(program.config.lanes()) * static_cast<double>(compute_cycles));
}

}  // namespace nbq::hw
