#include "train/peers.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <thread>

#include "train/checkpoint.h"
#include "train/trainer.h"

namespace nbq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof a;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&a), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size), 0);
  ::close(fd);
  return ntohs(a.sin_port);
}

/// Calls f(address) for each of `size` processes, which are threads here.
template <class F>
void together(int size, F f) {
  const int port = free_port();
  std::vector<std::jthread> all;
  for (int rank = 0; rank < size; ++rank)
    all.emplace_back([=] { f(PeerAddress{rank, size, "127.0.0.1", port, size}); });
}

bool has_gloo() {
  const auto r = connect({0, 1, "127.0.0.1", free_port(), 1});
  return r.ok() || r.error().code != ErrorCode::kUnsupported;
}

class PeersTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_gloo()) GTEST_SKIP() << "built without Gloo";
  }
};

TEST_F(PeersTest, SumAndBroadcast) {
  together(3, [](const PeerAddress& a) {
    const auto peers = connect(a).value();
    const at::Tensor one = at::full({2, 3}, a.rank + 1.0), two = at::full({5}, 10.0 * a.rank);
    const at::Tensor turned = at::full({4, 2}, a.rank + 0.5).t();  // not contiguous
    const at::Tensor count = at::full({1}, a.rank, at::kLong);
    peers->sum_all(std::vector<at::Tensor>{one, two, turned, count});
    EXPECT_TRUE(one.eq(6).all().item<bool>());
    EXPECT_TRUE(two.eq(30).all().item<bool>());
    EXPECT_TRUE(turned.eq(4.5).all().item<bool>());
    EXPECT_EQ(count.item<std::int64_t>(), 3);
    peers->broadcast_all(std::vector<at::Tensor>{at::zeros({2}), count});
    EXPECT_EQ(peers->broadcast_text(a.rank == 0 ? "first" : "other one"), "first");
    EXPECT_EQ(peers->broadcast_text(a.rank == 0 ? "" : "x"), "");
  });
}

constexpr const char* kRecipe = R"(name = "shared"
precision = "float32"
[data]
source = "digits"
pad_crop = 1
[model]
family = "nbqnn"
stages = [[8], [16], [16]]
[[phase]]
kind = "float"
epochs = 1
batch = 128
momentum = 0
nesterov = false
schedule = "constant"
[[phase]]
kind = "quantised"
epochs = 1
batch = 128
momentum = 0
nesterov = false
schedule = "constant"
final_epochs_at_one = 0
freeze_norms_epochs = 0
)";

fs::path folder(const std::string& name) {
  return fs::path(testing::TempDir()) / ("nbq_peers_" + std::to_string(::getpid()) + "_" + name);
}

struct Case {
  std::vector<std::string> set = {};
  std::int64_t steps = 1;
  fs::path init = {};  ///< of a quantised phase alone
};

TrainRequest request(const Case& c, const std::string& name) {
  TrainRequest q;
  q.recipe = parse_recipe(kRecipe, "shared.toml", c.set).value();
  auto& phases = q.recipe.phases;
  phases.erase(c.init.empty() ? phases.begin() + 1 : phases.begin());
  q.recipe.init = c.init.string();
  q.run_dir = folder(name);
  q.overwrite = q.quiet = true;
  q.handle_signals = false;
  q.threads = 1;
  q.stop = [n = c.steps](std::int64_t done) { return done == n; };
  return q;
}

using Numbers = std::map<std::string, std::vector<float>>;

Numbers numbers_after(const Case& c, int processes) {
  const std::string name = "step" + std::to_string(processes);
  together(processes, [&](const PeerAddress& a) {
    TrainRequest q = request(c, name);
    if (processes > 1) q.peers = a;
    const auto r = train(q);
    EXPECT_TRUE(r.ok()) << r.error().message;
  });
  Numbers out;
  const auto made = load_checkpoint(folder(name) / "checkpoint.pt");
  EXPECT_TRUE(made.ok()) << made.error().message;
  if (!made.ok()) return out;
  for (const Node& n : made->state.graph.nodes)
    for (const auto& [key, t] : n.state) out[n.name + "." + key] = t.data;
  fs::remove_all(folder(name));
  return out;
}

struct Distance {
  double learnt = 0;      ///< of what learning changed, relative to how far it went
  double statistics = 0;  ///< largest, relative to the largest
};

