#pragma once
// An AXI4 memory for a Verilated top with ports m_axi_*: latency, random stalls on every valid and
// ready, error answers, and a check of the rules that a master must keep.
#include <cstdint>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <vector>

struct AxiMemoryOptions {
  std::uint32_t latency = 0;        // cycles from an address to its first beat or answer
  std::uint32_t stall_percent = 0;  // of the cycles, for each valid and ready by itself
  std::uint32_t seed = 1;
  std::uint64_t error_begin = 0, error_end = 0;  // bytes whose access is answered by SLVERR
  std::uint32_t dead = 0;                        // 1: never ready, never valid
};

template <class Top>
class AxiMemory {
 public:
  std::vector<std::uint8_t> bytes;

  void configure(const AxiMemoryOptions& o) {
    o_ = o;
    rng_.seed(o.seed);
  }
  const std::string& violation() const { return violation_; }
  /// A reset of the whole system: what is under way is gone.
  void forget(Top& t) {
    reads_.clear();
    writes_.clear();
    data_.clear();
    answers_.clear();
    held_ar_ = held_aw_ = held_w_ = false;
    t.m_axi_rvalid = t.m_axi_bvalid = 0;
  }

  /// This cycle's answers; before the combinational logic settles.
  void drive(Top& t) {
    ++now_;
    t.m_axi_arready = go() && reads_.size() < kBursts;
    t.m_axi_awready = go() && writes_.size() < kBursts;
    t.m_axi_wready = go();
    if (t.m_axi_rvalid == 0 && !reads_.empty() && reads_.front().due <= now_ && go()) {
      const Burst& b = reads_.front();
      t.m_axi_rvalid = 1;
      t.m_axi_rlast = b.done + 1 == b.beats;
      t.m_axi_rresp = response(b.address + b.done * size(t), size(t));
      copy_out(t, b.address + b.done * size(t));
    }
    if (t.m_axi_bvalid == 0 && !answers_.empty() && answers_.front().due <= now_ && go()) {
      t.m_axi_bvalid = 1;
      t.m_axi_bresp = answers_.front().response;
    }
  }

  /// Whose handshakes happen at the clock edge that comes next; after the logic has settled.
  void sample(Top& t) {
    check(t);
    if (t.m_axi_rvalid != 0 && t.m_axi_rready != 0) {
      rvalid_taken_ = true;
      if (++reads_.front().done == reads_.front().beats) reads_.pop_front();
    }
    if (t.m_axi_arvalid != 0 && t.m_axi_arready != 0)
      reads_.push_back({t.m_axi_araddr, t.m_axi_arlen + 1U, 0, now_ + 1 + o_.latency});
    if (t.m_axi_bvalid != 0 && t.m_axi_bready != 0) {
      bvalid_taken_ = true;
      answers_.pop_front();
    }
    if (t.m_axi_awvalid != 0 && t.m_axi_awready != 0)
      writes_.push_back({t.m_axi_awaddr, t.m_axi_awlen + 1U, 0, 0});
    if (t.m_axi_wvalid != 0 && t.m_axi_wready != 0) {
      Beat& beat = data_.emplace_back();
      beat.last = t.m_axi_wlast != 0;
      beat.bytes.resize(size(t));
      std::memcpy(beat.bytes.data(), &t.m_axi_wdata, size(t));
    }
    write(t);
  }

  /// After the clock edge: what was taken is no longer offered.
  void after(Top& t) {
    if (rvalid_taken_) t.m_axi_rvalid = 0;
    if (bvalid_taken_) t.m_axi_bvalid = 0;
    rvalid_taken_ = bvalid_taken_ = false;
  }

 private:
  static constexpr std::size_t kBursts = 16;
  static constexpr std::uint32_t kOkay = 0, kSlvErr = 2, kDecErr = 3;
  struct Burst {
    std::uint64_t address;
    std::uint32_t beats, done;
    std::uint64_t due;
    std::uint32_t answer = kOkay;
  };
  struct Beat {
    bool last;
    std::vector<std::uint8_t> bytes;
  };
  struct Answer {
    std::uint64_t due;
    std::uint32_t response;
  };

