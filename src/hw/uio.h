#pragma once
#include <filesystem>
#include <memory>

#include "core/result.h"
#include "hw/device.h"

namespace nbq::hw {

/// An engine with an AXI bus (rtl/nbq_axi_top.sv) on a board that runs Linux: its registers through
/// a UIO device, external memory through a u-dma-buf device, which gives one contiguous piece and
/// says in `sysfs`/<name>/phys_addr and size where it lies and how large it is.
/// `clock_mhz` turns the time that passed into clock().
/// Errors: a file can't be opened, read or mapped (names it).
Result<std::unique_ptr<Device>> open_uio(
    const std::filesystem::path& registers, const std::filesystem::path& memory, double clock_mhz,
    const std::filesystem::path& sysfs = "/sys/class/u-dma-buf");

}  // namespace nbq::hw
