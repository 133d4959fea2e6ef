#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "hw/compile.h"
#include "hw/device.h"

namespace nbq::hw {

/// The weight stream as external memory has it: Program::stream's words in the code format, each
/// padded to whole beats. config.axi_bits > 0.
std::vector<std::uint8_t> stream_bytes(const Program& program);

/// The host's side of an engine with an AXI bus: lays out the external memory (weight stream, two
/// image areas, results) and sets the registers of the engine's masters.
class MemoryHost {
 public:
  /// Writes the weight stream. Errors kUnsupported: the device has too little memory.
  static Result<MemoryHost> open(Device& device, const Program& program);

  /// Up to config.images images for the `load` that comes next: the one of register ctrl, or the
  /// running program's. The area alternates.
  Status put_images(Device& device, std::span<const std::uint8_t> pixels);
  /// The `load` that comes next does nothing.
  static void put_nothing(Device& device);
  /// Logits of the first `images` images, one after the other.
  Result<std::vector<std::int64_t>> logits(Device& device, std::size_t images) const;

 private:
  explicit MemoryHost(const Program& program);
  Status write_stream(Device& device) const;

  const Program* program_;
  std::size_t weight_bytes_ = 0, image_bytes_ = 0, result_bytes_ = 0;  ///< of one word
  std::size_t image_words_ = 0, result_words_ = 0;                     ///< of one image
  std::size_t image_at_ = 0, image_area_ = 0, result_at_ = 0, size_ = 0;
  int area_ = 0;
};

}  // namespace nbq::hw
