#include "hw/bus_timing.h"

#include <algorithm>

#include "hw/host_words.h"

namespace nbq::hw {
namespace {

// Registers on the way; the tests hold the sums against the RTL.
constexpr std::int64_t kReadCycles = 8;   ///< from room in the ring to a word, and the latency
constexpr std::int64_t kWriteCycles = 4;  ///< from a store's start to its end, and the words
constexpr std::int64_t kWordCycles = 4;   ///< between two words of results
constexpr std::int64_t kOutstanding = 8;  ///< bursts under way: nbq_axi_read's

std::int64_t beats_of(std::size_t bytes, int axi_bits) {
  return static_cast<std::int64_t>(bytes) * 8 / axi_bits;
}

}  // namespace

BusTiming::BusTiming(const Program& program, std::int64_t latency)
    : latency_(latency),
      line_(std::min(256, 4096 * 8 / program.config.axi_bits)),
      total_(program.stream_words),
      room_(program.config.weight_depth - program.ring) {
  const EngineConfig& c = program.config;
  beats_ = beats_of(external_word_bytes(c.lanes_in * c.lanes_out * c.weight_bits(), c.axi_bits),
                    c.axi_bits);
  image_beats_ = c.images * image_word_count(program) *
                 beats_of(external_word_bytes(c.act_word_bits(), c.axi_bits), c.axi_bits);
  result_words_ = std::int64_t{c.images} * program.result.words(c.lanes_in);
  result_word_beats_ =
      beats_of(external_result_bytes(c.lanes_in * c.acc_bits, c.axi_bits), c.axi_bits);
  result_gap_ = kWordCycles + c.broadcast + c.out_cycles - 1;
  ask(0);
}

/// Asks for every word that there is room for.
void BusTiming::ask(Cycle cycle) {
  const std::int64_t words = std::min(total_, room_) - asked_;
  if (words <= 0) return;
  // A burst waits until its line is full: words are asked for one a cycle.
  const std::int64_t gather = std::min(words, (line_ + beats_ - 1) / beats_);
  read_images(cycle);
  const Cycle first = std::max(busy_until_, cycle + kReadCycles + latency_ + gather);
  busy_until_ = first + words * beats_;
  asked_ += words;
  coming_.push_back({asked_, busy_until_});
}

BusTiming::Cycle BusTiming::claim(std::int64_t words) {
  claimed_ += words;
  NBQ_CHECK(claimed_ <= asked_);  // plan_weights: a block is never larger than the ring
  while (coming_.front().end < claimed_) coming_.pop_front();
  return coming_.front().last - (coming_.front().end - claimed_) * beats_;
}

void BusTiming::release(std::int64_t words, Cycle cycle) {
  room_ += words;
  ask(cycle);
}

void BusTiming::load(Cycle cycle) {
  images_left_ = image_beats_;
  busy_until_ = std::max(busy_until_, cycle + kReadCycles + latency_);
  read_images(cycle);
}

/// Images while nothing else is to be read, and the bursts of them that stand before what comes: as
/// many as may be under way, for weights are seldom all that is asked for. (With fewer when weights
/// are under way the RTL's cycles come out farther off.)
void BusTiming::read_images(Cycle until) {
  const std::int64_t beats =
      std::min(images_left_, std::max<std::int64_t>(0, until - busy_until_) + kOutstanding * line_);
  images_left_ -= beats;
  busy_until_ += beats;
}

void BusTiming::store(Cycle cycle) {
  stored_ = cycle + kWriteCycles + latency_ + result_words_ * (result_word_beats_ + result_gap_);
}

BusTiming::Cycle BusTiming::quiet() const { return std::max(stored_, busy_until_ + images_left_); }

}  // namespace nbq::hw
