#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "model/graph.h"

namespace nbq {

/// An integer network as C99: a header and a file that needs nothing else.
struct CSource {
  std::string header, source;
  std::int64_t weight_bytes = 0;  ///< constants: packed weight codes, biases and shifts,
  std::int64_t table_bytes = 0;   ///< and tables of the layers, where pointers take 4 bytes
  std::int64_t ram_bytes = 0;     ///< static buffers: activations and a row of sums

  std::int64_t constant_bytes() const { return weight_bytes + table_bytes; }
};

/// C without a multiplication, an allocation or recursion: `NAME_run(image, logits)` gives the
/// integers of spec/numerics.md. `name` begins the identifiers that others see; `header` is the
/// header's file name. Errors: what verify_integer() finds; kInvalidArgument: `name` is no C
/// identifier; kUnsupported, naming the layer: maps that 32-bit offsets don't reach.
Result<CSource> export_c_source(const Graph& integer, const std::string& name,
                                const std::string& header);

/// Writes `path` (which must end in .c) and the header beside it. `name` empty: the file's, with
/// everything else than letters and digits as underscores. Errors as above, and kIo.
Result<CSource> export_c(const std::filesystem::path& path, const Graph& integer,
                         const std::string& name = {});

}  // namespace nbq
