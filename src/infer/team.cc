#include "infer/team.h"

#include <atomic>
#include <thread>
#include <vector>
#if defined(__linux__)
#include <sched.h>
#endif

// The pool that TensorFlow and ONNX Runtime stand on: its threads spin a little before they sleep.
#include <unsupported/Eigen/CXX11/ThreadPool>

namespace nbq::infer {
namespace {

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Steps take microseconds and waking a thread as many, so threads spin for a while before they
/// sleep; std::barrier's sleep almost at once.
class Barrier {
 public:
  explicit Barrier(int threads) : threads_(threads) {}

  void meet() {
    const unsigned round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      round_.notify_all();
      return;
    }
    // First alone, then letting others run who want this core: perhaps the thread that is waited
    // for.
    constexpr int kSpins = 300, kYields = 200;
    for (int i = 0; i < kSpins + kYields; ++i) {
      if (round_.load(std::memory_order_acquire) != round) return;
      i < kSpins ? pause() : std::this_thread::yield();
    }
    while (round_.load(std::memory_order_acquire) == round)
      round_.wait(round, std::memory_order_acquire);
  }

 private:
  const int threads_;
  std::atomic<int> arrived_ = 0;
  std::atomic<unsigned> round_ = 0;
};

/// The core that the calling thread runs on, or -1.
int this_core() {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

/// Moves the calling thread to another core, if there is one for each of so many threads.
void leave_core([[maybe_unused]] int core, [[maybe_unused]] int threads) {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  if (CPU_COUNT(&allowed) < threads) return;
  cpu_set_t others = allowed;
  CPU_CLR(static_cast<std::size_t>(core), &others);
  if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0) return;
  (void)sched_setaffinity(0, sizeof allowed, &allowed);
#endif
}

/// Threads that hand over to each other thousands of times a second look too busy to be moved: once
/// two share a core, Linux may leave them there, however idle the others are. One of them goes.
class Neighbour {
 public:
  /// At the begin of the thread's work, of `threads` in all, the first of them on core `other`.
  void beside(int other, int threads) {
    if (other < 0 || this_core() != other) {
      runs_ = 0;
    } else if (++runs_ == kPatience) {
      runs_ = 0;
      leave_core(other, threads);
    }
  }

 private:
  static constexpr int kPatience = 4;  // runs after which nobody else has moved it
  int runs_ = 0;
};

/// Waits for the one thing that it has to do.
class ReadyThread {
 public:
  ReadyThread()
      : thread_([this] {
          given_.wait(false);
          if (work_) work_();
        }) {}
  ~ReadyThread() {
    if (!given_) give({});
    thread_.join();
  }
  void give(std::function<void()> work) {
    work_ = std::move(work);
    given_ = true;
    given_.notify_one();
  }
  void OnCancel() {}  // Eigen wants it there

 private:
  std::atomic<bool> given_ = false;
  std::function<void()> work_;
  std::thread thread_;
};
using ReadyThreads = std::vector<std::unique_ptr<ReadyThread>>;

/// Throws std::system_error, and then none is left.
ReadyThreads start_threads(int count) {
  ReadyThreads all;
  for (int i = 0; i < count; ++i) all.push_back(std::make_unique<ReadyThread>());
  return all;
}

/// Eigen's pool can't end unless it has all its threads, so it gets such as have started already.
struct StartedThreads : Eigen::StlThreadEnvironment {
  using EnvThread = ReadyThread;
  EnvThread* CreateThread(std::function<void()> work) {
    EnvThread* const thread = threads->back().release();
    threads->pop_back();
    thread->give(std::move(work));
    return thread;
  }
  ReadyThreads* threads = nullptr;
};

}  // namespace

struct Team::Pool {
  explicit Pool(int others)
      : barrier(others + 1),
        neighbours(static_cast<std::size_t>(others)),
        threads(start_threads(others)),
        pool(others, /*allow_spinning=*/true, StartedThreads{{}, &threads}) {}
  Barrier barrier;  // threads may still be leaving it when the pool waits for their end
  std::vector<Neighbour> neighbours;  // by the pool's number of the thread: it takes any t
  int first_core = -1;
  ReadyThreads threads;
  Eigen::ThreadPoolTempl<StartedThreads> pool;
};

Team::Team(int threads) : threads_(threads) {
  if (threads > 1) pool_ = std::make_unique<Pool>(threads - 1);
}

Team::~Team() = default;

void Team::run(const std::function<void(int)>& work) {
  if (threads_ == 1) return work(0);
  work_ = &work;
  pool_->first_core = this_core();
  for (int t = 1; t < threads_; ++t)
    pool_->pool.Schedule([this, t] {  // two words: std::function holds them without an allocation
      const auto thread = static_cast<std::size_t>(pool_->pool.CurrentThreadId());
      pool_->neighbours[thread].beside(pool_->first_core, threads_);
      (*work_)(t);
      meet();
    });
  work(0);
  meet();
}

void Team::meet() {
  if (threads_ > 1) pool_->barrier.meet();
}

}  // namespace nbq::infer