  static constexpr std::size_t size(const Top& t) { return sizeof t.m_axi_wdata; }
  bool go() { return o_.dead == 0 && rng_() % 100 >= o_.stall_percent; }
  std::uint32_t response(std::uint64_t address, std::size_t n) const {
    if (address + n > bytes.size()) return kDecErr;
    return address < o_.error_end && address + n > o_.error_begin ? kSlvErr : kOkay;
  }
  void copy_out(Top& t, std::uint64_t address) {
    std::memset(&t.m_axi_rdata, 0, size(t));
    if (address + size(t) <= bytes.size())
      std::memcpy(&t.m_axi_rdata, bytes.data() + address, size(t));
  }

  /// Joins addresses and data, which may come in any order.
  void write(const Top& t) {
    while (!writes_.empty() && !data_.empty()) {
      Burst& b = writes_.front();
      const std::uint64_t at = b.address + b.done * size(t);
      if (response(at, size(t)) == kOkay)
        std::memcpy(bytes.data() + at, data_.front().bytes.data(), size(t));
      else
        b.answer = response(at, size(t));
      if (data_.front().last != (b.done + 1 == b.beats)) violation_ = "wlast";
      data_.pop_front();
      if (++b.done < b.beats) continue;
      answers_.push_back({now_ + 1 + o_.latency, b.answer});
      writes_.pop_front();
    }
  }

  void check(const Top& t) {
    const auto burst = [&](std::uint64_t address, std::uint32_t len, const char* what) {
      const std::uint64_t end = address + (len + 1) * size(t) - 1;
      if (address / 4096 != end / 4096 || address % size(t) != 0) violation_ = what;
    };
    if (t.m_axi_arvalid != 0) burst(t.m_axi_araddr, t.m_axi_arlen, "read burst crosses 4 KB");
    if (t.m_axi_awvalid != 0) burst(t.m_axi_awaddr, t.m_axi_awlen, "write burst crosses 4 KB");
    // Once offered, an address or beat stays as it is until it is taken.
    if (held_ar_ && (t.m_axi_arvalid == 0 || t.m_axi_araddr != araddr_ || t.m_axi_arlen != arlen_))
      violation_ = "read address changed";
    if (held_aw_ && (t.m_axi_awvalid == 0 || t.m_axi_awaddr != awaddr_))
      violation_ = "write address changed";
    if (held_w_ && (t.m_axi_wvalid == 0 || t.m_axi_wlast != wlast_ ||
                    std::memcmp(&t.m_axi_wdata, wdata_.data(), size(t)) != 0))
      violation_ = "write data changed";
    held_ar_ = t.m_axi_arvalid != 0 && t.m_axi_arready == 0;
    held_aw_ = t.m_axi_awvalid != 0 && t.m_axi_awready == 0;
    held_w_ = t.m_axi_wvalid != 0 && t.m_axi_wready == 0;
    araddr_ = t.m_axi_araddr;
    arlen_ = t.m_axi_arlen;
    awaddr_ = t.m_axi_awaddr;
    wlast_ = t.m_axi_wlast;
    wdata_.resize(size(t));
    std::memcpy(wdata_.data(), &t.m_axi_wdata, size(t));
  }

  AxiMemoryOptions o_;
  std::mt19937 rng_;
  std::uint64_t now_ = 0;
  std::deque<Burst> reads_, writes_;
  std::deque<Beat> data_;
  std::deque<Answer> answers_;
  bool rvalid_taken_ = false, bvalid_taken_ = false;
  std::string violation_;
  bool held_ar_ = false, held_aw_ = false, held_w_ = false;
  std::uint64_t araddr_ = 0, awaddr_ = 0;
  std::uint32_t arlen_ = 0, wlast_ = 0;
  std::vector<std::uint8_t> wdata_;
};
