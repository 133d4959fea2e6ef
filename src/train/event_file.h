#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "train/metrics.h"

namespace nbq {

/// What TensorBoard reads: records of TFRecord's framing, each an Event of tensorboard's
/// event.proto. Only the fields that scalars and histograms need are written.

/// CRC-32C (Castagnoli), as in RFC 3720.
std::uint32_t crc32c(std::string_view bytes);

/// Length, its masked CRC, the bytes, their masked CRC; little-endian.
std::string frame_record(std::string_view payload);

/// The payloads of whole, undamaged records from the beginning; what follows a damaged or cut one
/// is left out: a program that is killed may leave half a record at the end.
std::vector<std::string> read_records(std::string_view file);

/// One Event at `step` with all its values, so that a step is there wholly or not at all.
struct Event {
  double wall_time = 0;  ///< seconds since 1970
  std::int64_t step = 0;
  std::string file_version;  ///< of a file's first event: "brain.Event:2"
  std::vector<std::pair<std::string, double>> scalars;  ///< tag, value
  std::vector<std::pair<std::string, Histogram>> histograms;
};

/// The protobuf bytes. Sums of a histogram are taken from its bins' middles.
std::string encode_event(const Event& event);
/// Step of an encoded event; 0 for other bytes.
std::int64_t event_step(std::string_view encoded);

/// The event files of a run folder: a file a session. A step is a finished epoch of the training,
/// counted over its phases.
class EventLog {
 public:
  /// Later steps than those in the folder's files will be appended, to a file of their own.
  static Result<EventLog> open(const std::filesystem::path& dir);
  /// Removes the folder's event files.
  static void remove(const std::filesystem::path& dir);

  /// Appends the epochs that are not there yet, and before the first quantised one the weights that
  /// it begins with. Errors kIo.
  Status add_epochs(const Metrics& metrics);
  /// Appends the weights at the end of a quantised phase: W, and Q(W). Errors kIo.
  Status add_learnt_weights(const Metrics& metrics);

 private:
  Status append(const std::vector<Event>& events);

  std::filesystem::path dir_, file_;  ///< file_: empty until something is appended
  std::int64_t last_step_ = 0;
};

}  // namespace nbq
