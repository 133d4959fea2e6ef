#include "infer/team.h"

#include <atomic>
#include <barrier>
#include <system_error>
#include <thread>

// The pool that TensorFlow and ONNX Runtime stand on: its threads spin a little before they sleep.
#include <unsupported/Eigen/CXX11/ThreadPool>

namespace nbq::infer {
namespace {

/// Eigen's pool could not be taken down if one of its threads failed to start, so such a thread is
/// left out, and the pool, which then is of no use, ends as ever.
struct ThreadMaker : Eigen::StlThreadEnvironment {
  class EnvThread {
   public:
    explicit EnvThread(std::thread thread) : thread_(std::move(thread)) {}
    ~EnvThread() {
      if (thread_.joinable()) thread_.join();
    }
    void OnCancel() {}

   private:
    std::thread thread_;
  };

  EnvThread* CreateThread(std::function<void()> work) {
    try {
      return new EnvThread(std::thread(std::move(work)));
    } catch (const std::system_error& e) {
      *failed = e.code();
      return new EnvThread(std::thread());
    }
  }

  std::error_code* failed = nullptr;
};

}  // namespace

struct Team::Pool {
  explicit Pool(int others)
      : barrier(others + 1), pool(others, /*allow_spinning=*/true, ThreadMaker{{}, &failed}) {
    if (failed) throw std::system_error(failed);
  }
  std::error_code failed;
  std::barrier<> barrier;  // threads may still be leaving it when the pool waits for their end
  Eigen::ThreadPoolTempl<ThreadMaker> pool;
};

Team::Team(int threads) : threads_(threads) {
  if (threads > 1) pool_ = std::make_unique<Pool>(threads - 1);
}

Team::~Team() = default;

void Team::run(const std::function<void(int)>& work) {
  if (threads_ == 1) return work(0);
  work_ = &work;
  for (int t = 1; t < threads_; ++t)
    pool_->pool.Schedule([this, t] {  // two words: std::function holds them without an allocation
      (*work_)(t);
      meet();
    });
  work(0);
  meet();
}

void Team::meet() {
  if (threads_ > 1) pool_->barrier.arrive_and_wait();
}

}  // namespace nbq::infer
