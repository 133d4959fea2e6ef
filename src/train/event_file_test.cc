#include "train/event_file.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/file.h"

namespace nbq {
namespace {

namespace fs = std::filesystem;

TEST(EventFile, CrcIsCastagnolis) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(EventFile, RecordsAreReadBackUpToTheFirstDamage) {
  const std::vector<std::string> payloads = {"one", "", std::string(300, 'x'), "last"};
  std::string file;
  for (const std::string& p : payloads) file += frame_record(p);
  EXPECT_EQ(read_records(file), payloads);
  EXPECT_EQ(read_records(file.substr(0, file.size() - 1)).size(), 3u);
  EXPECT_EQ(read_records(file + "half a record").size(), 4u);
  // Whatever byte is damaged: the records before it, and nothing of it.
  const std::size_t second = frame_record("one").size();
  for (std::size_t at = 0; at < second + frame_record("").size(); ++at) {
    std::string bad = file;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    EXPECT_EQ(read_records(bad).size(), at < second ? 0u : 1u) << at;
  }
}

TEST(EventFile, EncodesAsProtobufDoes) {
  const Event e{1.0, 300, "", {{"a", 2.0}}, {}};
  const std::string want(
      "\x09\0\0\0\0\0\0\xf0\x3f"  // wall_time
      "\x10\xac\x02"              // step
      "\x2a\x0a\x0a\x08\x0a\x01"
      "a\x15\0\0\0\x40",  // summary { value { tag, simple_value } }
      24);
  EXPECT_EQ(encode_event(e), want);
  EXPECT_EQ(event_step(want), 300);
  EXPECT_EQ(event_step("x"), 0);
  // A histogram of counts 1, 3 over [-1, 1]: 5 doubles of 9 bytes, two packed lists of 2 doubles.
  const std::string h = encode_event({1.0, 1, "", {}, {{"h", Histogram{-1, 1, {1, 3}}}}});
  EXPECT_EQ(h.size(), 11u + 2 + 2 + 3 + 2 + 45 + 2 * 18);
}

Metrics metrics(int epochs, int float_epochs) {
  Metrics m;
  for (int i = 0; i < epochs; ++i) {
    EpochRow r;
    r.kind = i < float_epochs ? "float" : "quantised";
    r.loss = 1.0 / (i + 1);
    m.epochs.push_back(r);
  }
  if (epochs > float_epochs) {
    m.weights.push_back({"conv", 3, {-1, 1, {1, 2}}, {-1, 1, {2, 1}}, {-1, 1, {3, 0}}, {}});
  }
  return m;
}

/// Steps of all events but the files' first ones, file by file.
std::vector<std::int64_t> steps(const fs::path& dir, std::size_t files) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(dir)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  EXPECT_EQ(paths.size(), files);
  std::vector<std::int64_t> out;
  for (const fs::path& p : paths) {
    EXPECT_TRUE(p.filename().string().starts_with("events.out.tfevents."));
    const std::string bytes = read_text_file(p).value();
    std::size_t size = 0;
    const auto records = read_records(bytes);
    for (const std::string& r : records) size += frame_record(r).size();
    EXPECT_EQ(size, bytes.size());
    EXPECT_NE(records.at(0).find("brain.Event:2"), std::string::npos);
    for (std::size_t i = 1; i < records.size(); ++i) out.push_back(event_step(records[i]));
  }
  return out;
}

TEST(EventLog, ResumedTrainingsAppendAFileAndRepeatNoStep) {
  const fs::path dir = fs::path(testing::TempDir()) / "nbq_event_log_test";
  fs::remove_all(dir);
  fs::create_directories(dir);
  {
    auto log = EventLog::open(dir).value();
    ASSERT_TRUE(log.add_epochs(metrics(0, 2)).ok());
    EXPECT_TRUE(fs::is_empty(dir));  // nothing yet: no file
    ASSERT_TRUE(log.add_epochs(metrics(1, 2)).ok());
    ASSERT_TRUE(log.add_epochs(metrics(2, 2)).ok());
  }
  {
    auto log = EventLog::open(dir).value();
    ASSERT_TRUE(log.add_epochs(metrics(2, 2)).ok());
    ASSERT_TRUE(log.add_epochs(metrics(4, 2)).ok());
    ASSERT_TRUE(log.add_learnt_weights(metrics(4, 2)).ok());
  }
  // The weights that the quantised phase begins with are those of step 2.
  EXPECT_EQ(steps(dir, 2), (std::vector<std::int64_t>{1, 2, 2, 3, 4, 4}));
  EventLog::remove(dir);
  EXPECT_TRUE(fs::is_empty(dir));
}

}  // namespace
}  // namespace nbq
