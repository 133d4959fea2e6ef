#include "hw/energy/stimulus.h"

#include <bit>
#include <cmath>

#include "core/file.h"
#include "core/po2_code.h"
#include "hw/bit_reader.h"
#include "hw/engine.h"

namespace nbq::hw {
namespace {

/// Sums longer than this lose their first taps; no network's is.
constexpr std::size_t kMostRecent = 1 << 15;

std::uint32_t bits_at(const std::vector<std::uint32_t>& words, int first, int bits) {
  std::uint64_t v = words[static_cast<std::size_t>(first / 32)];
  if (first / 32 + 1 < static_cast<int>(words.size()))
    v |= std::uint64_t{words[static_cast<std::size_t>(first / 32 + 1)]} << 32;
  return static_cast<std::uint32_t>(v >> (first % 32)) & ((1u << bits) - 1);
}

std::vector<std::uint32_t> copy_bits(const std::uint32_t* words, int bits) {
  return {words, words + (bits + 31) / 32};
}

}  // namespace

StimulusRecorder::StimulusRecorder(const EngineConfig& config, int outputs) : config_(config) {
  s_.lanes_in = config.lanes_in;
  s_.outputs = outputs;
  s_.max_weight = Po2Format{config.code_bits}.max_level();
}

void StimulusRecorder::begin_image(std::vector<std::int64_t> starts, int cycles,
                                   std::mt19937_64& rng) {
  recent_.clear();
  last_sum_ = 0;
  starts_ = std::move(starts);
  window_cycles_ = cycles;
  next_ = 0;
  left_ = 0;
  places_.clear();
  const auto below = [&rng](int n) { return static_cast<int>(rng() % static_cast<unsigned>(n)); };
  for (std::size_t i = 0; i < starts_.size(); ++i)
    places_.emplace_back(below(config_.pixels), s_.outputs * below(config_.lanes_out / s_.outputs));
  s_.image_cycles = s_.image_taps = 0;
}

void StimulusRecorder::append(StimulusWindow& window, const Raw& raw) const {
  const int x_bits = config_.operand_bits(), w_bits = config_.code_bits, c = s_.lanes_in;
  window.valid.push_back(raw.valid);
  window.last.push_back(raw.last);
  for (int i = 0; i < c; ++i) {
    const auto v = bits_at(raw.x, (window.pixel * c + i) * x_bits, x_bits);
    window.x.push_back(
        static_cast<std::int32_t>(sign_extend(static_cast<std::uint64_t>(v), x_bits)));
  }
  for (int i = 0; i < s_.outputs * c; ++i) {
    const auto code = bits_at(raw.w, (window.first_output * c + i) * w_bits, w_bits);
    window.w.push_back(Po2Code{static_cast<std::uint8_t>(code)}.value({w_bits}));
  }
}

void StimulusRecorder::tap(bool valid, bool last, const std::uint32_t* x, const std::uint32_t* w) {
  const std::int64_t now = s_.image_cycles++;
  s_.image_taps += valid;
  if (starts_.empty()) return;
  const EngineConfig& c = config_;
  Raw raw{valid, valid && last, copy_bits(x, c.pixels * c.lanes_in * c.operand_bits()),
          copy_bits(w, c.lanes_out * c.lanes_in * c.code_bits)};
  if (next_ < starts_.size() && now == starts_[next_]) {
    StimulusWindow window;
    std::tie(window.pixel, window.first_output) = places_[next_];
    for (const Raw& before : recent_) append(window, before);
    window.warm_up = recent_.size();
    s_.windows.push_back(std::move(window));
    left_ = window_cycles_;
    ++next_;
  }
  if (left_ > 0) {
    append(s_.windows.back(), raw);
    --left_;
  }
  const bool ends = raw.last;
  recent_.push_back(std::move(raw));
  if (ends) {
    recent_.erase(recent_.begin(), recent_.begin() + static_cast<std::ptrdiff_t>(last_sum_));
    last_sum_ = recent_.size();
  } else if (recent_.size() > kMostRecent) {
    recent_.pop_front();
    if (last_sum_ > 0) --last_sum_;
  }
}

Result<Stimulus> record_stimulus(const Program& program, std::span<const std::uint8_t> images,
                                 int outputs, const Sampling& sampling) {
  const EngineConfig& c = program.config;
  const auto bytes = static_cast<std::size_t>(program.image.image.size());
  NBQ_CHECK(c.pe == PeKind::kSvpe && !images.empty() && images.size() % bytes == 0);
  if (c.images != 1 || c.axi_bits != 0 || c.act_digits != 1)
    return make_error(
        ErrorCode::kInvalidArgument,
        "{} images at once, {} AXI bits, activations of {} digits: energy is measured on one copy "
        "of the array, without a bus, with whole activations",
        c.images, c.axi_bits, c.act_digits);
  if (outputs < 1 || c.lanes_out % outputs != 0 || outputs > c.lanes_in)
    return make_error(ErrorCode::kInvalidArgument,
                      "a slice of {} output channels: must divide lanes_out = {} and be {} at most",
                      outputs, c.lanes_out, c.lanes_in);
  StimulusRecorder recorder(c, outputs);
  NBQ_ASSIGN(auto device, open_sim(c, &recorder));
  NBQ_ASSIGN(Engine engine, Engine::open(std::move(device), program));
  std::mt19937_64 rng(sampling.seed);
  recorder.begin_image({}, 0, rng);
  NBQ_TRY(engine.run(images.first(bytes)));
  const std::int64_t total = recorder.stimulus().image_cycles;

  const auto count = static_cast<std::int64_t>(images.size() / bytes);
  for (std::int64_t i = 0; i < count; ++i) {
    // Windows i * W / count up to (i + 1) * W / count lie in this image.
    const std::int64_t n = (i + 1) * sampling.windows / count - i * sampling.windows / count;
    std::vector<std::int64_t> starts;
    for (std::int64_t k = 0; k < n; ++k) {
      const std::int64_t from = total * k / n, to = total * (k + 1) / n - sampling.cycles;
      if (to <= from)
        return make_error(ErrorCode::kInvalidArgument,
                          "{} windows of {} cycles an image: the network takes {} cycles; sample "
                          "less",
                          n, sampling.cycles, total);
      starts.push_back(from +
                       static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(to - from)));
    }
    recorder.begin_image(std::move(starts), sampling.cycles, rng);
    NBQ_TRY(engine.run(images.subspan(static_cast<std::size_t>(i) * bytes, bytes)));
  }
  return recorder.stimulus();
}

