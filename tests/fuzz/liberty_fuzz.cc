// Whatever the text: a cell library or an error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hw/energy/cell_library.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto library = nbq::hw::read_cell_library(text, "fuzz.lib");
  if (library.ok() && library->cells.empty()) __builtin_trap();
  return 0;
}
