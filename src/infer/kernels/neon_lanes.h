#pragma once
#include <arm_neon.h>

#include "infer/kernels/decode_impl.h"
#include "infer/kernels/finish_impl.h"
#include "infer/kernels/map_impl.h"
#include "infer/kernels/tile_impl.h"

// What ARM's two rows share; unnamed, see tile_impl.h.
namespace nbq::infer {
namespace {

struct LanesNeon {
  using Wide = int32x4_t;
  using Weights = int8x16_t;
  static constexpr int kLanes = 4, kBytes = 16;
  static Weights load_weights(const std::int8_t* w) { return vld1q_s8(w); }
  static int32x4_t broadcast_step(const std::uint8_t* x) {
    std::int32_t v;
    __builtin_memcpy(&v, x, 4);
    return vdupq_n_s32(v);
  }
  static Wide add(Wide a, Wide b) { return vaddq_s32(a, b); }
  static Wide load(const std::int32_t* p) { return vld1q_s32(p); }
  static void store(std::int32_t* to, Wide v) { vst1q_s32(to, v); }
};

/// ARM multiplies bytes of one sign: stored activations are taken less 128, as signed ones.
struct SignedBytesNeon : LanesNeon {
  static constexpr bool kBiased = true;
  static int8x16_t broadcast(const std::uint8_t* x) {
    return veorq_s8(vreinterpretq_s8_s32(broadcast_step(x)), vdupq_n_s8(-128));
  }
  /// 128 times the sum of weights.
  static Wide times128(int32x4_t weights) { return vshlq_n_s32(weights, 7); }
};

struct WordsNeon : LanesNeon {
  /// The step's two products of a channel lie next to each other.
  struct Sum {
    int32x4_t low, high;
  };
  using Weights = int16x8_t;
  static constexpr bool kNarrow = false, kBiased = false;
  static Sum zero() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
  static Weights load_weights(const std::int8_t* w) {
    return vreinterpretq_s16_s8(LanesNeon::load_weights(w));
  }
  static int16x8_t broadcast(const std::uint8_t* x) {
    return vreinterpretq_s16_s32(broadcast_step(x));
  }
  static Sum dot(Sum sum, int16x8_t x, Weights w) {
    return {vmlal_s16(sum.low, vget_low_s16(x), vget_low_s16(w)), vmlal_high_s16(sum.high, x, w)};
  }
  static Wide widen(Sum sum) { return vpaddq_s32(sum.low, sum.high); }
};

struct CodesNeon {
  using V = uint8x16_t;
  static constexpr int kBytes = 16;
  static V load(const std::uint8_t* p) { return vld1q_u8(p); }
  static void store(std::int8_t* to, int8x16_t v) { vst1q_s8(to, v); }
  static V bits_and(V v, int mask) { return vandq_u8(v, vdupq_n_u8(static_cast<uint8_t>(mask))); }
  template <int n>
  static V bits_right(V v) {
    return vshrq_n_u8(v, n);
  }
  template <int n>
  static V bits_left(V v) {
    return vshlq_n_u8(v, n);
  }
  template <int mask>
  static V bits_select(V a, V b) {
    return vbslq_u8(vdupq_n_u8(mask), a, b);
  }
  static int8x16_t table(const std::int8_t* sixteen) { return vld1q_s8(sixteen); }
  static int8x16_t look_up(int8x16_t levels, V codes) { return vqtbl1q_s8(levels, codes); }

  /// The low and the high bytes of 32 words.
  struct WordTable {
    uint8x16x2_t low, high;
  };
  static WordTable word_table(const std::int16_t* thirty_two) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(thirty_two);
    const uint8x16x2_t first = vld2q_u8(bytes), second = vld2q_u8(bytes + 32);
    return {{{first.val[0], second.val[0]}}, {{first.val[1], second.val[1]}}};
  }
  static void store_words(std::int8_t* to, const WordTable& table, V codes) {
    const uint8x16_t low = vqtbl2q_u8(table.low, codes), high = vqtbl2q_u8(table.high, codes);
    const uint8x16x2_t words{{low, high}};
    vst2q_u8(reinterpret_cast<std::uint8_t*>(to), words);
  }
  static void prefetch(const std::uint8_t* p) { __builtin_prefetch(p); }
};

struct IntNeon {
  using V = int32x4_t;
  static constexpr int kLanes = 4;
  static V load(const std::int32_t* p) { return vld1q_s32(p); }
  static void store(std::int32_t* to, V v) { vst1q_s32(to, v); }
  static V set(std::int32_t v) { return vdupq_n_s32(v); }
  static V add(V a, V b) { return vaddq_s32(a, b); }
  static V sub(V a, V b) { return vsubq_s32(a, b); }
  static V bits_and(V a, V b) { return vandq_s32(a, b); }
  static V bits_xor(V a, V b) { return veorq_s32(a, b); }
  static V min(V a, V b) { return vminq_s32(a, b); }
  static V max(V a, V b) { return vmaxq_s32(a, b); }
  static V shift_left(V v, V by) { return vshlq_s32(v, by); }
  static V shift_right(V v, V by) { return vshlq_s32(v, vnegq_s32(by)); }
  static V shift_left(V v, int by) { return shift_left(v, set(by)); }
  static V shift_right(V v, int by) { return shift_left(v, set(-by)); }