Distance distance(const Numbers& a, const Numbers& b, const Numbers& start) {
  double apart = 0, moved = 0;
  Distance d;
  for (const auto& [key, x] : a) {
    const auto &y = b.at(key), &z = start.at(key);
    double most = 0, largest = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double xi = static_cast<double>(x[i]), yi = static_cast<double>(y[i]);
      most = std::max(most, std::fabs(xi - yi));
      largest = std::max(largest, std::fabs(xi));
      if (key.find("running") != std::string::npos) continue;
      apart += (xi - yi) * (xi - yi);
      moved += (xi - static_cast<double>(z[i])) * (xi - static_cast<double>(z[i]));
    }
    if (key.find("running") != std::string::npos && largest > 0)
      d.statistics = std::max(d.statistics, most / largest);
  }
  EXPECT_GT(moved, 0);
  d.learnt = std::sqrt(apart / moved);
  return d;
}

Distance two_against_one(const Case& c) {
  Case rests = c;
  rests.set.push_back("phase.1.lr=0");
  rests.set.push_back("phase.2.lr=0");
  return distance(numbers_after(c, 1), numbers_after(c, 2), numbers_after(rests, 1));
}

TEST_F(PeersTest, AStepOfTwoProcessesIsThatOfOne) {
  const Distance d = two_against_one({.set = {"phase.1.sync_norms=true"}});
  EXPECT_LT(d.learnt, 1e-4);
  EXPECT_LT(d.statistics, 1e-5);
}

TEST_F(PeersTest, WithoutSyncNormsItIsAnother) {
  const Distance d = two_against_one({});
  EXPECT_GT(d.learnt, 1e-2);
  EXPECT_GT(d.statistics, 1e-4);
}

/// 1000 images: the fourth batch of 333 has one, and nothing is left for rank 1.
TEST_F(PeersTest, AProcessMayHaveNoImageOfABatch) {
  const Distance d =
      two_against_one({.set = {"phase.1.sync_norms=true", "phase.1.batch=333"}, .steps = 4});
  EXPECT_LT(d.learnt, 1e-3);
  EXPECT_LT(d.statistics, 1e-3);
}

TEST_F(PeersTest, AQuantisedStepOfTwoProcessesIsThatOfOne) {
  TrainRequest first = request({}, "float");
  first.stop = nullptr;
  const auto made = train(first);
  ASSERT_TRUE(made.ok()) << made.error().message;
  // Activations are rounded: what float rounding moves over an edge counts a whole step there.
  const Distance d =
      two_against_one({.set = {"phase.2.sync_norms=true"}, .init = made->float_model});
  EXPECT_LT(d.learnt, 1e-2);
  EXPECT_LT(d.statistics, 1e-3);
  const Distance own = two_against_one({.init = made->float_model});
  EXPECT_GT(own.learnt, 5 * d.learnt);
  fs::remove_all(folder("float"));
}

TEST_F(PeersTest, AllNeedTheSameRecipe) {
  together(2, [](const PeerAddress& a) {
    TrainRequest q = request({}, "differs");
    q.peers = a;
    if (a.rank == 1) q.recipe.phases[0].lr = 0.2;
    const auto r = train(q);
    ASSERT_FALSE(r.ok());
    if (a.rank == 1) {
      EXPECT_THAT(r.error().message, HasSubstr("it is now `lr = 0.2`"));
    } else {
      EXPECT_EQ(r.error().code, ErrorCode::kPeerLost) << r.error().message;
    }
  });
  fs::remove_all(folder("differs"));
}

TEST(PeerAddress, TheEnvironmentSaysWhereThePeersAre) {
  const auto set = [](const char* name, const char* value) { ::setenv(name, value, 1); };
  EXPECT_FALSE(peers_of_environment().value());
  set("WORLD_SIZE", "4");
  EXPECT_THAT(peers_of_environment().error().message, HasSubstr("RANK"));
  set("RANK", "4");
  EXPECT_THAT(peers_of_environment().error().message, HasSubstr("RANK=4"));
  set("RANK", "3");
  set("MASTER_PORT", "29500");
  EXPECT_THAT(peers_of_environment().error().message, HasSubstr("MASTER_ADDR"));
  set("MASTER_ADDR", "first");
  const auto found = peers_of_environment();
  ASSERT_TRUE(found.ok() && found.value());
  EXPECT_EQ((**found).rank, 3);
  EXPECT_EQ((**found).host, "first");
  for (const char* name : {"WORLD_SIZE", "RANK", "MASTER_PORT", "MASTER_ADDR"}) ::unsetenv(name);
}

}  // namespace
}  // namespace nbq