std::vector<std::int64_t> expected_sums(const StimulusWindow& window, int lanes_in, int outputs,
                                        int acc_bits) {
  const auto c = static_cast<std::size_t>(lanes_in), o = static_cast<std::size_t>(outputs);
  std::vector<std::int64_t> acc(o), drain(o), all;
  for (std::size_t t = 0; t < window.cycles(); ++t) {
    for (std::size_t m = 0; m < o && window.valid[t] != 0; ++m) {
      for (std::size_t i = 0; i < c; ++i)
        acc[m] += std::int64_t{window.x[t * c + i]} * window.w[(t * o + m) * c + i];
      if (window.last[t] == 0) continue;
      drain[m] = sign_extend(static_cast<std::uint64_t>(acc[m]), acc_bits);
      acc[m] = 0;
    }
    all.insert(all.end(), drain.begin(), drain.end());
  }
  return all;
}

int densify(std::span<std::int32_t> word, int max_weight, int bits, std::uint64_t seed) {
  const int top = std::bit_width(static_cast<unsigned>(max_weight)) - 1;
  const double scale = std::ldexp(1.0, bits - 2 - top);
  // The word's own weights name it, so that it stays the same wherever it is used.
  const auto* first = reinterpret_cast<const std::uint8_t*>(word.data());
  std::mt19937_64 rng(fnv1a(std::span(first, word.size_bytes()), seed));
  for (std::int32_t& weight : word) {
    const std::int32_t level = std::abs(weight);
    const double u = std::uniform_real_distribution<double>(0, 1)(rng);
    const double low = level == 1 ? 0.5 : 0.75 * level;
    const double v = level == 0 ? u - 0.5 : low + u * (1.5 * level - low);
    weight = static_cast<std::int32_t>(scale * (weight < 0 ? -v : v));
  }
  return static_cast<int>(1.5 * scale * max_weight);
}

Stimulus with_dense_weights(const Stimulus& stimulus, int bits, std::uint64_t seed) {
  Stimulus dense = stimulus;
  const auto per_cycle = static_cast<std::size_t>(stimulus.outputs * stimulus.lanes_in);
  for (StimulusWindow& window : dense.windows)
    for (std::size_t at = 0; at < window.w.size(); at += per_cycle)
      dense.max_weight =
          densify(std::span(window.w).subspan(at, per_cycle), stimulus.max_weight, bits, seed);
  return dense;
}

}  // namespace nbq::hw
