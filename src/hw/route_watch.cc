#include "hw/route_watch.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace nbq::hw {
namespace {

/// Rounds that a router gets, and those over which it must make headway: where it succeeds, it
/// halves the conflicts in three to five rounds until a hundred or so are left.
constexpr std::size_t kRounds = 14, kHeadway = 6;
constexpr double kFew = 1000, kLess = 0.9;

/// The number behind `key` in the line.
std::optional<double> number(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  const char* const first = line.data() + at + key.size();
  double v = 0;
  const auto [end, error] = std::from_chars(first, line.data() + line.size(), v);
  if (error != std::errc()) return std::nullopt;
  return v;
}

}  // namespace

bool RouteWatch::heard(std::string_view piece) {
  partial_ += piece;
  std::size_t begin = 0;
  for (std::size_t end; (end = partial_.find('\n', begin)) != std::string::npos; begin = end + 1)
    line(std::string_view(partial_).substr(begin, end - begin));
  partial_.erase(0, begin);
  return !hopeless_;
}

void RouteWatch::line(std::string_view text) {
  const auto round = number(text, "iter=");
  if (!round) return;
  const auto overuse = number(text, " overuse=");
  if (!overuse) {
    if (!routing_) say_(fmt::format("placing, step {}", *round));
    return;
  }
  routing_ = true;
  overuse_.push_back(*overuse);
  say_(fmt::format("routing, round {}: {} wires to part", *round, *overuse));
  const std::size_t n = overuse_.size();
  hopeless_ = hopeless_ ||
              (n >= kRounds && *overuse > kFew && *overuse > kLess * overuse_[n - 1 - kHeadway]);
}

std::string RouteWatch::reason() const {
  return fmt::format(
      "the router got no further: after {} rounds {} wires still serve two nets, after {} it was "
      "{}",
      overuse_.size(), overuse_.back(), overuse_.size() - kHeadway,
      overuse_[overuse_.size() - 1 - kHeadway]);
}

}  // namespace nbq::hw