  // No byte beyond the last lane is touched: it may be another thread's, or not there.
  static V load_bytes(const std::uint8_t* p, int lanes) {
    std::uint32_t four = 0;
    copy<1>(reinterpret_cast<std::uint8_t*>(&four), p, lanes);
    const uint16x8_t words = vmovl_u8(vcreate_u8(four));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(words)));
  }
  static V load_words(const std::uint8_t* p, int lanes) {
    std::uint64_t four = 0;
    copy<2>(reinterpret_cast<std::uint8_t*>(&four), p, lanes);
    return vmovl_s16(vcreate_s16(four));
  }
  static void store_bytes(std::uint8_t* to, V v, int lanes) {
    const int16x4_t words = vmovn_s32(v);
    const int8x8_t bytes = vmovn_s16(vcombine_s16(words, words));
    const std::uint32_t four = vget_lane_u32(vreinterpret_u32_s8(bytes), 0);
    copy<1>(to, reinterpret_cast<const std::uint8_t*>(&four), lanes);
  }
  static void store_words(std::uint8_t* to, V v, int lanes) {
    const std::uint64_t four = vget_lane_u64(vreinterpret_u64_s16(vmovn_s32(v)), 0);
    copy<2>(to, reinterpret_cast<const std::uint8_t*>(&four), lanes);
  }

 private:
  /// One move where all lanes are there.
  template <int size>
  static void copy(std::uint8_t* to, const std::uint8_t* from, int lanes) {
    if (lanes == kLanes) {
      __builtin_memcpy(to, from, kLanes * size);
    } else {
      for (int i = 0; i < lanes * size; ++i) to[i] = from[i];
    }
  }
};

/// For finish_quads(); everything stays in order.
struct QuadNeon {
  using Words = int16x8_t;
  using Bytes = uint8x16_t;
  static Words words(int v) { return vdupq_n_s16(static_cast<std::int16_t>(v)); }
  static Bytes bytes(int v) { return vdupq_n_u8(static_cast<std::uint8_t>(v)); }
  static Words to_words(int32x4_t a, int32x4_t b) {
    return vcombine_s16(vqmovn_s32(a), vqmovn_s32(b));
  }
  static Bytes to_bytes(Words ab, Words cd) {
    return vcombine_u8(vqmovun_s16(ab), vqmovun_s16(cd));
  }
  static void from_bytes(Bytes all, Words& ab, Words& cd) {
    ab = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(all)));
    cd = vreinterpretq_s16_u16(vmovl_high_u8(all));
  }
  static Words add(Words a, Words b) { return vaddq_s16(a, b); }
  static Words add_saturating(Words a, Words b) { return vqaddq_s16(a, b); }
  static Words left(Words v, int by) { return vshlq_s16(v, words(by)); }
  static Words right(Words v, int by) { return vshlq_s16(v, words(-by)); }
  static Words clamp(Words v, Words lo, Words hi) { return vminq_s16(vmaxq_s16(v, lo), hi); }
  static Bytes clamp_bytes(Bytes v, Bytes lo, Bytes hi) { return vminq_u8(vmaxq_u8(v, lo), hi); }

  template <int N>
  static Bytes load(const std::uint8_t* p, std::ptrdiff_t pixel) {
    if (N == 4 || pixel == 4 * N) return vld1q_u8(p);
    std::uint8_t all[16];
    for (int i = 0; i < 4; i += N) __builtin_memcpy(all + 4 * i, p + i / N * pixel, 4 * N);
    return vld1q_u8(all);
  }
  template <int N>
  static void store(std::uint8_t* to, std::ptrdiff_t pixel, Bytes v) {
    if (N == 4 || pixel == 4 * N) return vst1q_u8(to, v);
    std::uint8_t all[16];
    vst1q_u8(all, v);
    for (int i = 0; i < 4; i += N) __builtin_memcpy(to + i / N * pixel, all + 4 * i, 4 * N);
  }
};

/// What both rows have alike.
inline void fill_neon(KernelSet& s) {
  s.lanes = LanesNeon::kLanes;
  fill_tiles<WordsNeon, 1, 12>(s.dot16[0]);
  fill_tiles<WordsNeon, 2, 6>(s.dot16[1]);
  s.decode8 = decode8<CodesNeon>;
  s.decode16 = decode16<CodesNeon>;
  s.finish = finish<IntNeon, QuadNeon>;
  s.map = map<IntNeon>;
}

/// Two vector instructions a cycle, `each` a vector's sum and one more for every pixel's and weight
/// vector's preparation; two loads a cycle; `chain` cycles from sum to sum.
inline double step_cost_neon(int vectors, int pixels, double each, double chain) {
  const double loads = vectors + pixels;
  return longest((vectors * pixels * each + loads) / 2, loads / 2, chain);
}

}  // namespace
}  // namespace nbq::infer
