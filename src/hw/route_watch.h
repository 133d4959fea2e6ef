#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nbq::hw {

/// Reads along while nextpnr places and routes: says how far it is, and when its router won't come
/// to an end. router2 lays all nets over each other and parts them round by round; where wires are
/// too few it goes on for hours with as many shared ones.
class RouteWatch {
 public:
  /// `say` gets a short line whenever there is something new.
  explicit RouteWatch(std::function<void(const std::string&)> say) : say_(std::move(say)) {}

  /// The next piece of nextpnr's output; false once the router gets nowhere.
  bool heard(std::string_view piece);
  bool hopeless() const { return hopeless_; }
  /// What happened then.
  std::string reason() const;

 private:
  void line(std::string_view text);

  std::function<void(const std::string&)> say_;
  std::string partial_;          ///< a line that has not ended
  std::vector<double> overuse_;  ///< of each round: how often wires are used twice
  bool routing_ = false, hopeless_ = false;
};

}  // namespace nbq::hw
