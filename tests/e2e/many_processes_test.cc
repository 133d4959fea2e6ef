// Trainings of several processes on this machine: that they learn, and how they end.
#include <algorithm>

#include "nbq_command.h"

namespace nbq::testing {
namespace {

class ManyProcesses : public CommandTest {
 protected:
  std::string train(const std::string& more = "") const {
    return quoted(NBQ_BINARY) + " train " + quoted(NBQ_SOURCE_DIR "/zoo/nbqnn-digits.toml") +
           " --epochs-scale 0.2 --nproc 2 --threads 2 --checkpoint-steps 5 --json --set "
           "phase.1.sync_norms=true --run " +
           quoted(path("run")) + " " + more;
  }
  /// Runs `then` once the training that runs as $pid has a checkpoint, with the process numbers of
  /// its ranks in $rank0 and $rank1; the exit code is the training's.
  Ran while_training(const std::string& then) const {
    return shell(train() + " & pid=$!; n=0; while [ ! -e " + quoted(path("run/checkpoint.pt")) +
                 " ] && [ $n -lt 6000 ]; do sleep 0.01; n=$((n+1)); done; "
                 "read rank0 rank1 < /proc/$pid/task/$pid/children; " +
                 then + "; wait $pid");
  }
};

TEST_F(ManyProcesses, LearnTheDigits) {
  const Ran r = shell(train());
  ASSERT_EQ(r.exit, 0) << r.err;
  const auto j = r.json();
  EXPECT_EQ(j.at("epochs"), 12);
  EXPECT_GT(j.at("float_accuracy").get<double>(), 93);
  EXPECT_GT(j.at("nbit_accuracy").get<double>(), 92);
  // Each epoch is told once.
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 12) << r.err;
  EXPECT_EQ(
      run({"train", NBQ_SOURCE_DIR "/zoo/nbqnn-digits.toml", "--run", path("run"), "--nproc", "2"})
          .exit,
      2);  // is there already: rank 0's exit code
}

TEST_F(ManyProcesses, OneThatIsKilledEndsTheOthers) {
  const Ran r = while_training("kill -9 $rank1; sleep 5; kill -0 $rank0 && echo still there");
  EXPECT_EQ(r.exit, 3) << r.err;
  EXPECT_EQ(r.out.find("still there"), std::string::npos);
  EXPECT_NE(r.err.find("rank 1 (process "), std::string::npos) << r.err;
  EXPECT_NE(r.err.find("killed by signal 9"), std::string::npos) << r.err;
  const Ran again = shell(train("--resume"));
  ASSERT_EQ(again.exit, 0) << again.err;
  EXPECT_EQ(again.json().at("epochs"), 12);
}

TEST_F(ManyProcesses, ASignalStopsAllWithACheckpoint) {
  const Ran r = while_training("kill $pid");
  EXPECT_EQ(r.exit, 130) << r.err;
  EXPECT_EQ(r.json().at("interrupted"), true);
  EXPECT_NE(r.out.find("resume"), std::string::npos);
  const Ran again = shell(train("--resume"));
  ASSERT_EQ(again.exit, 0) << again.err;
  EXPECT_EQ(again.json().at("interrupted"), false);
}

TEST_F(ManyProcesses, TheFailureOfAnyIsTold) {
  const Ran r = shell("env RANK=0 WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 " + train());
  EXPECT_EQ(r.exit, 2) << r.err;  // --nproc and the environment
  const Ran bad = run({"train", NBQ_SOURCE_DIR "/zoo/nbqnn-digits.toml", "--run", path("run"),
                       "--nproc", "2", "--data", path("nowhere")});
  EXPECT_EQ(bad.exit, 3);
  EXPECT_NE(bad.err.find("nowhere"), std::string::npos) << bad.err;
}

}  // namespace
}  // namespace nbq::testing
