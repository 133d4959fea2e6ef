#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace nbq {

/// Whole file as bytes. Errors kBadFile: absent or a folder; kIo: reading failed, over `max_bytes`.
Result<std::vector<std::uint8_t>> read_file(const std::filesystem::path& path,
                                            std::size_t max_bytes = std::size_t{4} << 30);
Result<std::string> read_text_file(const std::filesystem::path& path);

/// Writes beside the target, syncs, and renames: a reader sees the old file or the new one, never a
/// half. Makes missing parent folders. Errors kIo: disk full, no permission (names the path).
Status write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);
Status write_file(const std::filesystem::path& path, std::string_view text);

/// Calls `write` with a temporary path beside `path`, then renames it; removes it on error.
template <class F>
Status write_atomically(const std::filesystem::path& path, F&& write);

/// A path beside `path` for writing before commit_file().
std::filesystem::path temporary_beside(const std::filesystem::path& path);
/// Syncs `temporary` and renames it to `path`.
Status commit_file(const std::filesystem::path& temporary, const std::filesystem::path& path);

template <class F>
Status write_atomically(const std::filesystem::path& path, F&& write) {
  const std::filesystem::path tmp = temporary_beside(path);
  Status s = write(tmp);
  if (s.ok()) s = commit_file(tmp, path);
  if (!s.ok()) {
    std::error_code ignored;
    std::filesystem::remove(tmp, ignored);
  }
  return s;
}

/// FNV-1a, 64 bits: names caches and tells one dataset from another; not for security.
std::uint64_t fnv1a(std::span<const std::uint8_t> bytes,
                    std::uint64_t seed = 0xcbf29ce484222325ull);
std::uint64_t fnv1a(std::string_view text, std::uint64_t seed = 0xcbf29ce484222325ull);

}  // namespace nbq
