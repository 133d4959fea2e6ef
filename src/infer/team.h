#pragma once
#include <functional>
#include <memory>

namespace nbq::infer {

/// Threads that do the same work side by side, the caller being the first of them.
class Team {
 public:
  /// 1..kMaxThreads threads. Throws std::system_error when the system gives no more.
  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  static constexpr int kMaxThreads = 256;

  /// Calls work(thread) once on each and returns when all are done. Not from two threads at a time.
  /// Allocates nothing itself: pass std::ref() of a larger lambda.
  void run(const std::function<void(int)>& work);
  /// Inside run(): waits until all threads are here.
  void meet();
  int threads() const { return threads_; }

 private:
  struct Pool;
  int threads_;
  const std::function<void(int)>* work_ = nullptr;  ///< of the run() under way
  std::unique_ptr<Pool> pool_;
};

}  // namespace nbq::infer
