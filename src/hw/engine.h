#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "hw/compile.h"
#include "hw/device.h"
#include "hw/memory_host.h"

namespace nbq::hw {

/// One run: up to config.images images through the engine.
struct EngineRun {
  std::vector<std::int64_t> logits;  ///< images, channels, rows, columns
  std::uint64_t compute_cycles = 0;  ///< from start to done
  std::uint64_t busy_cycles = 0;     ///< the array took a tap
  std::uint64_t residual_cycles = 0, drain_cycles = 0, barrier_cycles = 0, fetch_cycles = 0;
  std::uint64_t load_cycles =
      0;  ///< before the start and after the end: the image on its way in, the logits out
  std::uint64_t memory_cycles = 0;  ///< the program waited for external memory
};

/// The host driver: loads a program into a device and runs images.
class Engine {
 public:
  /// Checks that the device is the one the program was compiled for and loads program, weights and
  /// parameters. Errors kInvalidArgument: another engine (names the register).
  static Result<Engine> open(std::unique_ptr<Device> device, const Program& program);

  /// pixels: 1 to config.images images, each channels x height x width. With fewer than
  /// config.images the rest of the engine works on what its memories hold, and nobody reads it.
  /// next: what the next call will give, or nothing; an engine with an AXI bus reads it meanwhile.
  /// Errors kInvalidArgument: wrong byte count; kIo: the engine stopped with an error (names it and
  /// the layer).
  Result<EngineRun> run(std::span<const std::uint8_t> pixels,
                        std::span<const std::uint8_t> next = {});

  const Program& program() const { return *program_; }

 private:
  Engine() = default;
  Result<std::size_t> count_images(std::span<const std::uint8_t> pixels) const;
  Status start_and_wait(std::uint32_t control);
  Status load_images(std::span<const std::uint8_t> pixels);
  Status prepare_next(std::span<const std::uint8_t> pixels);
  void stream_image(int image, std::span<const std::uint8_t> pixels);
  void read_logits(int image, std::vector<std::int64_t>& logits);

  std::unique_ptr<Device> device_;
  std::shared_ptr<const Program> program_;
  std::optional<MemoryHost> memory_;  ///< with an AXI bus
  std::vector<std::uint8_t> loaded_;  ///< images that are in the activation memory already
};

}  // namespace nbq::hw
