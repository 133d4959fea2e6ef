// Trainings that are killed or run out of disk: nothing is lost but the steps since the checkpoint.
#include <algorithm>

#include "nbq_command.h"

namespace nbq::testing {
namespace {

class Interrupted : public CommandTest {
 protected:
  std::string train(const std::string& run) const {
    return quoted(NBQ_BINARY) + " train " + quoted(NBQ_SOURCE_DIR "/zoo/nbqnn-digits.toml") +
           " --epochs-scale 0.2 --threads 1 --checkpoint-steps 5 --run " + quoted(path(run));
  }
  /// Kills the training `delay` seconds after `run` has a checkpoint; 137 if it was still going on.
  Ran killed(const std::string& command, const std::string& run, const std::string& delay) const {
    return shell(command + " & pid=$!; n=0; while [ ! -e " + quoted(path(run + "/checkpoint.pt")) +
                 " ] && [ $n -lt 6000 ]; do sleep 0.01; n=$((n+1)); done; sleep " + delay +
                 "; kill -9 $pid; wait $pid");
  }
  std::vector<std::uint8_t> bytes(const std::string& name) const {
    return read_file(path(name)).value();
  }
};

TEST_F(Interrupted, KilledAndResumedTrainingGivesTheSameModel) {
  const Ran whole = shell(train("whole"));
  ASSERT_EQ(whole.exit, 0) << whole.err;
  // In a pipe: a line for each of the 8 + 4 epochs, nothing that is drawn over.
  EXPECT_EQ(std::count(whole.err.begin(), whole.err.end(), '\n'), 12) << whole.err;
  EXPECT_EQ(whole.err.find('\r'), std::string::npos);
  int kills = killed(train("parts"), "parts", "0").exit == 137 ? 1 : 0;
  // Loading takes a while: these end somewhere in it, in the float and in the quantised phase.
  for (const char* delay : {"0.2", "0.8", "1.2"})
    kills += killed(train("parts") + " --resume", "parts", delay).exit == 137 ? 1 : 0;
  EXPECT_GE(kills, 1);
  const Ran last = shell(train("parts") + " --resume");
  ASSERT_EQ(last.exit, 0) << last.err;
  for (const char* file : {"float.nbq", "quantised.nbq", "model.nbq"})
    EXPECT_EQ(bytes(std::string("whole/") + file), bytes(std::string("parts/") + file)) << file;
  for (const auto& entry : fs::directory_iterator(path("parts")))
    EXPECT_NE(entry.path().extension(), ".tmp") << entry.path();
}

TEST_F(Interrupted, AFullDiskLeavesTheCheckpointWhole) {
  ASSERT_EQ(killed(train("run"), "run", "0").exit, 137);
  const auto before = bytes("run/checkpoint.pt");
  // No file may grow beyond 32 KiB: logs may, the checkpoint (about 100 KiB) may not.
  const Ran full = shell("ulimit -f 64; " + train("run") + " --resume");
  EXPECT_EQ(full.exit, 3) << full.err;
  EXPECT_NE(full.err.find("checkpoint.pt: can't be written"), std::string::npos) << full.err;
  EXPECT_NE(full.err.find("disk full"), std::string::npos) << full.err;
  EXPECT_EQ(bytes("run/checkpoint.pt"), before);
  for (const auto& entry : fs::directory_iterator(path("run")))
    EXPECT_NE(entry.path().extension(), ".tmp") << entry.path();
  const Ran again = shell(train("run") + " --resume");
  EXPECT_EQ(again.exit, 0) << again.err;
}

}  // namespace
}  // namespace nbq::testing
