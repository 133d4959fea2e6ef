#include "core/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace nbq {
namespace fs = std::filesystem;

Result<std::vector<std::uint8_t>> read_file(const fs::path& path, std::size_t max_bytes) {
  std::error_code ec;
  if (!fs::exists(path, ec))
    return make_error(ErrorCode::kBadFile, "{}: no such file", path.string());
  if (fs::is_directory(path, ec))
    return make_error(ErrorCode::kBadFile, "{}: is a folder, expected a file", path.string());
  if (!fs::is_regular_file(path, ec))
    return make_error(ErrorCode::kBadFile, "{}: is not a regular file", path.string());
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return make_error(ErrorCode::kIo, "{}: can't be opened: {}", path.string(),
                      std::strerror(errno));
  in.seekg(0, std::ios::end);
  const auto size = static_cast<std::size_t>(std::max<std::streamoff>(0, in.tellg()));
  if (size > max_bytes)
    return make_error(ErrorCode::kIo, "{}: {} bytes, more than the {} allowed", path.string(), size,
                      max_bytes);
  in.seekg(0);
  std::vector<std::uint8_t> bytes(size);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (static_cast<std::size_t>(in.gcount()) != size)
    return make_error(ErrorCode::kIo, "{}: read {} of {} bytes", path.string(), in.gcount(), size);
  return bytes;
}

Result<std::string> read_text_file(const fs::path& path) {
  NBQ_ASSIGN(const auto bytes, read_file(path));
  return std::string(bytes.begin(), bytes.end());
}

fs::path temporary_beside(const fs::path& path) {
  fs::path tmp = path;
  tmp += fmt::format(".{}.tmp", ::getpid());
  std::error_code ignored;  // the write that follows reports what is wrong
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), ignored);
  return tmp;
}

Status commit_file(const fs::path& temporary, const fs::path& path) {
  const int fd = ::open(temporary.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int sync_errno = errno;
  if (fd >= 0) ::close(fd);
  if (!synced)
    return make_error(ErrorCode::kIo, "{}: can't be written: {}", path.string(),
                      std::strerror(sync_errno));
  std::error_code ec;
  fs::rename(temporary, path, ec);
  if (ec)
    return make_error(ErrorCode::kIo, "{}: can't be replaced: {}", path.string(), ec.message());
  return ok_status();
}

Status write_file(const fs::path& path, std::span<const std::uint8_t> bytes) {
  return write_atomically(path, [&](const fs::path& tmp) -> Status {
    std::ofstream out(tmp, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out)
      return make_error(ErrorCode::kIo,
                        "{}: can't be written: {} (is the disk full, the folder "
                        "writable?)",
                        path.string(), std::strerror(errno));
    return ok_status();
  });
}

Status write_file(const fs::path& path, std::string_view text) {
  return write_file(path,
                    std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

std::uint64_t fnv1a(std::span<const std::uint8_t> bytes, std::uint64_t seed) {
  for (const std::uint8_t b : bytes) seed = (seed ^ b) * 0x100000001b3ull;
  return seed;
}

std::uint64_t fnv1a(std::string_view text, std::uint64_t seed) {
  return fnv1a(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), seed);
}

}  // namespace nbq
