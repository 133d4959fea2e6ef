#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace nbq {

/// Things of which a call takes one for itself; when none is left it waits. Taking one and giving
/// it back allocate nothing. Any number of threads may take(); add() comes before that.
template <class T>
class Pool {
 public:
  /// Gives its thing back when it ends; not after the pool's end.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : pool_(other.pool_), thing_(std::exchange(other.thing_, nullptr)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (thing_ != nullptr) pool_.give_back(thing_);
    }
    T& operator*() const { return *thing_; }
    T* operator->() const { return thing_; }

   private:
    friend Pool;
    Lease(Pool& pool, T* thing) : pool_(pool), thing_(thing) {}
    Pool& pool_;
    T* thing_;
  };

  void add(std::unique_ptr<T> thing) {
    free_.reserve(all_.size() + 1);
    all_.push_back(std::move(thing));
    free_.push_back(all_.back().get());
  }

  Lease take() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !free_.empty(); });
    T* const last = free_.back();  // whose memory is most likely in a cache
    free_.pop_back();
    return Lease(*this, last);
  }

 private:
  void give_back(T* thing) {
    {
      const std::lock_guard lock(mutex_);
      free_.push_back(thing);
    }
    returned_.notify_one();
  }

  std::vector<std::unique_ptr<T>> all_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<T*> free_;
};

}  // namespace nbq
