#include "hw/memory_host.h"

#include <cstring>

#include "hw/bit_reader.h"
#include "hw/host_words.h"
#include "hw/isa.h"

namespace nbq::hw {
namespace {

constexpr std::size_t kPage = 4096;  // where the masters' areas begin

std::size_t pages(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

void write(Device& device, Reg reg, std::uint64_t value) {
  device.write(static_cast<std::uint32_t>(reg), static_cast<std::uint32_t>(value));
}
void write_address(Device& device, Reg low, Reg high, std::uint64_t address) {
  write(device, low, address);
  write(device, high, address >> 32);
}

// A board's buffer may be mapped as device memory, which takes whole aligned words alone: memcpy
// does what it likes.
void put_words(std::uint8_t* to, std::span<const std::uint32_t> words) {
  auto* at = reinterpret_cast<volatile std::uint32_t*>(to);
  for (const std::uint32_t w : words) *at++ = w;
}
void get_words(const std::uint8_t* from, std::span<std::uint32_t> words) {
  const auto* at = reinterpret_cast<const volatile std::uint32_t*>(from);
  for (std::uint32_t& w : words) w = *at++;
}

}  // namespace

std::vector<std::uint8_t> stream_bytes(const Program& program) {
  const EngineConfig& c = program.config;
  const auto lanes = static_cast<std::size_t>(c.lanes_in * c.lanes_out);
  const std::size_t each =
      external_word_bytes(c.lanes_in * c.lanes_out * c.weight_bits(), c.axi_bits);
  const std::span<const std::int16_t> stream = program.stream;
  std::vector<std::uint8_t> bytes(stream.size() / lanes * each);
  for (std::size_t i = 0; i < stream.size() / lanes; ++i)
    put_words(bytes.data() + i * each, weight_word(c, stream.subspan(i * lanes, lanes)).words());
  return bytes;
}

MemoryHost::MemoryHost(const Program& program) : program_(&program) {
  const EngineConfig& c = program.config;
  const auto images = static_cast<std::size_t>(c.images);
  weight_bytes_ = external_word_bytes(c.lanes_in * c.lanes_out * c.weight_bits(), c.axi_bits);
  image_bytes_ = external_word_bytes(c.act_word_bits(), c.axi_bits);
  result_bytes_ = external_result_bytes(c.lanes_in * c.acc_bits, c.axi_bits);
  image_words_ = static_cast<std::size_t>(image_word_count(program));
  result_words_ = static_cast<std::size_t>(program.result.words(c.lanes_in));
  image_at_ = pages(static_cast<std::size_t>(program.stream_words) * weight_bytes_);
  image_area_ = pages(images * image_words_ * image_bytes_);
  result_at_ = image_at_ + 2 * image_area_;
  size_ = result_at_ + pages(images * result_words_ * result_bytes_);
}

Result<MemoryHost> MemoryHost::open(Device& device, const Program& program) {
  MemoryHost host(program);
  NBQ_TRY(host.write_stream(device));
  NBQ_ASSIGN(const DeviceMemory memory, device.memory(host.size_));
  write_address(device, Reg::weight_addr, Reg::weight_addr_hi, memory.address);
  write(device, Reg::weight_words, static_cast<std::uint64_t>(program.stream_words));
  write(device, Reg::weight_ring, static_cast<std::uint64_t>(program.ring));
  write(device, Reg::load_slot, static_cast<std::uint64_t>(image_slot(program)));
  write_address(device, Reg::store_addr, Reg::store_addr_hi, memory.address + host.result_at_);
  write(device, Reg::store_words, host.result_words_);
  put_nothing(device);
  return host;
}

Status MemoryHost::write_stream(Device& device) const {
  NBQ_ASSIGN(const DeviceMemory memory, device.memory(size_));
  const std::vector<std::uint8_t> bytes = stream_bytes(*program_);
  std::vector<std::uint32_t> words(bytes.size() / sizeof(std::uint32_t));
  if (!words.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
  put_words(memory.bytes.data(), words);
  return ok_status();
}

Status MemoryHost::put_images(Device& device, std::span<const std::uint8_t> pixels) {
  NBQ_ASSIGN(const DeviceMemory memory, device.memory(size_));
  const auto bytes = static_cast<std::size_t>(program_->image.image.size());
  const std::size_t area = image_at_ + static_cast<std::size_t>(area_) * image_area_;
  area_ = 1 - area_;
  std::uint8_t* to = memory.bytes.data() + area;
  for (std::size_t i = 0; i < pixels.size() / bytes; ++i)
    for (const WordPacker& word : image_words(*program_, pixels.subspan(i * bytes, bytes))) {
      put_words(to, word.words());
      to += image_bytes_;
    }
  write_address(device, Reg::load_addr, Reg::load_addr_hi, memory.address + area);
  write(device, Reg::load_words, image_words_);
  return ok_status();
}

void MemoryHost::put_nothing(Device& device) { write(device, Reg::load_words, 0); }

Result<std::vector<std::int64_t>> MemoryHost::logits(Device& device, std::size_t images) const {
  NBQ_ASSIGN(const DeviceMemory memory, device.memory(size_));
  const EngineConfig& c = program_->config;
  const ResultLayout& r = program_->result;
  const auto lanes = static_cast<std::size_t>(c.lanes_in);
  std::vector<std::int64_t> all;
  std::vector<std::int64_t> words(result_words_ * lanes);
  for (std::size_t i = 0; i < images; ++i) {
    for (std::size_t w = 0; w < result_words_; ++w) {
      const std::uint8_t* from =
          memory.bytes.data() + result_at_ + (i * result_words_ + w) * result_bytes_;
      std::vector<std::uint32_t> pieces((lanes * static_cast<std::size_t>(c.acc_bits) + 31) / 32);
      get_words(from, pieces);
      BitReader bits(pieces);
      for (std::size_t lane = 0; lane < lanes; ++lane)
        words[w * lanes + lane] = sign_extend(bits.take(c.acc_bits), c.acc_bits);
    }
    for (int ch = 0; ch < r.shape.c; ++ch)
      for (int y = 0; y < r.shape.h; ++y)
        for (int x = 0; x < r.shape.w; ++x)
          all.push_back(words[static_cast<std::size_t>(r.word(ch, y, x, c.lanes_in) * c.lanes_in +
                                                       ch % c.lanes_in)]);
  }
  return all;
}

}  // namespace nbq::hw
