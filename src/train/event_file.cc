#include "train/event_file.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

// tensorboard/compat/proto: event.proto, summary.proto, histogram.proto; tensorflow's
// core/lib/io/record_writer.h for the framing.
namespace nbq {
namespace {

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1) != 0 ? 0x82f63b78u : 0);
    table[i] = c;
  }
  return table;
}

template <class Int>
void put_le(std::string& out, Int value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

template <class Int>
Int get_le(std::string_view in) {
  Int value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value |= static_cast<Int>(static_cast<Int>(static_cast<unsigned char>(in[i])) << (8 * i));
  return value;
}

std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t c = crc32c(bytes);
  return ((c >> 15) | (c << 17)) + 0xa282ead8u;
}

/// Protobuf's wire types.
enum Wire : unsigned { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void put_varint(std::string& out, std::uint64_t v) {
  for (; v >= 0x80; v >>= 7) out += static_cast<char>(0x80 | (v & 0x7f));
  out += static_cast<char>(v);
}
void put_key(std::string& out, unsigned field, Wire wire) { put_varint(out, field << 3 | wire); }
void put_bytes(std::string& out, unsigned field, std::string_view bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}
void put_double(std::string& out, unsigned field, double v) {
  put_key(out, field, kFixed64);
  put_le(out, std::bit_cast<std::uint64_t>(v));
}

/// Bins as bucket_limit (their upper ends) and bucket (their counts).
std::string encode_histogram(const Histogram& h) {
  const double width = (h.hi - h.lo) / static_cast<double>(h.counts.size());
  std::string limits, buckets, out;
  double n = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < h.counts.size(); ++i) {
    const double count = static_cast<double>(h.counts[i]);
    const double middle = h.lo + (static_cast<double>(i) + 0.5) * width;
    n += count;
    sum += count * middle;
    squares += count * middle * middle;
    put_le(limits, std::bit_cast<std::uint64_t>(h.lo + static_cast<double>(i + 1) * width));
    put_le(buckets, std::bit_cast<std::uint64_t>(count));
  }
  const double heads[] = {h.lo, h.hi, n, sum, squares};
  for (unsigned i = 0; i < 5; ++i) put_double(out, i + 1, heads[i]);
  put_bytes(out, 6, limits);
  put_bytes(out, 7, buckets);
  return out;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto kTable = crc_table();
  std::uint32_t c = ~0u;
  for (const char b : bytes) c = (c >> 8) ^ kTable[(c ^ static_cast<unsigned char>(b)) & 0xff];
  return ~c;
}

std::string frame_record(std::string_view payload) {
  std::string out;
  put_le(out, static_cast<std::uint64_t>(payload.size()));
  put_le(out, masked_crc(out));
  out += payload;
  put_le(out, masked_crc(payload));
  return out;
}

std::vector<std::string> read_records(std::string_view file) {
  std::vector<std::string> out;
  constexpr std::size_t kHead = 12, kTail = 4;
  while (file.size() >= kHead + kTail) {
    const auto size = get_le<std::uint64_t>(file);
    if (get_le<std::uint32_t>(file.substr(8)) != masked_crc(file.substr(0, 8)) ||
        size > file.size() - kHead - kTail)
      break;
    const std::string_view payload = file.substr(kHead, size);
    if (get_le<std::uint32_t>(file.substr(kHead + size)) != masked_crc(payload)) break;
    out.emplace_back(payload);
    file.remove_prefix(kHead + size + kTail);
  }
  return out;
}

std::string encode_event(const Event& event) {
  std::string summary, out;
  for (const auto& [tag, value] : event.scalars) {
    std::string v;
    put_bytes(v, 1, tag);
    put_key(v, 2, kFixed32);
    put_le(v, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
    put_bytes(summary, 1, v);
  }
  for (const auto& [tag, histogram] : event.histograms) {
    std::string v;
    put_bytes(v, 1, tag);
    put_bytes(v, 5, encode_histogram(histogram));
    put_bytes(summary, 1, v);
  }
  put_double(out, 1, event.wall_time);
  put_key(out, 2, kVarint);
  put_varint(out, static_cast<std::uint64_t>(event.step));
  if (!event.file_version.empty()) put_bytes(out, 3, event.file_version);
  if (!summary.empty()) put_bytes(out, 5, summary);
  return out;
}

std::int64_t event_step(std::string_view e) {
  constexpr std::size_t kStepAt = 10;  // after wall_time and the step's key, as written above
  std::uint64_t step = 0;
  if (e.size() <= kStepAt || e[0] != (1 << 3 | kFixed64) || e[9] != (2 << 3 | kVarint)) return 0;
  for (std::size_t i = kStepAt; i < e.size() && i < kStepAt + 9; ++i) {
    step |= std::uint64_t{static_cast<unsigned char>(e[i]) & 0x7fu} << (7 * (i - kStepAt));
    if ((e[i] & 0x80) == 0) return static_cast<std::int64_t>(step);
  }
  return 0;
}

}  // namespace nbq
