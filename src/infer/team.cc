#include "infer/team.h"

#include <atomic>
#include <barrier>
#include <thread>

// The pool that TensorFlow and ONNX Runtime stand on: its threads spin a little before they sleep.
#include <unsupported/Eigen/CXX11/ThreadPool>

namespace nbq::infer {

struct Team::Pool {
  explicit Pool(int others) : pool(others), barrier(others + 1) {}
  Eigen::ThreadPool pool;
  std::barrier<> barrier;
};

Team::Team(int threads) : threads_(threads) {
  if (threads > 1) pool_ = std::make_unique<Pool>(threads - 1);
}

Team::~Team() = default;

void Team::run(const std::function<void(int)>& work) {
  if (threads_ == 1) return work(0);
  for (int t = 1; t < threads_; ++t)
    pool_->pool.Schedule([this, &work, t] {
      work(t);
      meet();
    });
  work(0);
  meet();
}

void Team::meet() {
  if (threads_ > 1) pool_->barrier.arrive_and_wait();
}

}  // namespace nbq::infer
