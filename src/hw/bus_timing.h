#pragma once
#include <cstdint>
#include <deque>

#include "hw/compile.h"

namespace nbq::hw {

/// The AXI masters of rtl/nbq_dma.sv in time alone, cycles counted as Stopwatch does: when streamed
/// weights are there, when the next images and the results have moved. The bus is taken to give a
/// beat a cycle after `latency` cycles; weights go first, but for the bursts of images that are
/// asked for already. How bursts lie across lines is left out: a run is foretold to some cycles a
/// wait, not exactly.
class BusTiming {
 public:
  using Cycle = std::int64_t;

  BusTiming(const Program& program, std::int64_t latency);

  /// The next instruction takes `words` streamed words: the first cycle that has them all.
  Cycle claim(std::int64_t words);
  /// The last tap that reads the oldest `words` words is issued in `cycle`: the ring has room.
  void release(std::int64_t words, Cycle cycle);
  /// The next images begin to come, if a run reads any.
  void load(Cycle cycle);
  /// The results begin to go.
  void store(Cycle cycle);
  /// The first cycle with nothing under way.
  Cycle quiet() const;
  /// Of a run, both ways together.
  std::int64_t beats() const {
    return total_ * beats_ + image_beats_ + result_words_ * result_word_beats_;
  }

 private:
  /// Words that come one after the other without a pause.
  struct Stretch {
    std::int64_t end;  ///< index after the last word
    Cycle last;        ///< the cycle in which that one is there
  };
  void ask(Cycle cycle);
  void read_images(Cycle until);

  std::int64_t latency_, beats_;  ///< beats of a weight word
  std::int64_t line_;             ///< beats of the longest burst
  std::int64_t total_, room_;     ///< words of the stream; of those that may be asked for
  std::int64_t image_beats_;      ///< of all images
  std::int64_t result_words_, result_word_beats_, result_gap_;
  std::int64_t asked_ = 0, claimed_ = 0;
  std::int64_t images_left_ = 0;  ///< beats of images that are not read by busy_until_
  Cycle busy_until_ = 0;          ///< with what is asked for
  std::deque<Stretch> coming_;
  Cycle stored_ = 0;
};

}  // namespace nbq::hw
