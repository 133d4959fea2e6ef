#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "model/graph.h"

namespace nbq {

inline constexpr std::uint32_t kNbqVersion = 1;

/// The .nbq bytes of a graph (spec/nbq.fbs). The graph must be sound: shapes set, stage honoured.
std::vector<std::uint8_t> encode_nbq(const Graph& graph);

/// Reads and verifies .nbq bytes, whatever they are: buffer, version, structure, shapes, and for
/// integer networks codes, formats and the overflow proof. Never crashes, never allocates beyond
/// what the bytes can hold. Errors kBadFile, kOverflow naming layer and reason.
Result<Graph> decode_nbq(std::span<const std::uint8_t> bytes);

Status save_nbq(const std::filesystem::path& path, const Graph& graph);
/// As decode_nbq, with the path before the message.
Result<Graph> load_nbq(const std::filesystem::path& path);

}  // namespace nbq
